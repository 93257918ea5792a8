//! Batch normalisation with batch statistics, forward and backward, for each layer of both networks.

mod common;

use common::networks::parts;
use common::{Rate, main as run};
use ign::nn::Layer;

fn main() {
    run("batch norm", Rate::Bytes, |family| {
        for part in parts(|layer| matches!(layer, Layer::BatchNorm { .. })) {
            family.batch(&format!("{}/output", part.name), &|tape, n| vec![part.record(tape, n)[0]]);
            family.batch(&format!("{}/gradients", part.name), &|tape, n| part.vjp(tape, n, [true, true]));
        }
    });
}
