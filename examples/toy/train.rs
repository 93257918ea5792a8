//! Trainings with the settings of the command line.

use crate::Arguments;
use ign::gpu::Gpu;
use ign::method::{Clamp, Distance, Objective, Weights};
use ign::toy::{Config, Data, Exact, ExactConfig, Settings, Toy};
use std::error::Error;
use std::time::{Duration, Instant};

/// The clamp a of tightness, a·D(f(z), z) per sample.
const CLAMP: f32 = 1.5;
/// The learning rate at the last step, relative to the first.
const END: f64 = 0.1;
/// The adapter is not more than this number of steps behind.
const BEHIND: u64 = 20;

/// What trainings of one command differ in.
#[derive(Clone)]
pub struct Run {
    pub data: Data,
    /// The weights of rec, idem and tight.
    pub weights: [f64; 3],
    pub seed: u64,
}

impl Run {
    /// The training that the command line describes.
    pub fn of(arguments: &Arguments) -> Self {
        let &Arguments { data, rec, idem, tight, seed, .. } = arguments;
        Self { data: data.into(), weights: [rec, idem, tight], seed }
    }

    /// Trains. `show` is called before each step and after the last, with the number of steps that are done.
    ///
    /// # Errors
    /// If the training diverges, or the adapter or `show` fails.
    pub fn train(
        &self,
        gpu: &Gpu,
        arguments: &Arguments,
        mut show: impl FnMut(&Toy) -> Result<(), Box<dyn Error>>,
    ) -> Result<Toy, Box<dyn Error>> {
        let &Arguments { steps, batch, width, learning_rate, noise, .. } = arguments;
        let objective = Objective { distance: Distance::L1, clamp: Clamp::Noise(CLAMP), ..Objective::default() };
        let config = Config { width, batch, objective, seed: self.seed };
        let [rec, idem, tight] = self.weights.map(|weight| weight as f32);
        let weights = Weights { rec, idem, tight };
        let settings = Settings { data: self.data.clone(), weights, learning_rate, noise: noise as f32 };
        let mut toy = Toy::blocking_new(gpu, config, settings.clone())?;
        let mut printed = Instant::now();
        for done in 0..=steps {
            show(&toy)?;
            if done == steps || printed.elapsed() > Duration::from_secs(10) {
                print(done, steps, &toy.blocking_losses()?);
                printed = Instant::now();
            }
            if done < steps {
                let rate = learning_rate * (1.0 - (1.0 - END) * done as f64 / steps as f64);
                toy.set(Settings { learning_rate: rate, ..settings.clone() })?;
                toy.blocking_advance()?;
            }
            if done.is_multiple_of(BEHIND) {
                gpu.blocking_idle()?;
            }
        }
        Ok(toy)
    }
}

/// Trains an f that is idempotent by construction.
///
/// # Errors
/// If the training diverges, or the adapter fails.
pub fn train_exact(gpu: &Gpu, arguments: &Arguments, data: Data) -> Result<Exact, Box<dyn Error>> {
    /// Number of coupling layers of g.
    const LAYERS: usize = 10;
    let &Arguments { steps, batch, width, learning_rate, seed, .. } = arguments;
    let mut exact = Exact::new(gpu, ExactConfig { data, layers: LAYERS, width, batch, steps, learning_rate, seed })?;
    let mut printed = Instant::now();
    for done in 1..=steps {
        exact.advance()?;
        if done == steps || printed.elapsed() > Duration::from_secs(10) {
            print(done, steps, &exact.losses()?);
            printed = Instant::now();
        }
        if done.is_multiple_of(BEHIND) {
            gpu.blocking_idle()?;
        }
    }
    Ok(exact)
}

fn print(done: u64, steps: u64, losses: &[(&'static str, f32)]) {
    let losses: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
    say!("step {done}/{steps}  {}", losses.join("  "));
}
