use super::network::{networks, record};
use super::{Architecture, BATCH, Classifier, Signature, save};
use crate::data::{Batches, Images};
use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::nn::{Adam, Mode, one_hot};
use crate::random::{Stream, stream};
use crate::tape::{self, Tape};
use rand::RngExt;
use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::path::Path;

/// The settings of a classifier's training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassifierConfig {
    /// The convolutions.
    pub architecture: Architecture,
    /// Number of images per batch.
    pub batch: usize,
    /// Number of training steps T.
    pub steps: u64,
    /// Initial learning rate r of Adam, 0 to 1. After t steps it is r·(1 + cos(π·t/T))/2, which decays to zero
    /// (Loshchilov & Hutter 2016).
    pub learning_rate: f64,
    /// Maximum random shift of the training images in pixels, vertically and horizontally, in either direction. At most their
    /// width.
    pub shift: usize,
    /// Seed of initialisation, data order and shifts.
    pub seed: u64,
}

/// The training of a classifier with cross-entropy and Adam.
pub struct Training {
    gpu: Gpu,
    descent: Descent<ClassifierTask>,
}

/// The training task: the mean cross-entropy over batches of randomly shifted, labelled images.
struct ClassifierTask {
    signature: Signature,
    config: ClassifierConfig,
    images: Images,
    labels: Vec<u8>,
    batches: Batches,
}

impl Task for ClassifierTask {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        let ([c, h, w], batch) = (self.signature.images.image(), self.config.batch);
        let x = tape.input("x", [batch, c, h, w]);
        let [_, logits] = record(self.signature, x, Mode::Train { prefixes: &[""], dropout: None });
        let loss = logits.softmax_cross_entropy(tape.input("targets", [batch, self.signature.classes]));
        let parameters: Vec<_> = networks(self.signature).iter().flat_map(|n| n.on(tape)).collect();
        let gradients = tape.gradient(loss, &parameters)?;
        Ok(Recorded { losses: vec![("loss", loss)], parameters, gradients })
    }

    fn adam(&self) -> Adam {
        Adam { learning_rate: self.config.learning_rate, ..Adam::default() }
    }

    fn learning_rate(&self, done: u64) -> f64 {
        let share = (done as f64 / self.config.steps.max(1) as f64).min(1.0);
        self.config.learning_rate * (1.0 + (PI * share).cos()) / 2.0
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let mut rng = stream(self.config.seed, Stream::Augmentation, done);
        let (mut x, mut targets) = (vec![], vec![]);
        for &i in self.batches.indices(done) {
            let reach = self.config.shift as i64;
            let mut by = || rng.random_range(-reach..=reach) as isize;
            x.extend(shifted(&self.images.gather([i]), self.images.shape, by(), by()));
            targets.extend(one_hot([self.labels[i]], self.signature.classes));
        }
        vec![("x", x), ("targets", targets)]
    }
}

impl Training {
    /// A new training on `images`, with labels from 0 to K − 1, where K is one more than the greatest.
    ///
    /// # Errors
    /// If the learning rate or the shift is out of range, there are no labels, no network has images of this shape, there are
    /// fewer than 2 classes, the batch size is below 2 or exceeds the number of images, or the adapter fails.
    pub fn new(gpu: &Gpu, images: Images, config: ClassifierConfig) -> Result<Self, Error> {
        Error::check_range("learning_rate", config.learning_rate, 0.0..=1.0)?;
        images.check()?;
        Error::check_range("shift", config.shift as f64, 0.0..=images.shape[2] as f64)?;
        let unsuited =
            "a classifier needs training images with labels: the names of their folders, or a file of labels";
        let labels = images.labels.clone().ok_or_else(|| Error::Unsuited(unsuited.into()))?;
        let signature = Signature { architecture: config.architecture, ..Signature::of(images.shape, &labels)? };
        let batches = Batches::new(images.len(), config.batch, config.seed)?;
        let tensors = initial(signature, config.seed);
        let task = ClassifierTask { signature, config, images, labels, batches };
        let descent = Descent::blocking_new(gpu, task, &tensors, 0)?;
        Ok(Self { gpu: gpu.clone(), descent })
    }

