//! A classifier of images, of MNIST's digits or of any labelled data set, and its training. It works in a browser; training
//! and files do not.

mod network;
#[cfg(feature = "train")]
mod training;

#[cfg(feature = "train")]
pub use training::{ClassifierConfig, Training};

use crate::compile::{Compiled, compile};
use crate::error::Error;
use crate::files::{excerpt, safetensors};
use crate::gpu::{Gpu, Store};
use crate::model::Network;
use crate::nn::Mode;
use crate::tape::Tape;
use network::{networks, record, shapes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
#[cfg(feature = "train")]
use {crate::files::FileError, crate::tape::Shape, std::collections::HashMap, std::path::Path};

/// The convolutions of a classifier. Each is followed by batch norm and an activation, and each but the last, which leaves 64
/// features, halves the side of the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// The encoder of the network for such images: 4×4 kernels, and 16 channels that double with each layer. ReLU.
    #[default]
    Doubling,
    /// 5×5 kernels, and 24 channels in every layer. Leaky ReLU with slope 0.2.
    Uniform,
}

/// The images that a classifier takes, the number K of classes that it knows, and its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The network that has such images.
    pub images: Network,
    /// The number K of classes.
    pub classes: usize,
    /// The convolutions. Files that do not name them have the default.
    #[serde(default)]
    pub architecture: Architecture,
}

impl Signature {
    /// MNIST's digits, with the default architecture.
    pub const DIGITS: Self = Self { images: Network::MNIST, classes: 10, architecture: Architecture::Doubling };

    /// Images of shape `[C, H, W]`, and `classes` classes, with the default architecture.
    ///
    /// # Errors
    /// If no [`Network`] has such images, or there are fewer than 2 or more than 256 classes.
    pub fn new([channels, height, width]: [usize; 3], classes: usize) -> Result<Self, Error> {
        if height != width {
            return Err(Error::Unsuited(format!(
                "a classifier takes square images, and these have {height}×{width} pixels"
            )));
        }
        Self { images: Network::new(channels, height)?, classes, architecture: Architecture::default() }.checked()
    }

    /// Images of shape `[C, H, W]`, with labels from 0 to the greatest of `labels`, with the default architecture.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(image: [usize; 3], labels: &[u8]) -> Result<Self, Error> {
        Self::new(image, labels.iter().max().map_or(0, |&greatest| usize::from(greatest) + 1))
    }

    fn checked(self) -> Result<Self, Error> {
        Error::check_range("classes", self.classes as f64, 2.0..=256.0)?;
        Ok(self)
    }

    /// Checks that images of this shape, with these labels, are what the classifier knows.
    ///
    /// # Errors
    /// If the shape differs, or a label is K or more.
    pub fn check(&self, image: [usize; 3], labels: &[u8]) -> Result<(), Error> {
        let own = self.images.image();
        if image != own {
            let text = |[c, h, w]: [usize; 3]| format!("{c}×{h}×{w}");
            let text = format!("the classifier recognises {} images, and these are {}", text(own), text(image));
            return Err(Error::Unsuited(text));
        }
        check_labels(labels, self.classes)
    }
}

/// A small convolutional classifier of images. The input of its last layer provides the features for sample metrics.
pub struct Classifier {
    program: Compiled,
    signature: Signature,
    /// Number of images of one run.
    batch: usize,
    /// The device, to wait for.
    #[cfg(feature = "train")]
    gpu: Gpu,
}

/// Features and class probabilities of N images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classification {
    /// The features `[N, 64]`: the input of the last layer.
    pub features: Vec<f32>,
    /// The class probabilities `[N, K]`: the softmax of the last layer's output.
    pub probabilities: Vec<f32>,
}

/// Number of images of one run for many images.
#[cfg(feature = "train")]
const BATCH: usize = 100;
/// The key in a file's metadata that marks a classifier. Its value is the version.
const ENTRY: &str = "ign.classifier";
/// The key of the [`Signature`], as JSON. Files without it are of digits, with the default architecture.
const SIGNATURE: &str = "ign.classifier.signature";
/// The version of the file format; other versions are rejected.
const VERSION: &str = "1";

impl Classifier {
    /// The number of features per image.
    pub const FEATURES: usize = Network::FEATURES;
    /// The path of the trained classifier shipped with the project, relative to the project root.
    pub const FILE: &'static str = "models/classifier.safetensors";
    /// The path of a second trained classifier shipped with the project, of another architecture and seed. A training that
    /// used the features of the first is judged by this one.
    pub const JUDGE: &'static str = "models/judge.safetensors";

    /// The images and classes that it knows, and its layers.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// The number of trainable parameters.
    pub fn parameters(signature: Signature) -> usize {
        networks(signature).iter().flat_map(|n| n.parameters()).map(|p| p.shape.elements()).sum()
    }

    /// Compiles the classifier with its tensors in `store`, for `batch` images at a time.
    async fn new(gpu: &Gpu, signature: Signature, store: &Store, batch: usize) -> Result<Self, Error> {
        let tape = Tape::new();
        let [c, h, w] = signature.images.image();
        let [features, logits] = record(signature, tape.input("x", [batch, c, h, w]), Mode::Running(""));
        let program = compile(gpu, store, &tape, &[("features", features), ("logits", logits)]).await?;
        Ok(Self {
            program,
            signature,
            batch,
            #[cfg(feature = "train")]
            gpu: gpu.clone(),
        })
    }

    async fn with(gpu: &Gpu, (signature, tensors): Read, batch: usize) -> Result<Self, Error> {
        let mut store = Store::new();
        store.set_all(gpu, tensors).await?;
        Self::new(gpu, signature, &store, batch).await
    }

