//! A whole training step: three forward passes, the backward walks, and Adam.

mod common;

use common::{Rate, main as run, testing};
use ign::method::Clamp;
use ign::model::{Network, SyntheticStep};

fn main() {
    run("step", Rate::Flops, |family| {
        // The faces have four times as many pixels as the digits, and a quarter of the batch.
        for (network, share) in [(Network::MNIST, 1), (Network::FACES, 4)] {
            let widths: &[usize] = if testing() { &[2] } else { &[32, 64] };
            for &width in widths {
                for (name, clamp) in [("no clamp", Clamp::None), ("clamp", Clamp::Noise(1.5))] {
                    let subject = format!("{network} width {width}, {name}").to_lowercase();
                    family.batch(&subject, &|tape, batch| {
                        let sizes = [width, (batch / share).max(2)];
                        let step = SyntheticStep::record(tape, network, sizes, clamp);
                        let step = step.expect("the objective can be differentiated");
                        [&step.losses[..], &[step.y, step.w]].concat()
                    });
                }
            }
        }
    });
}
