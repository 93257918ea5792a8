use super::Data;
use crate::descent::{Recorded, Task};
use crate::error::Error;
use crate::method::{Objective, TrainingStep, Weights};
use crate::model::Noise;
use crate::nn::{Adam, Sequential};
use crate::random::Stream;
use crate::tape::{self, Tape};
use std::collections::BTreeMap;

/// The shape of a point as an image `[C, H, W]`.
pub(super) const POINT: [usize; 3] = [2, 1, 1];

/// What is fixed when a toy is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Number of units of each of the three hidden layers, 1 to 1024.
    pub width: usize,
    /// Number of points per batch, 1 to 65536.
    pub batch: usize,
    /// The objective, without features, dropout and degraded points.
    pub objective: Objective,
    /// Seed of the initial weights, the data and the noise.
    pub seed: u64,
}

/// What may change between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The data.
    pub data: Data,
    /// The weights of the three losses, each 0 to 1000000; 0 switches a term off.
    pub weights: Weights,
    /// Learning rate of Adam, 0 to 1.
    pub learning_rate: f64,
    /// Standard deviation of the noise z ~ N(0, noise²·I), 0 to 1000.
    pub noise: f32,
}

impl Config {
    /// The network 2 → width → width → width → 2, as [`Sequential::fully_connected`].
    pub fn layers(&self) -> Sequential {
        let w = self.width;
        Sequential::fully_connected(&[2, w, w, w, 2])
    }

    /// Records the objective for this network on batches of points. The update of the parameters is not part of it.
    ///
    /// # Errors
    /// The first misfit on the tape.
    pub fn record<'t>(&self, tape: &'t Tape) -> tape::Result<TrainingStep<'t>> {
        self.objective.record(tape, &self.layers(), self.batch, POINT)
    }

    /// Initial parameters, as [`Sequential::initialise_fully_connected`].
    pub fn initialise(&self) -> BTreeMap<String, Vec<f32>> {
        self.layers().initialise_fully_connected(self.seed)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        Error::check_range("width", self.width as f64, 1.0..=1024.0)?;
        Error::check_range("batch", self.batch as f64, 1.0..=65_536.0)
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), Error> {
        let Weights { rec, idem, tight } = self.weights;
        for (name, weight) in [("rec", rec), ("idem", idem), ("tight", tight)] {
            Error::check_range(name, weight.into(), 0.0..=1e6)?;
        }
        Error::check_range("learning_rate", self.learning_rate, 0.0..=1.0)?;
        Error::check_range("noise", self.noise.into(), 0.0..=1000.0)?;
        self.data.check()
    }

    /// Draws `count` points z from the random stream given by `seed`, `kind` and `counter`.
    pub(super) fn draw_noise(&self, seed: u64, kind: Stream, counter: u64, count: usize) -> Vec<f32> {
        let z = Noise::Gaussian.draw(seed, kind, counter, 2 * count);
        z.into_iter().map(|z| self.noise * z).collect()
    }
}

/// The training task.
pub(super) struct Learner {
    pub config: Config,
    pub settings: Settings,
}

impl Task for Learner {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        let step = self.config.record(tape)?;
        let [rec, idem, tight] = step.losses;
        let losses = vec![("rec", rec), ("idem", idem), ("tight", tight)];
        Ok(Recorded { losses, parameters: step.parameters, gradients: step.total })
    }

    fn adam(&self) -> Adam {
        Adam { learning_rate: self.settings.learning_rate, ..Adam::default() }
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let Config { batch, seed, .. } = self.config;
        let x = self.settings.data.draw(seed, Stream::Order, done, batch);
        let z = self.settings.draw_noise(seed, Stream::Noise, done, batch);
        let Weights { rec, idem, tight } = self.settings.weights;
        vec![("x", x.into_flattened()), ("z", z), (Objective::WEIGHTS, vec![rec, idem, tight])]
    }
}
