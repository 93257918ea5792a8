//! Sums over everything, over all but the batch, and over all but the channels.

mod common;

use common::{Family, Rate, main as run};
use ign::ops::{sum, sum_channels, sum_per_sample};
use ign::tape::{Result, Var};

fn reduction(family: &mut Family<'_>, name: &str, op: for<'t> fn(Var<'t>) -> Result<Var<'t>>) {
    for [c, h] in [[32, 14], [128, 4], [1, 28]] {
        family.batch(&format!("{name} {c}x{h}x{h}"), &|tape, n| Ok(vec![op(tape.input("x", [n, c, h, h]))?]));
    }
}

fn main() {
    run("reduction", Rate::Bytes, |family| {
        reduction(family, "sum", sum);
        reduction(family, "sum per sample", sum_per_sample);
        reduction(family, "sum of channels", sum_channels);
    });
}
