//! Products of square matrices, and a linear layer with its gradients.

mod common;

use common::{Rate, main as run, testing};
use ign::tape::{Tape, Var};

/// A linear layer: its output, x and the weight.
fn layer(tape: &Tape, batch: usize) -> [Var<'_>; 3] {
    let (x, w) = (tape.input("x", [batch, 1024]), tape.input("w", [128, 1024]));
    [x.linear(w, Some(tape.input("b", [128]))), x, w]
}

fn main() {
    let sizes: &[usize] = if testing() { &[33, 128] } else { &[128, 512, 1024] };
    run("matrix product", Rate::Flops, |family| {
        for &n in sizes {
            family.samples(&format!("{n}x{n}x{n}"), &|tape, _| {
                vec![tape.input("a", [n, n]).matmul(tape.input("b", [n, n]))]
            });
        }
        family.samples("linear 1024 to 128/output", &|tape, batch| vec![layer(tape, batch)[0]]);
        family.samples("linear 1024 to 128/gradients", &|tape, batch| {
            let [y, x, w] = layer(tape, batch);
            tape.vjp(y, tape.input("g", y.shape()), &[x, w]).expect("layers can be differentiated")
        });
    });
}
