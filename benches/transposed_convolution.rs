//! Transposed convolution and its gradients, for each layer of both networks.

mod common;

use common::networks::parts;
use common::{Rate, main as run};
use ign::nn::Layer;

fn main() {
    run("transposed convolution", Rate::Flops, |family| {
        for part in parts(|layer| matches!(layer, Layer::ConvTranspose2d { .. })) {
            family.samples(&format!("{}/output", part.name), &|tape, n| vec![part.record(tape, n)[0]]);
            family.samples(&format!("{}/input gradient", part.name), &|tape, n| part.vjp(tape, n, [true, false]));
            family.samples(&format!("{}/weight gradient", part.name), &|tape, n| part.vjp(tape, n, [false, true]));
        }
    });
}
