use super::{Kind, Model};
use crate::compile::{Compiled, blocking_compile};
use crate::data::{Batches, Images};
use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::model::Noise;
use crate::nn::{Adam, Mode};
use crate::random::Stream;
use crate::tape::{self, Tape};
use serde::Serialize;
use std::collections::BTreeMap;

/// The settings of a baseline's training. Settings, data, adapter and number of steps determine the result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaselineConfig {
    /// The baseline.
    #[serde(flatten)]
    pub kind: Kind,
    /// Number w of channels of the encoder's first layer, as in [`Network::layers`](crate::model::Network::layers).
    pub width: usize,
    /// Number of images per batch, at least 2.
    pub batch: usize,
    /// Learning rate of Adam, 0 to 1.
    pub learning_rate: f64,
    /// Seed of initialisation, data order and noise.
    pub seed: u64,
}

impl BaselineConfig {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// The first setting out of range, with its value.
    pub fn check(&self) -> Result<(), Error> {
        let Self { kind, width, batch, learning_rate, .. } = *self;
        if let Kind::Vae { variance } = kind {
            Error::check_range("variance", variance, 1e-6..=1e6)?;
        }
        Error::check_least("width", width as u64, 1, "")?;
        Error::check_least("batch", batch as u64, 2, ", which batch norm needs")?;
        Error::check_range("learning_rate", learning_rate, 0.0..=1.0)
    }
}

/// The training of a baseline, with samples at any time.
pub struct Baseline {
    descent: Descent<BaselineTask>,
    /// The network from latents to images, with running averages.
    decoder: Compiled,
}

/// The training task: the model of a baseline with settings and data.
struct BaselineTask {
    config: BaselineConfig,
    model: Box<dyn Model>,
    images: Images,
    batches: Batches,
}

impl Task for BaselineTask {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        let BaselineConfig { kind, batch, .. } = self.config;
        let [c, h, w] = kind.image();
        let (x, z) = (tape.input("x", [batch, c, h, w]), tape.input("z", [batch, self.model.latents(), 1, 1]));
        self.model.record(x, z)
    }

    fn adam(&self) -> Adam {
        self.config.kind.adam(self.config.learning_rate)
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let BaselineConfig { batch, seed, .. } = self.config;
        let x = self.images.gather(self.batches.indices(done).iter().copied());
        let z = Noise::Gaussian.draw(seed, Stream::Noise, done, batch * self.model.latents());
        vec![("x", x), ("z", z)]
    }
}

/// Number of samples per batch.
const SAMPLES: usize = 64;

impl Baseline {
    /// A new training on `images`.
    ///
    /// # Errors
    /// If a setting is out of range, the images do not have the baseline's shape, the batch size exceeds the number of
    /// images, or the adapter fails.
    pub fn new(gpu: &Gpu, images: Images, config: BaselineConfig) -> Result<Self, Error> {
        config.check()?;
        let BaselineConfig { kind, width, batch, seed, .. } = config;
        let [c, h, w] = kind.image();
        if images.shape != [c, h, w] {
            return Err(Error::Unsuited(format!("the baselines need {c}×{h}×{w} training images")));
        }
        let batches = Batches::new(images.len(), batch, seed)?;
        let model = kind.model(width);
        let tensors = initial(model.as_ref(), seed);
        let descent = Descent::blocking_new(gpu, BaselineTask { config, model, images, batches }, &tensors, 0)?;

        let tape = Tape::new();
        let model = &descent.task().model;
        let z = tape.input("z", [SAMPLES, model.latents(), 1, 1]);
        let y = model.networks()[0].apply(z, Mode::Running(""));
        let decoder = blocking_compile(gpu, descent.store(), &tape, &[("y", y)])?;
        Ok(Self { descent, decoder })
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// Runs one step and returns name and value of each loss.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub fn advance(&mut self) -> Result<Vec<(&'static str, f32)>, Error> {
        self.descent.blocking_advance()?;
        self.descent.blocking_losses()
    }

    /// Generates `count` images `[count, 1, 28, 28]` from latents ~ N(0, I), determined by `seed`. Batch norm uses
    /// running averages, so an image does not depend on the other images of its batch.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub fn sample(&self, seed: u64, count: usize) -> Result<Vec<f32>, Error> {
        self.descent.blocking_finite_tensors()?;
        let latents = self.descent.task().model.latents();
        let z = Noise::Gaussian.draw(seed, Stream::Evaluation, 0, count * latents);
        Ok(self.decoder.blocking_run_batched("z", &z, [SAMPLES, latents], &["y"])?.concat())
    }
}

