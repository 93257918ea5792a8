//! The objective on points of the plane: f: ℝ² → ℝ² is small enough to be looked at while it learns. The arrows f(x) − x
//! show where each point is pulled, and the points that f leaves where they are, are the set that it has learned.

#[cfg(not(target_arch = "wasm32"))]
mod blocking;
mod shape;

pub use shape::Shape;

use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::method::{Clamp, Distance, Objective, PREFIXES, Role, Weights};
use crate::model::{Generator, Noise, NormStatistics};
use crate::nn::{Adam, Layer, Sequential};
use crate::random::Stream;
use crate::tape::{self, Tape};
use std::collections::BTreeMap;

/// A point as an image of two channels.
const POINT: [usize; 3] = [2, 1, 1];
/// Number of points that [`Toy::apply`] computes at a time.
const APPLIED: usize = 1024;

/// Settings that may change between steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The set of points to be learned.
    pub shape: Shape,
    /// The weights of the three losses. A weight of 0 switches a loss off.
    pub weights: Weights,
    /// The learning rate of Adam.
    pub learning_rate: f64,
    /// The standard deviation of the noise z.
    pub noise: f32,
}

impl Default for Settings {
    fn default() -> Self {
        let weights = Weights { rec: 10.0, idem: 10.0, tight: 1.0 };
        Self { shape: Shape::Moons, weights, learning_rate: 2e-3, noise: 0.7 }
    }
}

/// A training on points of the plane.
pub struct Toy {
    descent: Descent<Plane>,
    f: Generator,
}

/// The training task.
struct Plane {
    settings: Settings,
    width: usize,
    batch: usize,
    seed: u64,
}

/// The network: four fully connected layers, with leaky ReLUs between them.
fn network(width: usize) -> Sequential {
    let linear = |inputs, outputs| Layer::Conv2d { inputs, outputs, kernel: 1, stride: 1, padding: 0 };
    let mut layers = vec![];
    for (inputs, outputs) in [(2, width), (width, width), (width, width)] {
        layers.extend([linear(inputs, outputs), Layer::LeakyRelu(0.1)]);
    }
    layers.push(linear(width, 2));
    Sequential::new(layers)
}

/// Initial parameters that keep the variance from layer to layer (He et al. 2015).
fn initial(network: &Sequential, seed: u64) -> BTreeMap<String, Vec<f32>> {
    let mut tensors = network.initialise(seed, &PREFIXES);
    for parameter in network.parameters() {
        let Some(values) = tensors.get_mut(&parameter.name) else { continue };
        let variance = values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32;
        if variance > 0.0 {
            let scale = (2.0 / parameter.shape.per_sample() as f32 / variance).sqrt();
            values.iter_mut().for_each(|x| *x *= scale);
        }
    }
    tensors
}

impl Task for Plane {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        let objective = Objective { distance: Distance::Mse, clamp: Clamp::Noise(1.5), dropout: 0.0 };
        let step = objective.record(tape, &network(self.width), self.batch, POINT)?;
        let [rec, idem, tight] = step.losses;
        let losses = vec![("rec", rec), ("idem", idem), ("tight", tight)];
        Ok(Recorded { losses, parameters: step.parameters, gradients: step.total })
    }

    fn adam(&self) -> Adam {
        Adam { beta1: 0.5, beta2: 0.99, ..Adam::default() }
    }

    fn learning_rate(&self, _done: u64) -> f64 {
        self.settings.learning_rate
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let Settings { shape, weights: Weights { rec, idem, tight }, noise, .. } = &self.settings;
        let x = shape.draw(self.seed, done, self.batch);
        let z = Noise::Gaussian.draw(self.seed, Stream::Noise, done, 2 * self.batch);
        let z = z.iter().map(|z| z * noise).collect();
        vec![("x", x), ("z", z), (Objective::WEIGHTS, vec![*rec, *idem, *tight])]
    }
}

