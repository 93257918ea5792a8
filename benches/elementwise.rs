//! Operations that treat each element by itself, and the losses.

mod common;

use common::{Family, Rate, main as run};
use ign::ops::{add, concat, dropout, exp, leaky_relu, linear_combination, mse, mul, relu, sigmoid, slice, tanh};
use ign::tape::{Result, Tape, Var};

/// The first layer's output at width 32.
fn image<'t>(tape: &'t Tape, name: &str, batch: usize) -> Var<'t> {
    tape.input(name, [batch, 32, 28, 28])
}

fn activation(family: &mut Family<'_>, name: &str, op: for<'t> fn(Var<'t>) -> Result<Var<'t>>) {
    family.samples(&format!("{name}/output"), &|tape, n| Ok(vec![op(image(tape, "x", n))?]));
    family.samples(&format!("{name}/gradient"), &|tape, n| {
        let x = image(tape, "x", n);
        tape.vjp(op(x)?, image(tape, "g", n), &[x])
    });
}

fn main() {
    run("elementwise", Rate::Bytes, |family| {
        activation(family, "relu", relu);
        activation(family, "leaky relu", |x| leaky_relu(x, 0.2));
        activation(family, "tanh", tanh);
        activation(family, "sigmoid", sigmoid);
        activation(family, "exp", exp);
        family.batch("dropout", &|tape, n| Ok(vec![dropout(image(tape, "x", n), tape.constant(7.0, [1]), 0.1, 0)?]));
        family.samples("add", &|tape, n| Ok(vec![add(image(tape, "a", n), image(tape, "b", n))?]));
        family.samples("mul", &|tape, n| Ok(vec![mul(image(tape, "a", n), image(tape, "b", n))?]));
        family.samples("linear combination of 3", &|tape, n| {
            let terms = ["a", "b", "c"].map(|name| (0.5, image(tape, name, n)));
            Ok(vec![linear_combination(&terms)?])
        });
        family.batch("concat and slice", &|tape, n| {
            let joined = concat(&[image(tape, "a", n), image(tape, "b", n)])?;
            Ok(vec![slice(joined, n / 2, n)?])
        });
        family.batch("mse and its gradient", &|tape, n| {
            let a = image(tape, "a", n);
            let loss = mse(a, image(tape, "b", n))?;
            Ok([vec![loss], tape.gradient(loss, &[a])?].concat())
        });
    });
}
