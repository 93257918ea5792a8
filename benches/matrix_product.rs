//! Matrix products: square ones, and a linear layer with its gradients.

mod common;

use common::{Rate, main as run, testing};
use ign::ops::{linear, matmul};
use ign::tape::{Result, Tape, Var};

fn layer(tape: &Tape, batch: usize) -> Result<[Var<'_>; 3]> {
    let (x, w) = (tape.input("x", [batch, 1024]), tape.input("w", [128, 1024]));
    Ok([linear(x, w, Some(tape.input("b", [128])))?, x, w])
}

fn main() {
    let sizes: &[usize] = if testing() { &[33, 128] } else { &[128, 512, 1024] };
    run("matrix product", Rate::Flops, |family| {
        for &n in sizes {
            family.samples(&format!("{n}x{n}x{n}"), &|tape, _| {
                Ok(vec![matmul(tape.input("a", [n, n]), tape.input("b", [n, n]))?])
            });
        }
        family.samples("linear 1024 to 128/output", &|tape, batch| Ok(vec![layer(tape, batch)?[0]]));
        family.samples("linear 1024 to 128/gradients", &|tape, batch| {
            let [y, x, w] = layer(tape, batch)?;
            tape.vjp(y, tape.input("g", y.shape()), &[x, w])
        });
    });
}
