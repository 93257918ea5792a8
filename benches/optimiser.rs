//! Adam on the parameters of the network for 28×28 images.

mod common;

use common::{Rate, main as run, testing};
use ign::model::Network;
use ign::nn::Adam;

fn main() {
    let widths: &[usize] = if testing() { &[4] } else { &[32, 64] };
    run("optimiser", Rate::Bytes, |family| {
        for &width in widths {
            family.batch(&format!("adam width {width}"), &|tape, _| {
                let parameters = Network::MNIST.layers(width).on(tape);
                let gradients: Vec<_> =
                    parameters.iter().map(|p| tape.input(&format!("g.{}", p.name()), p.shape())).collect();
                let adam = Adam::default();
                adam.record(tape, &parameters, &gradients);
                vec![]
            });
        }
    });
}