    /// Reads the bytes of a trained classifier, and compiles it for `batch` images at a time.
    ///
    /// # Errors
    /// If the bytes are truncated or no classifier of this version, a tensor is missing or has another shape, or the
    /// adapter fails.
    pub async fn from_bytes(gpu: &Gpu, bytes: &[u8], batch: usize) -> Result<Self, Error> {
        let file = read(&mut &bytes[..], bytes.len() as u64).map_err(Error::Unsuited)?;
        Self::with(gpu, file, batch.max(1)).await
    }

    /// Computes features and class probabilities of images `[N, C, H, W]` in [-1, 1].
    ///
    /// # Errors
    /// If the last image is incomplete, or the adapter fails.
    pub async fn look(&self, images: &[f32]) -> Result<Classification, Error> {
        let extents = [self.batch, self.signature.images.image().iter().product()];
        let mut outputs = self.program.run_batched("x", images, extents, &["features", "logits"]).await?;
        let probabilities = outputs[1].chunks_exact(self.signature.classes).flat_map(softmax).collect();
        Ok(Classification { features: outputs.swap_remove(0), probabilities })
    }
}

/// For native programs.
#[cfg(feature = "train")]
impl Classifier {
    /// Reads the file of a trained classifier.
    ///
    /// # Errors
    /// If the file is missing or truncated, is not a classifier of this version, a tensor is missing or has another
    /// shape, or the adapter fails.
    pub fn load(gpu: &Gpu, path: &Path) -> Result<Self, Error> {
        let (mut source, length) = crate::files::open(path)?;
        let file = read(&mut source, length).map_err(|reason| FileError::new(path, reason))?;
        gpu.wait(Self::with(gpu, file, BATCH))
    }

    /// Reads the tensors of the [features](Network::features) of a trained classifier of `images`.
    ///
    /// # Errors
    /// If the file is missing or truncated, is not a classifier of this version, of these images and of the default
    /// architecture.
    pub fn features(path: &Path, images: Network) -> Result<BTreeMap<String, Vec<f32>>, Error> {
        let (mut source, length) = crate::files::open(path)?;
        let failed = |reason: String| FileError::new(path, reason);
        let (signature, mut tensors) = read(&mut source, length).map_err(failed)?;
        signature.check(images.image(), &[])?;
        if signature.architecture != Architecture::Doubling {
            return Err(
                failed("the features of a perceptual distance are those of the default architecture".into()).into()
            );
        }
        tensors.retain(|name, _| name.starts_with(&images.features().name));
        Ok(tensors)
    }

    /// Blocking form of [`look`](Self::look).
    pub fn blocking_look(&self, images: &[f32]) -> Result<Classification, Error> {
        self.gpu.wait(self.look(images))
    }
}

/// What the file of a classifier holds.
type Read = (Signature, BTreeMap<String, Vec<f32>>);

/// Reads a classifier of `length` bytes. Errors are descriptions as text.
fn read(source: &mut impl std::io::Read, length: u64) -> Result<Read, String> {
    let file = safetensors::Header::read(source, length)?;
    if file.metadata.get(ENTRY).map(String::as_str) != Some(VERSION) {
        return Err(format!("no classifier of this program, version {VERSION}"));
    }
    let signature = match file.metadata.get(SIGNATURE) {
        None => Signature::DIGITS,
        Some(text) => {
            let invalid = |reason: String| format!("its images and classes are not valid: {}", excerpt(&reason));
            let signature: Signature = serde_json::from_str(text).map_err(|e| invalid(e.to_string()))?;
            signature.checked().map_err(|e| invalid(e.to_string()))?
        }
    };
    let expected = shapes(signature).into_iter().map(|(name, shape)| (name, shape.dims().to_vec())).collect();
    Ok((signature, file.read_tensors(source, &expected)?))
}

/// Checks that labels are classes from 0 to `classes` − 1.
pub(crate) fn check_labels(labels: &[u8], classes: usize) -> Result<(), Error> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(i) => {
            let (label, last) = (labels[i], classes - 1);
            Err(Error::Unsuited(format!("image {i} has the label {label}, and the classifier knows 0 to {last}")))
        }
    }
}

/// Writes the classifier's tensors; `tensors` may hold others.
#[cfg(feature = "train")]
fn save(signature: Signature, tensors: &BTreeMap<String, Vec<f32>>, path: &Path) -> Result<(), FileError> {
    let shapes = shapes(signature);
    let named = |(name, shape): (&String, &Shape)| (name.clone(), shape.dims().to_vec(), &tensors[name][..]);
    let named: Vec<_> = shapes.iter().map(named).collect();
    let mut metadata = HashMap::from([(ENTRY.into(), VERSION.into())]);
    if signature != Signature::DIGITS {
        let text = serde_json::to_string(&signature).map_err(|e| FileError::new(path, e))?;
        metadata.insert(SIGNATURE.into(), text);
    }
    safetensors::write(path, &named, metadata)
}

/// softmax(x)ₖ = exp(xₖ − m)/Σⱼ exp(xⱼ − m). The maximum m prevents overflow.
fn softmax(logits: &[f32]) -> Vec<f32> {
    let greatest = logits.iter().fold(f32::NEG_INFINITY, |m, &x| m.max(x));
    let powers: Vec<f32> = logits.iter().map(|x| (x - greatest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_however_large_the_logits() {
        let p = softmax(&[1000.0, 1000.0, 999.0]);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6 && p[0] == p[1], "{p:?}");
        assert!((p[2] / p[0] - (-1f32).exp()).abs() < 1e-6, "{p:?}");
    }
}
