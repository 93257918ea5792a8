//! Elementwise operations, dropout, concatenation with slicing, and the mean squared error.

mod common;

use common::{Family, Rate, main as run};
use ign::tape::{Tape, Var};

/// An input with the shape of the first layer's output at width 32.
fn image<'t>(tape: &'t Tape, name: &str, batch: usize) -> Var<'t> {
    tape.input(name, [batch, 32, 28, 28])
}

/// Benchmarks an activation and its gradient.
fn activation(family: &mut Family<'_>, name: &str, op: for<'t> fn(Var<'t>) -> Var<'t>) {
    family.samples(&format!("{name}/output"), &|tape, n| vec![op(image(tape, "x", n))]);
    family.samples(&format!("{name}/gradient"), &|tape, n| {
        let x = image(tape, "x", n);
        tape.vjp(op(x), image(tape, "g", n), &[x]).expect("activations can be differentiated")
    });
}

fn main() {
    run("elementwise", Rate::Bytes, |family| {
        activation(family, "relu", |x| x.relu());
        activation(family, "leaky relu", |x| x.leaky_relu(0.2));
        activation(family, "tanh", |x| x.tanh());
        activation(family, "sigmoid", |x| x.sigmoid());
        activation(family, "exp", |x| x.exp());
        activation(family, "softplus", |x| x.softplus());
        family.batch("dropout", &|tape, n| vec![image(tape, "x", n).dropout(tape.constant(7.0, [1]), 0.1, 0)]);
        family.samples("add", &|tape, n| vec![image(tape, "a", n) + image(tape, "b", n)]);
        family.samples("mul", &|tape, n| vec![image(tape, "a", n) * image(tape, "b", n)]);
        family.samples("linear combination of 3", &|tape, n| {
            let terms = ["a", "b", "c"].map(|name| (0.5, image(tape, name, n)));
            vec![tape.linear_combination(&terms)]
        });
        family.batch("concat and slice", &|tape, n| {
            vec![tape.concat(&[image(tape, "a", n), image(tape, "b", n)]).slice(n / 2, n)]
        });
        family.batch("mse and its gradient", &|tape, n| {
            let a = image(tape, "a", n);
            let loss = a.mse(image(tape, "b", n));
            [vec![loss], tape.gradient(loss, &[a]).expect("the mean squared error can be differentiated")].concat()
        });
    });
}
