//! A training step on synthetic data, for measurements. Each example uses only a part of this module.

#![allow(dead_code)]

use crate::options::{BATCH, WIDTH, whole};
use clap::Args;
use ign::gpu::{Gpu, GpuError};
use ign::model::{Network, SyntheticStep, named};
use ign::nn::Sequential;
use std::error::Error;
use std::time::Instant;

/// Settings of the measured step.
#[derive(Args)]
pub struct Settings {
    /// Network: mnist, faces, or channels and side, as 3x32.
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

/// Opens an adapter, if the settings can be measured on one.
pub fn open(settings: &Settings, adapter: Option<&str>) -> Result<Gpu, Box<dyn Error>> {
    settings.network.check_width(settings.width)?;
    Ok(ign::native::open(adapter)?)
}

/// Compiles a step and runs it once.
pub fn prepare(gpu: &Gpu, settings: &Settings) -> Result<SyntheticStep, Box<dyn Error>> {
    let step = gpu.wait(SyntheticStep::new(gpu, settings.network, [settings.width, settings.batch]))?;
    step.run(1)?;
    gpu.blocking_idle()?;
    Ok(step)
}

/// Times of training steps, in seconds.
pub struct Times {
    pub median: f64,
    pub best: f64,
    /// Median time of the host.
    pub host: f64,
}

/// Runs `steps` steps after the first, and times each.
pub fn times(gpu: &Gpu, step: &SyntheticStep, steps: usize) -> Result<Times, GpuError> {
    let (mut times, mut hosts) = (vec![], vec![]);
    for t in 0..steps {
        let start = Instant::now();
        step.run(t as u64 + 2)?;
        hosts.push(start.elapsed().as_secs_f64());
        gpu.blocking_idle()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    hosts.sort_by(f64::total_cmp);
    Ok(Times { median: times[steps / 2], best: times[0], host: hosts[steps / 2] })
}
