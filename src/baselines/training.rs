use super::{Kind, Model};
use crate::data::{Batches, Images};
use crate::gpu::{Gpu, Store};
use crate::ign::Noise;
use crate::native::wait;
use crate::nn::{Adam, Mode};
use crate::ops::{Compiled, compile};
use crate::random::Stream;
use crate::tape::Tape;
use crate::train::TrainError;
use serde::Serialize;

/// How a baseline is trained. Together with the data and the adapter it determines the result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Which one.
    #[serde(flatten)]
    pub kind: Kind,
    /// Channels of the encoder's first layer, as in [`Network::layers`](crate::ign::Network::layers).
    pub width: usize,
    /// Images of a batch.
    pub batch: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Fixes initialisation, order of the data, and noise.
    pub seed: u64,
}

impl Settings {
    /// Checks every setting for its range.
    ///
    /// # Errors
    /// The first setting that is out of it, with its value.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { kind, width, batch, learning_rate, .. } = *self;
        let text = match kind {
            Kind::Vae { variance } if !(1e-6..=1e6).contains(&variance) => {
                format!("--variance is {variance}, and must be from 0.000001 to 1000000")
            }
            _ if width == 0 => "--width must be at least 1".into(),
            _ if batch < 2 => format!("--batch is {batch}, but batch norm needs at least 2 images"),
            _ if !(0.0..=1.0).contains(&learning_rate) => {
                format!("--learning-rate is {learning_rate}, and must be from 0 to 1")
            }
            _ => return Ok(()),
        };
        Err(TrainError::Config(text))
    }
}

/// The training of a baseline, and samples of what it has become.
pub struct Baseline {
    gpu: Gpu,
    settings: Settings,
    latents: usize,
    program: Compiled,
    /// From latents to images, by the running averages.
    decoder: Compiled,
    images: Images,
    batches: Batches,
    step: u64,
}

/// Samples that are made together.
const SAMPLES: usize = 64;

