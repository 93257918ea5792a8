//! A training step on made-up numbers, for measuring. Each example uses a part of what is here.

#![allow(dead_code)]

use clap::{Args, ValueEnum};
use ign::gpu::{Gpu, GpuError, Store};
use ign::ign::{Clamp, Distance, Network, Objective, PREFIXES};
use ign::native::wait;
use ign::nn::{Adam, Sequential};
use ign::ops::{Compiled, compile};
use ign::tape::Tape;
use std::error::Error;

/// Which step to measure.
#[derive(Args)]
pub struct Settings {
    /// The network.
    #[arg(long, default_value = "mnist")]
    pub network: Choice,
    /// Its width.
    #[arg(long, default_value_t = 32)]
    pub width: usize,
    /// Images of a batch.
    #[arg(long, default_value_t = 64)]
    pub batch: usize,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Choice {
    Mnist,
    Faces,
}

impl Settings {
    pub fn network(&self) -> Network {
        match self.network {
            Choice::Mnist => Network::Mnist,
            Choice::Faces => Network::Faces,
        }
    }

    pub fn layers(&self) -> Sequential {
        self.network().layers(self.width)
    }

    /// Multiply-adds of one forward pass of one image.
    pub fn macs(&self) -> usize {
        self.layers().macs(self.network().image())
    }

    /// Floating point operations of a step: nine forward passes, a multiply-add counting two.
    pub fn flops(&self) -> f64 {
        9.0 * 2.0 * self.macs() as f64 * self.batch as f64
    }
}

const ADAM: Adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };

/// Compiles a step: three applications, three walks back, Adam.
pub fn prepare(gpu: &Gpu, settings: &Settings) -> Result<Compiled, Box<dyn Error>> {
    let (network, layers) = (settings.network(), settings.layers());
    let tape = Tape::new();
    let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0 };
    let step = objective.record(&tape, &layers, settings.batch, network.image())?;
    ADAM.record(&tape, &step.parameters, &step.total)?;
    let mut store = Store::new();
    for (name, contents) in layers.initialise(1, &PREFIXES).into_iter().chain(Adam::initial(&step.parameters)) {
        wait(gpu, store.set(gpu, &name, &contents))?;
    }
    let program = wait(gpu, compile(gpu, &store, &tape, &[("rec", step.losses[0])]))?;
    let elements = step.x.shape().elements();
    let image = |offset: usize| (0..elements).map(|i| (((i * 7919 + offset) % 200) as f32) / 100.0 - 1.0).collect();
    let (x, z): (Vec<f32>, Vec<f32>) = (image(0), image(31));
    program.write("x", &x)?;
    program.write("z", &z)?;
    program.write(Objective::WEIGHTS, &[1.0, 1.0, 0.1])?;
    submit(&program, 1)?;
    wait(gpu, gpu.idle())?;
    Ok(program)
}

/// Submits step `t`, counted from 1.
pub fn submit(program: &Compiled, t: u64) -> Result<(), GpuError> {
    program.write(Adam::RATES, &ADAM.rates(t))?;
    program.run()
}
