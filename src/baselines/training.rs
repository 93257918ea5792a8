use super::gaussian::Gaussian;
use super::{Kind, Model, NETWORK, SAMPLES};
use crate::compile::{Compiled, blocking_compile};
use crate::data::{Batches, Images};
use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::model::Noise;
use crate::nn::{Adam, Mode, Parameter};
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
    /// Number w of channels of the encoder's first layer, 1 to 1024, as in [`Network::layers`](crate::model::Network::layers).
    pub width: usize,
    /// Number of images per batch, at least 2. A step has [`Kind::image_batches`] batches.
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
        kind.check()?;
        NETWORK.check_width(width)?;
        Error::check_least("batch", batch as u64, 2, ", which batch norm needs")?;
        Error::check_range("learning_rate", learning_rate, 0.0..=1.0)
    }
}

/// The training of a baseline, with samples at any time.
pub struct Baseline {
    descent: Descent<BaselineTask>,
    /// The program of [`Model::decode`].
    decoder: Compiled,
    /// The encoder of [`Model::encoder`] with running averages, from images `x` to `codes`.
    encoder: Option<Compiled>,
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
        let x = tape.input("x", [kind.image_batches() * batch, c, h, w]);
        let z = tape.input("z", [self.model.latent_batches() * batch, self.model.latents(), 1, 1]);
        self.model.record(x, z)
    }

    fn adam(&self) -> Adam {
        self.config.kind.adam(self.config.learning_rate)
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let BaselineConfig { kind, batch, seed, .. } = self.config;
        let count = kind.image_batches() as u64;
        let batches = (done * count..(done + 1) * count).map(|i| self.batches.indices(i).to_vec());
        let x = self.images.gather(batches.flatten());
        let z =
            Noise::Gaussian.draw(seed, Stream::Noise, done, self.model.latent_batches() * batch * self.model.latents());
        let mut inputs = vec![("x", x), ("z", z)];
        inputs.extend(self.model.inputs(&self.config, done));
        inputs
    }
}

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
            let found = images.shape;
            return Err(Error::Unsuited(format!("the baselines need training images of {c}×{h}×{w}, not {found:?}")));
        }
        let batches = Batches::new(images.len(), batch, seed)?;
        let model = kind.model(width);
        let tensors = initial(model.as_ref(), seed);
        let descent = Descent::blocking_new(gpu, BaselineTask { config, model, images, batches }, &tensors, 0)?;

        let (model, store, tape) = (&descent.task().model, descent.store(), Tape::new());
        let y = model.decode(tape.input("z", [SAMPLES, model.latents(), 1, 1]));
        let decoder = blocking_compile(gpu, store, &tape, &[("y", y)])?;
        let encoder = model.encoder().map(|encoder| {
            let tape = Tape::new();
            let codes = encoder.apply(tape.input("x", [SAMPLES, c, h, w]), Mode::Running(""));
            blocking_compile(gpu, store, &tape, &[("codes", codes)])
        });
        let encoder = encoder.transpose()?;
        Ok(Self { descent, decoder, encoder })
    }

    /// The number of training images.
    pub fn images(&self) -> usize {
        self.descent.task().images.len()
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

    /// Generates `count` images `[count, 1, 28, 28]`, determined by `seed`. The latents are standard normal; those of
    /// [`Kind::Rae`] have mean and covariance of the codes of all training images, which are encoded first. Batch norm
    /// uses running averages, so an image does not depend on the other images of its batch.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub fn sample(&self, seed: u64, count: usize) -> Result<Vec<f32>, Error> {
        self.descent.blocking_finite_tensors()?;
        let model = &self.descent.task().model;
        let mut z = Noise::Gaussian.draw(seed, Stream::Evaluation, 0, count * model.latents());
        if let Some(codes) = self.codes()? {
            z = Gaussian::fit(&codes, model.latents()).transform(&z);
        }
        self.decode(&z)
    }

    /// The codes `[N, 64]` of all training images; `None` for another baseline than [`Kind::Rae`].
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn codes(&self) -> Result<Option<Vec<f32>>, Error> {
        let images = &self.descent.task().images;
        self.encoder.as_ref().map(|encoder| encode(encoder, images)).transpose()
    }

    /// The images `[N, 1, 28, 28]` of latents `[N, latents]`.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn decode(&self, latents: &[f32]) -> Result<Vec<f32>, Error> {
        self.descent.task().model.generate(&self.decoder, latents)
    }
}

