//! A training step on synthetic data, for measurements. Each example uses only a part of this module.

#![allow(dead_code)]

use crate::options::{BATCH, WIDTH, whole};
use clap::Args;
use ign::compile::{Compiled, blocking_compile};
use ign::gpu::{Gpu, GpuError, Store};
use ign::method::{Clamp, Distance, Objective, PREFIXES};
use ign::model::{Network, named};
use ign::nn::{Adam, Sequential};
use ign::tape::Tape;
use std::error::Error;
use std::time::Instant;

/// Settings of the measured step.
#[derive(Args)]
pub struct Settings {
    /// Network: mnist or faces.
    #[arg(long, value_parser = named::<Network>, default_value = "mnist")]
    pub network: Network,
    /// Width of the network. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(WIDTH), default_value_t = 32)]
    pub width: usize,
    /// Number of images per batch. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH), default_value_t = 64)]
    pub batch: usize,
}

impl Settings {
    pub fn layers(&self) -> Sequential {
        self.network.layers(self.width)
    }

    /// Number of multiply-adds per forward pass and image.
    pub fn macs(&self) -> usize {
        self.network.macs(self.width)
    }

    /// Number of floating-point operations per step.
    pub fn flops(&self) -> f64 {
        self.network.step_flops(self.width, self.batch)
    }
}

const ADAM: Adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };

/// Opens an adapter, if the settings can be measured on one.
pub fn open(settings: &Settings, adapter: Option<&str>) -> Result<Gpu, Box<dyn Error>> {
    settings.network.check_width(settings.width)?;
    Ok(ign::native::open(adapter)?)
}

/// Compiles a step (three applications, their backward passes, Adam) and runs it once.
pub fn prepare(gpu: &Gpu, settings: &Settings) -> Result<Compiled, Box<dyn Error>> {
    let (network, layers) = (settings.network, settings.layers());
    let tape = Tape::new();
    let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0 };
    let step = objective.record(&tape, &layers, settings.batch, network.image())?;
    ADAM.record(&tape, &step.parameters, &step.total);
    let mut store = Store::new();
    for (name, contents) in layers.initialise(1, &PREFIXES).into_iter().chain(Adam::initial(&step.parameters)) {
        store.blocking_set(gpu, &name, &contents)?;
    }
    let program = blocking_compile(gpu, &store, &tape, &[("rec", step.losses[0])])?;
    let elements = step.x.shape().elements();
    let image = |offset: usize| (0..elements).map(|i| (((i * 7919 + offset) % 200) as f32) / 100.0 - 1.0).collect();
    let (x, z): (Vec<f32>, Vec<f32>) = (image(0), image(31));
    program.write("x", &x)?;
    program.write("z", &z)?;
    program.write(Objective::WEIGHTS, &[1.0, 1.0, 0.1])?;
    submit(&program, 1)?;
    gpu.blocking_idle()?;
    Ok(program)
}

/// Times of training steps, in seconds.
pub struct Times {
    pub median: f64,
    pub best: f64,
    /// Median time of the host.
    pub host: f64,
}

/// Runs `steps` steps after the first, and times each.
pub fn times(gpu: &Gpu, program: &Compiled, steps: usize) -> Result<Times, GpuError> {
    let (mut times, mut hosts) = (vec![], vec![]);
    for t in 0..steps {
        let start = Instant::now();
        submit(program, t as u64 + 2)?;
        hosts.push(start.elapsed().as_secs_f64());
        gpu.blocking_idle()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    hosts.sort_by(f64::total_cmp);
    Ok(Times { median: times[steps / 2], best: times[0], host: hosts[steps / 2] })
}

/// Submits step `t`, counted from 1.
fn submit(program: &Compiled, t: u64) -> Result<(), GpuError> {
    program.write(Adam::RATES, &ADAM.rates(t))?;
    program.run()
}
