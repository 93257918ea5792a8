//! Sums over all elements, per sample, and per channel.

mod common;

use common::{Family, Rate, main as run};
use ign::tape::Var;

/// Benchmarks a reduction of several shapes.
fn reduction(family: &mut Family<'_>, name: &str, op: for<'t> fn(Var<'t>) -> Var<'t>) {
    for [c, h] in [[32, 14], [128, 4], [1, 28]] {
        family.batch(&format!("{name} {c}x{h}x{h}"), &|tape, n| vec![op(tape.input("x", [n, c, h, h]))]);
    }
}

fn main() {
    run("reduction", Rate::Bytes, |family| {
        reduction(family, "sum", |x| x.sum());
        reduction(family, "sum per sample", |x| x.sum_per_sample());
        reduction(family, "sum of channels", |x| x.sum_channels());
    });
}
