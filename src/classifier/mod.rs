//! A classifier of MNIST's digits, and its training. It works in a browser; training and files do not.

mod network;
#[cfg(feature = "train")]
mod training;

#[cfg(feature = "train")]
pub use training::{ClassifierConfig, Training};

use crate::compile::{Compiled, compile};
use crate::error::Error;
use crate::files::safetensors;
use crate::gpu::{Gpu, Store};
use crate::nn::Mode;
use crate::tape::Tape;
use network::{networks, record, shapes};
use std::collections::BTreeMap;
use std::io::Read;
#[cfg(feature = "train")]
use {crate::files::FileError, crate::tape::Shape, std::collections::HashMap, std::path::Path};

/// A small convolutional classifier of MNIST's digits. The input of its last layer provides the features for sample
/// metrics.
pub struct Classifier {
    program: Compiled,
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
    /// The class probabilities `[N, 10]`: the softmax of the last layer's output.
    pub probabilities: Vec<f32>,
}

/// Number of images of one run for many images.
#[cfg(feature = "train")]
const BATCH: usize = 100;
/// The key in a file's metadata that marks a classifier. Its value is the version.
const ENTRY: &str = "ign.classifier";
/// The version of the file format; other versions are rejected.
const VERSION: &str = "1";

impl Classifier {
    /// The image shape `[C, H, W]`.
    pub const IMAGE: [usize; 3] = [1, 28, 28];
    /// The number of features per image.
    pub const FEATURES: usize = 64;
    /// The number of classes: the ten digits.
    pub const CLASSES: usize = 10;
    /// The path of the trained classifier shipped with the project, relative to the project root.
    pub const FILE: &'static str = "models/classifier.safetensors";

    /// The number of trainable parameters.
    pub fn parameters() -> usize {
        networks().iter().flat_map(|n| n.parameters()).map(|p| p.shape.elements()).sum()
    }

    /// Checks that labels are digits.
    ///
    /// # Errors
    /// If a label is 10 or more.
    pub fn check_labels(labels: &[u8]) -> Result<(), Error> {
        check_labels(labels, Self::CLASSES)
    }

    /// Compiles the classifier with its tensors in `store`, for `batch` images at a time.
    async fn new(gpu: &Gpu, store: &Store, batch: usize) -> Result<Self, Error> {
        let tape = Tape::new();
        let [c, h, w] = Self::IMAGE;
        let [features, logits] = record(tape.input("x", [batch, c, h, w]), Mode::Running(""));
        let program = compile(gpu, store, &tape, &[("features", features), ("logits", logits)]).await?;
        Ok(Self {
            program,
            batch,
            #[cfg(feature = "train")]
            gpu: gpu.clone(),
        })
    }

    async fn with(gpu: &Gpu, tensors: BTreeMap<String, Vec<f32>>, batch: usize) -> Result<Self, Error> {
        let mut store = Store::new();
        for (name, values) in tensors {
            store.set(gpu, &name, &values).await?;
        }
        Self::new(gpu, &store, batch).await
    }

    /// Reads the bytes of a trained classifier, and compiles it for `batch` images at a time.
    ///
    /// # Errors
    /// If the bytes are truncated or no classifier of this version, a tensor is missing or has another shape, or the
    /// adapter fails.
    pub async fn from_bytes(gpu: &Gpu, bytes: &[u8], batch: usize) -> Result<Self, Error> {
        let tensors = read(&mut &bytes[..], bytes.len() as u64).map_err(Error::Unsuited)?;
        Self::with(gpu, tensors, batch.max(1)).await
    }

    /// Computes features and class probabilities of images `[N, 1, 28, 28]` in [-1, 1].
    ///
    /// # Errors
    /// If the last image is incomplete, or the adapter fails.
    pub async fn look(&self, images: &[f32]) -> Result<Classification, Error> {
        let extents = [self.batch, Self::IMAGE.iter().product()];
        let mut outputs = self.program.run_batched("x", images, extents, &["features", "logits"]).await?;
        let probabilities = outputs[1].chunks_exact(Self::CLASSES).flat_map(softmax).collect();
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
        let tensors = read(&mut source, length).map_err(|reason| FileError::new(path, reason))?;
        gpu.wait(Self::with(gpu, tensors, BATCH))
    }

    /// Blocking form of [`look`](Self::look).
    pub fn blocking_look(&self, images: &[f32]) -> Result<Classification, Error> {
        self.gpu.wait(self.look(images))
    }
}

/// Reads the tensors of a classifier of `length` bytes. Errors are descriptions as text.
fn read(source: &mut impl Read, length: u64) -> Result<BTreeMap<String, Vec<f32>>, String> {
    let file = safetensors::Header::read(source, length)?;
    if file.metadata.get(ENTRY).map(String::as_str) != Some(VERSION) {
        return Err(format!("no classifier of this program, version {VERSION}"));
    }
    let expected = shapes().into_iter().map(|(name, shape)| (name, shape.dims().to_vec())).collect();
    file.read_tensors(source, &expected)
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
fn save(tensors: &BTreeMap<String, Vec<f32>>, path: &Path) -> Result<(), FileError> {
    let shapes = shapes();
    let named = |(name, shape): (&String, &Shape)| (name.clone(), shape.dims().to_vec(), &tensors[name][..]);
    let named: Vec<_> = shapes.iter().map(named).collect();
    safetensors::write(path, &named, HashMap::from([(ENTRY.into(), VERSION.into())]))
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
