use crate::data::Batches;
use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::method::{Clamp, Objective, Role};
use crate::model::{Generator, Noise, NormStatistics};
use crate::nn::{Adam, Sequential};
use crate::random::Stream;
use crate::tape::{self, Tape};
use serde::Serialize;

/// The settings of a [`Latent`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatentConfig {
    /// Number of units of each hidden layer, 1 to 1024.
    pub width: usize,
    /// Number of hidden layers, 1 to 16.
    pub depth: usize,
    /// Number of codes per batch, 2 to 65536.
    pub batch: usize,
    /// Learning rate of Adam, 0 to 1.
    pub learning_rate: f64,
    /// The weight λ of tightness, 0 to 1000000. Those of reconstruction and idempotence are 1.
    pub tight: f32,
    /// Seed of initialisation, data order and noise.
    pub seed: u64,
}

/// An Idempotent Generative Network on the codes of an autoencoder, as the second of two steps of training.
///
/// The network f: ℝᴰ → ℝᴰ is [fully connected](Sequential::fully_connected). It has the [`Objective`] with the mean squared
/// error and the clamp a = 1.5 of noise, for codes x `[N, D]` in place of images and noise z ~ N(0, I) of the same shape.
/// Each dimension of the codes is standardised: its mean is subtracted and the result is divided by its standard deviation.
pub struct Latent {
    descent: Descent<LatentTask>,
    f: Generator,
    standard: Standard,
}

/// The training task, with standardised codes.
struct LatentTask {
    config: LatentConfig,
    network: Sequential,
    codes: Vec<f32>,
    dimensions: usize,
    batches: Batches,
}

/// Mean and standard deviation of each dimension.
struct Standard(Vec<[f32; 2]>);

/// Generated codes `[N, D]`, and the idempotence of f on their noise.
pub struct LatentSamples {
    /// f(z), f(f(z)) and f(f(f(z))), in the scale of the autoencoder.
    pub codes: Vec<Vec<f32>>,
    /// mean |f(f(z)) − f(z)| / mean |f(z) − z|, of standardised codes. It is 0 if f is idempotent on its samples.
    pub idempotence: f64,
}

/// Number of codes of one application.
const APPLIED: usize = 64;

const OBJECTIVE: Objective = Objective { clamp: Clamp::Noise(1.5), ..Objective::PAPER };

impl LatentConfig {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// The first setting out of range, with its value.
    pub fn check(&self) -> Result<(), Error> {
        Error::check_range("width", self.width as f64, 1.0..=1024.0)?;
        Error::check_range("depth", self.depth as f64, 1.0..=16.0)?;
        Error::check_range("batch", self.batch as f64, 2.0..=65_536.0)?;
        Error::check_range("learning_rate", self.learning_rate, 0.0..=1.0)?;
        Error::check_range("tight", self.tight.into(), 0.0..=1e6)
    }

    /// The network f on codes of `dimensions` numbers.
    fn network(&self, dimensions: usize) -> Sequential {
        let hidden = vec![self.width; self.depth];
        Sequential::fully_connected(&[vec![dimensions], hidden, vec![dimensions]].concat())
    }

    /// The number of trainable parameters of f on codes of `dimensions` numbers.
    pub fn parameters(&self, dimensions: usize) -> usize {
        self.network(dimensions).parameters().iter().map(|p| p.shape.elements()).sum()
    }
}

impl Task for LatentTask {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        let step = OBJECTIVE.record(tape, &self.network, self.config.batch, [self.dimensions, 1, 1])?;
        let losses = ["rec", "idem", "tight"].into_iter().zip(step.losses).collect();
        Ok(Recorded { losses, parameters: step.parameters, gradients: step.total })
    }

    fn adam(&self) -> Adam {
        Adam { learning_rate: self.config.learning_rate, ..Adam::default() }
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let LatentConfig { batch, seed, tight, .. } = self.config;
        let d = self.dimensions;
        let x = self.batches.indices(done).iter().flat_map(|&i| &self.codes[i * d..][..d]).copied().collect();
        let z = Noise::Gaussian.draw(seed, Stream::Noise, done, batch * d);
        vec![("x", x), ("z", z), (Objective::WEIGHTS, vec![1.0, 1.0, tight])]
    }
}

impl Latent {
    /// A new training on `codes` of `dimensions` numbers each, at least 1.
    ///
    /// # Errors
    /// If a setting is out of range, the last code is incomplete, the batch size exceeds the number of codes, or the adapter
    /// fails.
    pub fn new(gpu: &Gpu, mut codes: Vec<f32>, dimensions: usize, config: LatentConfig) -> Result<Self, Error> {
        config.check()?;
        Error::check_least("dimensions", dimensions as u64, 1, "")?;
        if !codes.len().is_multiple_of(dimensions) {
            let count = codes.len();
            return Err(Error::Unsuited(format!("{count} numbers are not whole codes of {dimensions} numbers")));
        }
        let batches = Batches::new(codes.len() / dimensions, config.batch, config.seed)?;
        let standard = Standard::fit(&codes, dimensions);
        standard.apply(&mut codes);
        let network = config.network(dimensions);
        let tensors = network.initialise_fully_connected(config.seed);
        let task = LatentTask { config, network: network.clone(), codes, dimensions, batches };
        let descent = Descent::blocking_new(gpu, task, &tensors, 0)?;
        let shape = [dimensions, 1, 1];
        let f = Generator::blocking_new(gpu, descent.store(), &network, shape, APPLIED, NormStatistics::Batch)?;
        Ok(Self { descent, f, standard })
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// Submits one step. Does not wait for the adapter to finish.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.descent.blocking_advance()
    }

