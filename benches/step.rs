//! A whole training step: three forward passes, the backward walks, and Adam.

mod common;

use common::{Rate, main as run, testing};
use ign::method::{Clamp, Distance, Objective};
use ign::model::Network;
use ign::nn::Adam;

fn main() {
    let widths: &[usize] = if testing() { &[2] } else { &[32, 64] };
    run("step", Rate::Flops, |family| {
        for &width in widths {
            for (name, clamp) in [("no clamp", Clamp::None), ("clamp", Clamp::Noise(1.5))] {
                family.batch(&format!("mnist width {width}, {name}"), &|tape, batch| {
                    let network = Network::Mnist;
                    let objective = Objective { distance: Distance::Mse, clamp, dropout: 0.0 };
                    let step = objective.record(tape, &network.layers(width), batch, network.image());
                    let step = step.expect("the objective can be differentiated");
                    let adam = Adam::default();
                    adam.record(tape, &step.parameters, &step.total);
                    [&step.losses[..], &[step.y, step.w]].concat()
                });
            }
        }
    });
}