    /// The images and classes that it learns, and its layers.
    pub fn signature(&self) -> Signature {
        self.descent.task().signature
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// Number of steps per epoch.
    pub fn per_epoch(&self) -> u64 {
        self.descent.task().batches.per_epoch()
    }

    /// Runs one step and returns its loss.
    ///
    /// # Errors
    /// If the loss is not finite, or the adapter fails.
    pub fn advance(&mut self) -> Result<f32, Error> {
        self.descent.blocking_advance()?;
        Ok(self.descent.blocking_losses()?[0].1)
    }

    /// A classifier that shares the tensors of this training, so that later steps change it.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn classifier(&self) -> Result<Classifier, Error> {
        self.gpu.wait(Classifier::new(&self.gpu, self.signature(), self.descent.store(), BATCH))
    }

    /// Writes the classifier, completely or not at all.
    ///
    /// # Errors
    /// If a tensor is not finite, the adapter fails, or the file cannot be written. An older file then remains.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let tensors = self.descent.blocking_finite_tensors().map_err(|error| match error {
            Error::NotFinite { step, what } => {
                Error::NotFinite { step, what: format!("{what}. {} is left as it was", path.display()) }
            }
            error => error,
        })?;
        Ok(save(self.signature(), &tensors, path)?)
    }
}

/// The initial values of all saved tensors: parameters and running averages.
fn initial(signature: Signature, seed: u64) -> BTreeMap<String, Vec<f32>> {
    let [body, head] = networks(signature);
    let mut values = body.initialise(seed, &[""]);
    // The random stream of a parameter depends on its index within its network. With the same seed, the head would
    // repeat the body's values.
    values.extend(head.initialise(seed.wrapping_add(1), &[]));
    values
}