    /// Name and value of each unweighted loss of the last step.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub fn losses(&self) -> Result<Vec<(&'static str, f32)>, Error> {
        self.descent.blocking_losses()
    }

    /// Generates `count` codes, determined by `seed`, with one, two and three applications of f.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub fn sample(&self, seed: u64, count: usize) -> Result<LatentSamples, Error> {
        self.descent.blocking_finite_tensors()?;
        let d = self.descent.task().dimensions;
        let z = Noise::Gaussian.draw(seed, Stream::Evaluation, 0, count * d);
        let mut codes = self.f.blocking_repeat(Role::Sample, &z, 3)?;
        let idempotence = moved(&codes[0], &codes[1], d) / moved(&z, &codes[0], d);
        codes.iter_mut().for_each(|codes| self.standard.invert(codes));
        Ok(LatentSamples { codes, idempotence })
    }
}

/// The mean distance between corresponding vectors of `d` numbers.
fn moved(a: &[f32], b: &[f32], d: usize) -> f64 {
    let distance =
        |(a, b): (&[f32], &[f32])| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    a.chunks(d).zip(b.chunks(d)).map(distance).sum::<f64>() / (a.len() / d) as f64
}

impl Standard {
    /// Mean and deviation of each of the dimensions of `codes`. The deviation of a constant dimension counts as 1.
    fn fit(codes: &[f32], dimensions: usize) -> Self {
        let n = (codes.len() / dimensions) as f64;
        let one = |i: usize| {
            let column = || codes.iter().skip(i).step_by(dimensions).map(|&x| f64::from(x));
            let mean = column().sum::<f64>() / n;
            let deviation = (column().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
            [mean as f32, if deviation > 0.0 { deviation as f32 } else { 1.0 }]
        };
        Self((0..dimensions).map(one).collect())
    }

    /// Standardises `codes`.
    fn apply(&self, codes: &mut [f32]) {
        codes.iter_mut().zip(self.0.iter().cycle()).for_each(|(x, [mean, deviation])| *x = (*x - mean) / deviation);
    }

    /// The inverse of [`apply`](Self::apply).
    fn invert(&self, codes: &mut [f32]) {
        codes.iter_mut().zip(self.0.iter().cycle()).for_each(|(x, [mean, deviation])| *x = *x * deviation + mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    fn config() -> LatentConfig {
        LatentConfig { width: 32, depth: 2, batch: 64, learning_rate: 4e-3, tight: 0.2, seed: 1 }
    }

    /// 200 codes of 3 numbers on a circle about (5, 0, 2), with a constant third number.
    fn circle() -> Vec<f32> {
        (0..200).flat_map(|i| [5.0 + (i as f32 * 0.1).sin(), 3.0 * (i as f32 * 0.1).cos(), 2.0]).collect()
    }

    #[test]
    fn standardised_codes_have_mean_0_and_deviation_1_and_are_restored() {
        let standard = Standard::fit(&[1.0, 5.0, 3.0, 5.0], 2);
        let mut codes = vec![1.0, 5.0, 3.0, 6.0];
        standard.apply(&mut codes);
        assert_eq!(codes, [-1.0, 0.0, 1.0, 1.0]);
        standard.invert(&mut codes);
        assert_eq!(codes, [1.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn samples_reach_the_codes_and_stay() {
        let mut latent = Latent::new(gpu(), circle(), 3, config()).unwrap();
        // The mean distance of samples from the ellipse, in standard coordinates, and the idempotence.
        let quality = |latent: &Latent| {
            let LatentSamples { codes, idempotence } = latent.sample(3, 300).unwrap();
            assert_eq!(codes.iter().map(Vec::len).collect::<Vec<_>>(), [900; 3]);
            let off = |code: &[f32]| ((code[0] - 5.0).hypot(code[1] / 3.0) - 1.0).abs() + (code[2] - 2.0).abs();
            (codes[0].chunks(3).map(off).sum::<f32>() / 300.0, idempotence)
        };
        let before = quality(&latent);
        (0..600).for_each(|_| latent.advance().unwrap());
        let after = quality(&latent);
        assert_eq!(latent.step(), 600);
        assert!(after.0 < before.0 / 3.0 && after.1 < 0.25, "{before:?} {after:?}");
    }

    #[test]
    fn the_seed_determines_losses_and_samples() {
        let run = |seed| {
            let mut latent = Latent::new(gpu(), circle(), 3, LatentConfig { seed, ..config() }).unwrap();
            (0..3).for_each(|_| latent.advance().unwrap());
            (latent.losses().unwrap(), latent.sample(1, 5).unwrap().codes)
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn what_cannot_be_trained_is_refused() {
        let refused = |config| Latent::new(gpu(), circle(), 3, config).err().unwrap().to_string();
        assert!(refused(LatentConfig { width: 0, ..config() }).contains("width is 0"));
        assert!(refused(LatentConfig { depth: 17, ..config() }).contains("depth is 17"));
        assert!(refused(LatentConfig { tight: -1.0, ..config() }).contains("tight is -1"));
        assert!(refused(LatentConfig { learning_rate: f64::NAN, ..config() }).contains("NaN"));
        assert!(refused(LatentConfig { batch: 201, ..config() }).contains("between 2 and 200"));
        let parts = Latent::new(gpu(), circle(), 7, config()).err().unwrap().to_string();
        assert_eq!(parts, "600 numbers are not whole codes of 7 numbers");
    }
}
