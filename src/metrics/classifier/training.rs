use super::network::{initial, networks, record};
use super::{Classifier, save};
use crate::data::{Batches, Images};
use crate::gpu::{Gpu, Store};
use crate::metrics::MetricsError;
use crate::native::wait;
use crate::nn::{Adam, Mode};
use crate::ops::{Compiled, compile, softmax_cross_entropy};
use crate::random::{Stream, stream};
use crate::tape::Tape;
use rand::RngExt;
use std::f64::consts::PI;
use std::path::Path;

/// How a classifier is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Images of a batch.
    pub batch: usize,
    /// Steps to train.
    pub steps: u64,
    /// Adam's step size at the beginning; it falls to zero along half a cosine (Loshchilov & Hutter 2016).
    pub learning_rate: f64,
    /// Images are moved by up to so many pixels each way.
    pub shift: usize,
    /// Fixes initialisation, order of the data, and shifts.
    pub seed: u64,
}

/// The training of a classifier: cross-entropy by Adam.
pub struct Training {
    gpu: Gpu,
    settings: Settings,
    store: Store,
    program: Compiled,
    images: Images,
    labels: Vec<u8>,
    batches: Batches,
    step: u64,
}

impl Training {
    /// A training on `images`, from the beginning.
    ///
    /// # Errors
    /// Where the images are not of the classifier's shape or have no labels below 10, a batch cannot be filled, or the
    /// adapter fails.
    pub fn new(gpu: &Gpu, images: Images, settings: Settings) -> Result<Self, MetricsError> {
        let labels =
            images.labels.clone().filter(|labels| labels.iter().all(|&l| usize::from(l) < Classifier::CLASSES));
        let labels = labels.filter(|_| images.shape == Classifier::IMAGE);
        let unsuited = "the classifier learns from 1×28×28 images with labels from 0 to 9";
        let labels = labels.ok_or_else(|| MetricsError::Unsuited(unsuited.into()))?;
        let batches = Batches::new(images.len(), settings.batch, settings.seed)?;

        let tape = Tape::new();
        let [c, h, w] = Classifier::IMAGE;
        let x = tape.input("x", [settings.batch, c, h, w]);
        let [_, logits] = record(x, Mode::Train { prefixes: &[""], dropout: None })?;
        let loss = softmax_cross_entropy(logits, tape.input("targets", [settings.batch, Classifier::CLASSES]))?;
        let parameters = networks().iter().map(|n| n.on(&tape)).collect::<Result<Vec<_>, _>>()?.concat();
        adam(0.0).record(&tape, &parameters, &tape.gradient(loss, &parameters)?)?;
        let mut store = Store::new();
        for (name, contents) in initial(settings.seed).into_iter().chain(Adam::initial(&parameters)) {
            wait(gpu, store.set(gpu, &name, &contents))?;
        }
        let program = wait(gpu, compile(gpu, &store, &tape, &[("loss", loss)]))?;
        Ok(Self { gpu: gpu.clone(), settings, store, program, images, labels, batches, step: 0 })
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Steps of an epoch.
    pub fn per_epoch(&self) -> u64 {
        self.batches.per_epoch()
    }

    /// Does one step, and returns its loss.
    ///
    /// # Errors
    /// Where the adapter fails.
    pub fn advance(&mut self) -> Result<f32, MetricsError> {
        let mut rng = stream(self.settings.seed, Stream::Augmentation, self.step);
        let (mut x, mut targets) = (vec![], vec![]);
        for &i in self.batches.indices(self.step) {
            let reach = self.settings.shift as i64;
            let mut by = || rng.random_range(-reach..=reach) as isize;
            x.extend(shifted(&self.images.gather([i]), Classifier::IMAGE, by(), by()));
            targets.extend((0..Classifier::CLASSES).map(|k| f32::from(k == usize::from(self.labels[i]))));
        }
        let done = self.step as f64 / self.settings.steps.max(1) as f64;
        let rate = self.settings.learning_rate * (1.0 + (PI * done.min(1.0)).cos()) / 2.0;
        self.program.write("x", &x)?;
        self.program.write("targets", &targets)?;
        self.program.write(Adam::RATES, &adam(rate).rates(self.step + 1))?;
        self.program.run()?;
        self.step += 1;
        Ok(wait(&self.gpu, self.program.read(&["loss"]))?[0][0])
    }

    /// The classifier as it is; it goes on learning with this training.
    ///
    /// # Errors
    /// Where the adapter fails.
    pub fn classifier(&self) -> Result<Classifier, MetricsError> {
        Classifier::new(&self.gpu, &self.store)
    }

    /// Writes the classifier, completely or not at all.
    ///
    /// # Errors
    /// Where the adapter or the system fails.
    pub fn save(&self, path: &Path) -> Result<(), MetricsError> {
        save(&self.gpu, &self.store, path)
    }
}

fn adam(learning_rate: f64) -> Adam {
    Adam { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
}

/// An image `[C, H, W]` moved by so many pixels; what comes from outside is black.
fn shifted(image: &[f32], [_, h, w]: [usize; 3], down: isize, right: isize) -> Vec<f32> {
    let value = |i: usize| {
        let (y, x) = ((i / w % h).checked_add_signed(-down), (i % w).checked_add_signed(-right));
        match (y, x) {
            (Some(y), Some(x)) if y < h && x < w => image[i / (h * w) * h * w + y * w + x],
            _ => -1.0,
        }
    };
    (0..image.len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    #[test]
    fn shifts_bring_black_in() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(shifted(&image, [1, 2, 3], 1, -1), [-1.0, -1.0, -1.0, 2.0, 3.0, -1.0]);
        assert_eq!(shifted(&image, [1, 2, 3], -1, 0), [4.0, 5.0, 6.0, -1.0, -1.0, -1.0]);
        assert_eq!(shifted(&image, [3, 1, 2], 0, 1), [-1.0, 1.0, -1.0, 3.0, -1.0, 5.0]);
    }

    /// Ten flat greys, each a class of its own.
    fn greys() -> Images {
        let pixels = (0..40u8).flat_map(|i| [25 * (i % 10); 784]).collect();
        Images { shape: Classifier::IMAGE, pixels, labels: Some((0..40).map(|i| i % 10).collect()) }
    }

    const SETTINGS: Settings = Settings { batch: 20, steps: 60, learning_rate: 3e-3, shift: 0, seed: 1 };

    #[test]
    fn it_learns_is_saved_and_is_read_again() {
        let mut training = Training::new(gpu(), greys(), SETTINGS).unwrap();
        let losses: Vec<_> = (0..SETTINGS.steps).map(|_| training.advance().unwrap()).collect();
        assert!((losses[0] - 10f32.ln()).abs() < 0.3 && losses[59] < losses[0] / 2.0, "{} {}", losses[0], losses[59]);

        let images = greys().gather(0..13);
        let seen = training.classifier().unwrap().look(&images).unwrap();
        assert_eq!((seen.features.len(), seen.probabilities.len()), (13 * 64, 13 * 10));
        assert!(seen.probabilities.chunks(10).all(|p| (p.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classifier.safetensors");
        training.save(&path).unwrap();
        assert_eq!(Classifier::load(gpu(), &path).unwrap().look(&images).unwrap(), seen);

        let other = folder.path().join("other.safetensors");
        crate::tensors::write(&other, &[], [("ign.classifier".into(), "1".into())].into()).unwrap();
        let error = Classifier::load(gpu(), &other).err().unwrap().to_string();
        assert!(error.contains("other.safetensors") && error.contains("is missing"), "{error}");
    }

    #[test]
    fn the_seed_determines_every_loss() {
        let losses = |seed| -> Vec<f32> {
            let mut training = Training::new(gpu(), greys(), Settings { seed, shift: 2, ..SETTINGS }).unwrap();
            (0..3).map(|_| training.advance().unwrap()).collect()
        };
        assert_eq!(losses(1), losses(1));
        assert_ne!(losses(1), losses(2));
    }

    #[test]
    fn images_without_labels_are_refused() {
        let error = Training::new(gpu(), Images { labels: None, ..greys() }, SETTINGS).err().unwrap().to_string();
        assert!(error.contains("labels"), "{error}");
    }
}
