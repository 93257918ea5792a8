//! A whole training step: forward, both walks back, Adam.

mod common;

use common::{Rate, main as run, testing};
use ign::ign::{Clamp, Distance, Network, Objective};
use ign::nn::Adam;

fn main() {
    let widths: &[usize] = if testing() { &[2] } else { &[32, 64] };
    run("step", Rate::Flops, |family| {
        for &width in widths {
            for (name, clamp) in [("no clamp", Clamp::None), ("clamp", Clamp::Noise(1.5))] {
                family.batch(&format!("mnist width {width}, {name}"), &|tape, batch| {
                    let network = Network::Mnist;
                    let objective = Objective { distance: Distance::Mse, clamp, dropout: 0.0 };
                    let step = objective.record(tape, &network.layers(width), batch, network.image())?;
                    let adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
                    adam.record(tape, &step.parameters, &step.total)?;
                    Ok([&step.losses[..], &[step.y, step.w]].concat())
                });
            }
        }
    });
}