/// The image `[C, H, W]`, shifted by `down` and `right` pixels. Pixels from outside the image are black.
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
    use crate::classifier::network::shapes;
    use crate::testing::gpu;

    #[test]
    fn shifts_bring_black_in() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(shifted(&image, [1, 2, 3], 1, -1), [-1.0, -1.0, -1.0, 2.0, 3.0, -1.0]);
        assert_eq!(shifted(&image, [1, 2, 3], -1, 0), [4.0, 5.0, 6.0, -1.0, -1.0, -1.0]);
        assert_eq!(shifted(&image, [3, 1, 2], 0, 1), [-1.0, 1.0, -1.0, 3.0, -1.0, 5.0]);
    }

    /// 40 uniformly grey images of ten grey values, one class per value.
    fn greys() -> Images {
        let pixels = (0..40u8).flat_map(|i| [25 * (i % 10); 784]).collect();
        Images { shape: [1, 28, 28], pixels, labels: Some((0..40).map(|i| i % 10).collect()) }
    }

    const CONFIG: ClassifierConfig = ClassifierConfig {
        architecture: Architecture::Doubling,
        batch: 20,
        steps: 60,
        learning_rate: 3e-3,
        shift: 0,
        seed: 1,
    };

    #[test]
    fn it_learns_is_saved_and_is_read_again() {
        let mut training = Training::new(gpu(), greys(), CONFIG).unwrap();
        let losses: Vec<_> = (0..CONFIG.steps).map(|_| training.advance().unwrap()).collect();
        assert!((losses[0] - 10f32.ln()).abs() < 0.3 && losses[59] < losses[0] / 2.0, "{} {}", losses[0], losses[59]);

        let images = greys().gather(0..13);
        let seen = training.classifier().unwrap().blocking_look(&images).unwrap();
        assert_eq!((seen.features.len(), seen.probabilities.len()), (13 * 64, 13 * 10));
        assert!(seen.probabilities.chunks(10).all(|p| (p.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classifier.safetensors");
        training.save(&path).unwrap();
        assert_eq!(Classifier::load(gpu(), &path).unwrap().blocking_look(&images).unwrap(), seen);

        let other = folder.path().join("other.safetensors");
        crate::files::safetensors::write(&other, &[], [("ign.classifier".into(), "1".into())].into()).unwrap();
        let error = Classifier::load(gpu(), &other).err().unwrap().to_string();
        assert!(error.contains("other.safetensors") && error.contains("is missing"), "{error}");
    }

    #[test]
    fn a_classifier_that_diverges_is_not_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classifier.safetensors");
        let mut training = Training::new(gpu(), greys(), CONFIG).unwrap();
        training.save(&path).unwrap();
        let good = std::fs::read(&path).unwrap();
        let mut tensors = training.descent.blocking_tensors().unwrap();
        tensors.insert("classes.0.bias".into(), vec![f32::NAN; 10]);
        let ClassifierTask { signature, config, images, labels, .. } = training.descent.task();
        let batches = Batches::new(images.len(), config.batch, 1).unwrap();
        let task = ClassifierTask {
            signature: *signature,
            config: *config,
            images: images.clone(),
            labels: labels.clone(),
            batches,
        };
        training.descent = Descent::blocking_new(gpu(), task, &tensors, 1).unwrap();
        let error = training.save(&path).unwrap_err().to_string();
        assert!(error.contains("`classes.0.bias` contains NaN") && error.contains("is left as it was"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), good);
    }

    #[test]
    fn the_seed_determines_every_loss() {
        let losses = |seed| -> Vec<f32> {
            let mut training = Training::new(gpu(), greys(), ClassifierConfig { seed, shift: 2, ..CONFIG }).unwrap();
            (0..3).map(|_| training.advance().unwrap()).collect()
        };
        assert_eq!(losses(1), losses(1));
        assert_ne!(losses(1), losses(2));
    }

    #[test]
    fn images_without_classes_are_refused() {
        let error = Training::new(gpu(), Images { labels: None, ..greys() }, CONFIG).err().unwrap().to_string();
        assert!(error.contains("labels"), "{error}");
        let error = Training::new(gpu(), Images { labels: Some(vec![0; 40]), ..greys() }, CONFIG).err().unwrap();
        assert_eq!(error.to_string(), "classes is 1, and must be from 2 to 256");
        let error = Training::new(gpu(), greys(), ClassifierConfig { shift: 29, ..CONFIG }).err().unwrap();
        assert_eq!(error.to_string(), "shift is 29, and must be from 0 to 28");
    }

    #[test]
    fn any_labelled_images_can_be_learned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("colours.safetensors");
        let pixels = (0..30u8).flat_map(|i| (0..3 * 64).map(move |at| if at / 64 == i % 3 { 255 } else { 0 }));
        let labels = Some((0..30u8).map(|i| i % 3).collect());
        let images = Images { shape: [3, 8, 8], pixels: pixels.map(|pixel| pixel as u8).collect(), labels };
        let architecture = Architecture::Uniform;
        let config = ClassifierConfig { batch: 10, architecture, ..CONFIG };
        let mut training = Training::new(gpu(), images.clone(), config).unwrap();
        (0..CONFIG.steps).for_each(|_| _ = training.advance().unwrap());
        training.save(&path).unwrap();
        let classifier = Classifier::load(gpu(), &path).unwrap();
        assert_eq!(classifier.signature(), Signature { architecture, ..Signature::new([3, 8, 8], 3).unwrap() });
        let seen = classifier.blocking_look(&images.gather(0..6)).unwrap();
        for (i, p) in seen.probabilities.chunks(3).enumerate() {
            assert!(p[i % 3] > 0.5, "{i} {p:?}");
        }
        let error = classifier.signature().check([1, 28, 28], &[]).unwrap_err().to_string();
        assert_eq!(error, "the classifier recognises 3×8×8 images, and these are 1×28×28");
        assert!(classifier.signature().check([3, 8, 8], &[2, 3]).unwrap_err().to_string().contains("knows 0 to 2"));
    }

    #[test]
    fn every_tensor_has_an_initial_value_of_its_shape() {
        let (shapes, values) = (shapes(Signature::DIGITS), initial(Signature::DIGITS, 1));
        assert!(values.keys().eq(shapes.keys()));
        assert!(values.iter().all(|(name, v)| v.len() == shapes[name].elements()));
        assert_eq!(shapes["features.3.weight"], [32, 16, 4, 4].into());
        assert_ne!(values["features.0.weight"][..99], values["classes.0.weight"][..99]);
    }
}