impl Baseline {
    /// A training on `images`, from the beginning.
    ///
    /// # Errors
    /// Where a setting is out of its range, the images are not of the baseline's shape or too few for a batch, or the
    /// adapter fails.
    pub fn new(gpu: &Gpu, images: Images, settings: Settings) -> Result<Self, TrainError> {
        settings.check()?;
        let Settings { kind, width, batch, learning_rate, seed } = settings;
        let [c, h, w] = kind.image();
        if images.shape != [c, h, w] {
            return Err(TrainError::Config(format!("the baselines learn from {c}×{h}×{w} images")));
        }
        let batches = Batches::new(images.len(), batch, seed)?;
        let model = kind.model(width);
        let latents = model.latents();

        let tape = Tape::new();
        let (x, z) = (tape.input("x", [batch, c, h, w]), tape.input("z", [batch, latents, 1, 1]));
        let step = model.record(x, z)?;
        kind.adam(learning_rate).record(&tape, &step.parameters, &step.gradients)?;
        let mut store = initial(gpu, model.as_ref(), seed)?;
        for (name, contents) in Adam::initial(&step.parameters) {
            wait(gpu, store.set(gpu, &name, &contents))?;
        }
        let [first, second] = step.losses;
        let program = wait(gpu, compile(gpu, &store, &tape, &[("first", first), ("second", second)]))?;

        let tape = Tape::new();
        let y = model.networks()[0].apply(tape.input("z", [SAMPLES, latents, 1, 1]), Mode::Running(""))?;
        let decoder = wait(gpu, compile(gpu, &store, &tape, &[("y", y)]))?;
        Ok(Self { gpu: gpu.clone(), settings, latents, program, decoder, images, batches, step: 0 })
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Does one step, and returns its losses in the order of [`Kind::losses`].
    ///
    /// # Errors
    /// Where the adapter fails.
    pub fn advance(&mut self) -> Result<[f32; 2], TrainError> {
        let Settings { kind, batch, learning_rate, seed, .. } = self.settings;
        let x = self.images.gather(self.batches.indices(self.step).iter().copied());
        let z = Noise::Gaussian.draw(seed, Stream::Noise, self.step, batch * self.latents);
        self.program.write("x", &x)?;
        self.program.write("z", &z)?;
        self.program.write(Adam::RATES, &kind.adam(learning_rate).rates(self.step + 1))?;
        self.program.run()?;
        self.step += 1;
        let losses = wait(&self.gpu, self.program.read(&["first", "second"]))?;
        Ok([losses[0][0], losses[1][0]])
    }

    /// `count` images from latents ~ N(0, I), which `seed` fixes. Batch norm uses its running averages, so that an
    /// image does not depend on its neighbours.
    ///
    /// # Errors
    /// Where the adapter fails.
    pub fn sample(&self, seed: u64, count: usize) -> Result<Vec<f32>, TrainError> {
        let z = Noise::Gaussian.draw(seed, Stream::Evaluation, 0, count * self.latents);
        Ok(wait(&self.gpu, self.decoder.run_batched("z", &z, [SAMPLES, self.latents], &["y"]))?.concat())
    }
}

/// The networks before the first step.
fn initial(gpu: &Gpu, model: &dyn Model, seed: u64) -> Result<Store, TrainError> {
    let mut store = Store::new();
    for (i, network) in model.networks().iter().enumerate() {
        let averages: &[&str] = if i == 0 { &[""] } else { &[] };
        // Parameters draw by their number within a network: with one seed the networks would repeat each other's.
        for (name, contents) in network.initialise(seed.wrapping_add(i as u64), averages) {
            wait(gpu, store.set(gpu, &name, &contents))?;
        }
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    /// Squares of ten sizes.
    fn squares() -> Images {
        let square = |i: usize| (0..784).map(move |p| if p / 28 < 4 + 2 * i && p % 28 < 4 + 2 * i { 255 } else { 0 });
        Images { shape: [1, 28, 28], pixels: (0..40).flat_map(|i| square(i % 10)).collect(), labels: None }
    }

    const KINDS: [Kind; 2] = [Kind::Dcgan, Kind::Vae { variance: 0.1 }];

    fn settings(kind: Kind) -> Settings {
        Settings { kind, width: 4, batch: 8, learning_rate: kind.learning_rate(), seed: 1 }
    }

    fn losses(settings: Settings, steps: usize) -> (Baseline, Vec<[f32; 2]>) {
        let mut baseline = Baseline::new(gpu(), squares(), settings).unwrap();
        let losses = (0..steps).map(|_| baseline.advance().unwrap()).collect();
        (baseline, losses)
    }

    #[test]
    fn the_dcgan_plays_and_the_vae_learns() {
        let (_, dcgan) = losses(settings(KINDS[0]), 40);
        // Two classes that nothing is known of yet.
        let two = 2f32.ln();
        assert!((dcgan[0][0] - 2.0 * two).abs() < 0.3 && (dcgan[0][1] - two).abs() < 0.3, "{dcgan:?}");
        // A discriminator of white noise and squares wins at first.
        assert!(dcgan[39][0] < dcgan[0][0] / 2.0, "{dcgan:?}");

        let (_, vae) = losses(settings(KINDS[1]), 40);
        let total = |l: [f32; 2]| l[0] + l[1];
        assert!(vae.iter().all(|l| l[0] > 0.0 && l[1] > 0.0), "{vae:?}");
        assert!(total(vae[39]) < 0.7 * total(vae[0]), "{vae:?}");
    }

    #[test]
    fn the_seed_determines_every_loss_and_every_sample() {
        for kind in KINDS {
            let run = |seed| {
                let (baseline, losses) = losses(Settings { seed, ..settings(kind) }, 3);
                (losses, baseline.sample(seed, 3).unwrap())
            };
            assert_eq!(run(1), run(1));
            let (first, second) = (run(1), run(2));
            assert!(first.0 != second.0 && first.1 != second.1);
        }
    }

    /// An image depends on its own latents and on the running averages, which move with the training.
    #[test]
    fn samples_do_not_depend_on_their_neighbours() {
        for kind in KINDS {
            let (mut baseline, _) = losses(settings(kind), 1);
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
        let refused = |images: Images, settings| Baseline::new(gpu(), images, settings).err().unwrap().to_string();
        let vae = settings(KINDS[1]);
        assert!(refused(Images { shape: [1, 14, 56], ..squares() }, vae).contains("1×28×28"));
        assert!(refused(squares(), Settings { batch: 1, ..vae }).contains("--batch is 1"));
        assert!(refused(squares(), Settings { batch: 41, ..vae }).contains("between 1 and 40"));
        assert!(refused(squares(), Settings { kind: Kind::Vae { variance: 0.0 }, ..vae }).contains("--variance is 0"));
        assert!(refused(squares(), Settings { learning_rate: f64::NAN, ..vae }).contains("NaN"));
    }
}