/// The codes of all `images`, by a program from [`SAMPLES`] images `x` to `codes`.
pub(super) fn encode(encoder: &Compiled, images: &Images) -> Result<Vec<f32>, Error> {
    let mut codes = vec![];
    for start in (0..images.len()).step_by(SAMPLES) {
        let x = images.gather(start..images.len().min(start + SAMPLES));
        codes.extend(encoder.blocking_run_batched("x", &x, [SAMPLES, images.elements()], &["codes"])?.concat());
    }
    Ok(codes)
}

/// The initial tensors of the networks, with Adam's moments.
fn initial(model: &dyn Model, seed: u64) -> BTreeMap<String, Vec<f32>> {
    let mut tensors = BTreeMap::new();
    for (i, network) in model.networks().iter().enumerate() {
        // The random stream of a parameter depends on its index within its network. With the same seed, the networks
        // would have the same values.
        tensors.extend(network.initialise(seed.wrapping_add(i as u64), &[""]));
        let moments = |p: Parameter| Adam::moments(&p.name).map(|name| (name, vec![0.0; p.shape.elements()]));
        tensors.extend(network.parameters().into_iter().flat_map(moments));
    }
    tensors
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::gpu;

    /// 40 white squares of ten sizes.
    pub fn squares() -> Images {
        let square = |i: usize| (0..784).map(move |p| if p / 28 < 4 + 2 * i && p % 28 < 4 + 2 * i { 255 } else { 0 });
        Images { shape: [1, 28, 28], pixels: (0..40).flat_map(|i| square(i % 10)).collect(), labels: None }
    }

    const KINDS: [Kind; 5] = [
        Kind::Dcgan,
        Kind::Vae { variance: 0.1 },
        Kind::WganGp { critic_steps: 2 },
        Kind::Rae,
        Kind::Flow { sampling_steps: 3 },
    ];

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
    fn the_critic_tells_squares_from_generated_images() {
        let (_, losses) = losses(BaselineConfig { learning_rate: 3e-3, ..config(KINDS[2]) }, 40);
        // An untrained critic is almost constant: its gradient is far below 1.
        assert!(losses[0][0].abs() < 0.1 && (losses[0][1] - 1.0).abs() < 0.1, "{losses:?}");
        // For images at distance W the best norm of the gradient is s = 1 + W/(2·10): it makes D differ by s·W, at a
        // penalty of (s − 1)².
        let [distance, penalty] = [0, 1].map(|i| losses[20..].iter().map(|l| l[i]).sum::<f32>() / 20.0);
        let w = 20.0 * penalty.sqrt();
        let ratio = distance / (w + w * w / 20.0);
        assert!(distance > 1.0 && (0.7..1.4).contains(&ratio), "{ratio} {losses:?}");
    }

    #[test]
    fn the_autoencoder_and_the_flow_learn() {
        for (kind, share) in [(KINDS[3], 0.5), (KINDS[4], 0.7)] {
            let (_, losses) = losses(BaselineConfig { learning_rate: 1e-2, ..config(kind) }, 40);
            let total = |losses: &[f32]| losses.iter().sum::<f32>();
            assert!(losses.iter().flatten().all(|&l| l > 0.0), "{kind:?} {losses:?}");
            assert!(total(&losses[39]) < share * total(&losses[0]), "{kind:?} {losses:?}");
        }
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
        assert!(refused(squares(), BaselineConfig { width: usize::MAX, ..vae }).contains("must be from 1 to 1024"));
        assert!(
            refused(squares(), BaselineConfig { kind: Kind::Vae { variance: 0.0 }, ..vae }).contains("variance is 0")
        );
        let of = |kind| refused(squares(), config(kind));
        assert!(of(Kind::WganGp { critic_steps: 0 }).contains("critic_steps is 0"));
        assert!(of(Kind::Flow { sampling_steps: 0 }).contains("sampling_steps is 0"));
        assert!(refused(squares(), BaselineConfig { learning_rate: f64::NAN, ..vae }).contains("NaN"));
    }
}