impl Toy {
    /// A new training of a network of this width, on batches of this size.
    ///
    /// # Errors
    /// If the batch is empty or the width 0, or the adapter fails.
    pub async fn new(gpu: &Gpu, settings: Settings, [width, batch]: [usize; 2], seed: u64) -> Result<Self, Error> {
        let tensors = initial(&network(width), seed);
        let descent = Descent::new(gpu, Plane { settings, width, batch, seed }, &tensors, 0).await?;
        let layers = network(width);
        let f = Generator::new(gpu, descent.store(), &layers, POINT, APPLIED, NormStatistics::Batch).await?;
        Ok(Self { descent, f })
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.descent.task().settings
    }

    /// The settings, to be changed: for the step after the next one.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.descent.task_mut().settings
    }

    /// Takes `count` steps. Does not wait for the adapter.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn advance(&mut self, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            self.descent.advance().await?;
        }
        Ok(())
    }

    /// The losses rec, idem and tight of the last step.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub async fn losses(&self) -> Result<[f32; 3], Error> {
        let losses = self.descent.losses().await?;
        Ok([0, 1, 2].map(|i| losses[i].1))
    }

    /// Noise for `count` points, each two numbers.
    pub fn noise(&self, counter: u64, count: usize) -> Vec<f32> {
        let Plane { settings, seed, .. } = self.descent.task();
        let z = Noise::Gaussian.draw(*seed, Stream::Preview, counter, 2 * count);
        z.iter().map(|z| z * settings.noise).collect()
    }

    /// f, applied `times` times to points: f(points), f(f(points)), …
    ///
    /// # Errors
    /// If the number of values is odd, or the adapter fails.
    pub async fn apply(&self, points: &[f32], times: usize) -> Result<Vec<Vec<f32>>, Error> {
        self.f.repeat(Role::Noise, points, times).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    /// The mean distance of points to the nearest point of the set.
    fn distance(points: &[f32], shape: &Shape) -> f32 {
        let set = shape.draw(9, 0, 500);
        let nearest = |p: &[f32]| set.chunks(2).map(|q| (p[0] - q[0]).hypot(p[1] - q[1])).fold(f32::INFINITY, f32::min);
        points.chunks(2).map(nearest).sum::<f32>() / (points.len() / 2) as f32
    }

    fn mean_move(from: &[f32], to: &[f32]) -> f32 {
        let moved = from.chunks(2).zip(to.chunks(2)).map(|(p, q)| (p[0] - q[0]).hypot(p[1] - q[1]));
        moved.sum::<f32>() / (from.len() / 2) as f32
    }

    #[test]
    fn samples_come_to_lie_on_the_set_and_stay_there() {
        let mut toy = Toy::blocking_new(gpu(), Settings::default(), [32, 256], 1).unwrap();
        let z = toy.noise(0, 200);
        let before = distance(&toy.blocking_apply(&z, 1).unwrap()[0], &Shape::Moons);
        toy.blocking_advance(600).unwrap();
        toy.blocking_losses().unwrap();
        let f = toy.blocking_apply(&z, 2).unwrap();
        let after = distance(&f[0], &Shape::Moons);
        assert!(after < 0.1 && after < before / 2.0, "{before} {after}");
        let (first, second) = (mean_move(&z, &f[0]), mean_move(&f[0], &f[1]));
        assert!(second < first / 4.0, "{first} {second}");
    }

    #[test]
    fn settings_change_while_it_learns() {
        let mut toy = Toy::blocking_new(gpu(), Settings::default(), [8, 16], 1).unwrap();
        let mut same = Toy::blocking_new(gpu(), Settings::default(), [8, 16], 1).unwrap();
        toy.blocking_advance(3).unwrap();
        same.blocking_advance(3).unwrap();
        assert_eq!(toy.blocking_losses().unwrap(), same.blocking_losses().unwrap());
        toy.settings_mut().shape = Shape::Points(vec![[0.9, 0.9]]);
        toy.blocking_advance(2).unwrap();
        same.blocking_advance(2).unwrap();
        assert_ne!(toy.blocking_losses().unwrap()[0], same.blocking_losses().unwrap()[0]);
        assert_eq!(toy.step(), 5);
    }
}