/// The initial tensors of the networks.
fn initial(model: &dyn Model, seed: u64) -> BTreeMap<String, Vec<f32>> {
    let mut tensors = BTreeMap::new();
    for (i, network) in model.networks().iter().enumerate() {
        let averages: &[&str] = if i == 0 { &[""] } else { &[] };
        // The random stream of a parameter depends on its index within its network. With the same seed, the networks
        // would have the same values.
        tensors.extend(network.initialise(seed.wrapping_add(i as u64), averages));
    }
    tensors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    /// 40 white squares of ten sizes.
    fn squares() -> Images {
        let square = |i: usize| (0..784).map(move |p| if p / 28 < 4 + 2 * i && p % 28 < 4 + 2 * i { 255 } else { 0 });
        Images { shape: [1, 28, 28], pixels: (0..40).flat_map(|i| square(i % 10)).collect(), labels: None }
    }

    const KINDS: [Kind; 2] = [Kind::Dcgan, Kind::Vae { variance: 0.1 }];

    fn config(kind: Kind) -> BaselineConfig {
        BaselineConfig { kind, width: 4, batch: 8, learning_rate: kind.learning_rate(), seed: 1 }
    }

    fn losses(config: BaselineConfig, steps: usize) -> (Baseline, Vec<Vec<f32>>) {
        let mut baseline = Baseline::new(gpu(), squares(), config).unwrap();
        let losses = (0..steps).map(|_| baseline.advance().unwrap().iter().map(|(_, loss)| *loss).collect()).collect();
        (baseline, losses)
    }

    #[test]
    fn the_dcgan_plays_and_the_vae_learns() {
        let (_, dcgan) = losses(config(KINDS[0]), 40);
        // An untrained discriminator gives both classes a probability of ½.
        let two = 2f32.ln();
        assert!((dcgan[0][0] - 2.0 * two).abs() < 0.3 && (dcgan[0][1] - two).abs() < 0.3, "{dcgan:?}");
        // The discriminator wins at first: generated images are easy to tell from squares.
        assert!(dcgan[39][0] < dcgan[0][0] / 2.0, "{dcgan:?}");

        let (_, vae) = losses(config(KINDS[1]), 40);
        let total = |l: &[f32]| l[0] + l[1];
        assert!(vae.iter().all(|l| l[0] > 0.0 && l[1] > 0.0), "{vae:?}");
        assert!(total(&vae[39]) < 0.7 * total(&vae[0]), "{vae:?}");
    }

    #[test]
    fn the_seed_determines_every_loss_and_every_sample() {
        for kind in KINDS {
            let run = |seed| {
                let (baseline, losses) = losses(BaselineConfig { seed, ..config(kind) }, 3);
                (losses, baseline.sample(seed, 3).unwrap())
            };
            assert_eq!(run(1), run(1));
            let (first, second) = (run(1), run(2));
            assert!(first.0 != second.0 && first.1 != second.1);
        }
    }

    /// An image depends on its own latents only, until a training step changes the network.
    #[test]
    fn samples_do_not_depend_on_their_neighbours() {
        for kind in KINDS {
            let (mut baseline, _) = losses(config(kind), 1);
            let many = baseline.sample(5, SAMPLES + 3).unwrap();
            assert_eq!(many.len(), (SAMPLES + 3) * 784);
            assert_eq!(baseline.sample(5, 2).unwrap(), many[..2 * 784]);
            assert!(many.iter().all(|x| x.abs() <= 1.0));
            baseline.advance().unwrap();
            assert_ne!(baseline.sample(5, 2).unwrap(), many[..2 * 784]);
        }
    }

    #[test]
    fn what_cannot_be_trained_is_refused() {
        let refused = |images: Images, config| Baseline::new(gpu(), images, config).err().unwrap().to_string();
        let vae = config(KINDS[1]);
        assert!(refused(Images { shape: [1, 14, 56], ..squares() }, vae).contains("1×28×28"));
        assert!(refused(squares(), BaselineConfig { batch: 1, ..vae }).contains("batch is 1"));
        assert!(refused(squares(), BaselineConfig { batch: 41, ..vae }).contains("between 2 and 40"));
        assert!(
            refused(squares(), BaselineConfig { kind: Kind::Vae { variance: 0.0 }, ..vae }).contains("variance is 0")
        );
        assert!(refused(squares(), BaselineConfig { learning_rate: f64::NAN, ..vae }).contains("NaN"));
    }
}
