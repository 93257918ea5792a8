mod network;
mod training;

pub use training::{ClassifierConfig, Training};

use super::classes::check_labels;
use crate::compile::{Compiled, blocking_compile};
use crate::error::Error;
use crate::files::{FileError, safetensors};
use crate::gpu::{Gpu, Store};
use crate::nn::Mode;
use crate::tape::{Shape, Tape};
use network::{networks, record, shapes};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A small convolutional classifier of MNIST's digits. The input of its last layer provides the features for sample
/// metrics.
pub struct Classifier {
    program: Compiled,
}

/// Features and class probabilities of N images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classification {
    /// The features `[N, 64]`: the input of the last layer.
    pub features: Vec<f32>,
    /// The class probabilities `[N, 10]`: the softmax of the last layer's output.
    pub probabilities: Vec<f32>,
}

/// Number of images per batch.
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

    /// Compiles the classifier with its tensors in `store`.
    fn new(gpu: &Gpu, store: &Store) -> Result<Self, Error> {
        let tape = Tape::new();
        let [c, h, w] = Self::IMAGE;
        let [features, logits] = record(tape.input("x", [BATCH, c, h, w]), Mode::Running(""));
        let program = blocking_compile(gpu, store, &tape, &[("features", features), ("logits", logits)])?;
        Ok(Self { program })
    }

    /// Reads a trained classifier.
    ///
    /// # Errors
    /// If the file is missing or truncated, is not a classifier of this version, a tensor is missing or has another
    /// shape, or the adapter fails.
    pub fn load(gpu: &Gpu, path: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::from(FileError::new(path, reason));
        let (mut source, length) = crate::files::open(path)?;
        let file = safetensors::Header::read(&mut source, length).map_err(failed)?;
        if file.metadata.get(ENTRY).map(String::as_str) != Some(VERSION) {
            return Err(failed(format!("no classifier of this program, version {VERSION}")));
        }
        let mut store = Store::new();
        let expected = shapes().into_iter().map(|(name, shape)| (name, shape.dims().to_vec())).collect();
        for (name, values) in file.read_tensors(&mut source, &expected).map_err(failed)? {
            store.blocking_set(gpu, &name, &values)?;
        }
        Self::new(gpu, &store)
    }

    /// Computes features and class probabilities of images `[N, 1, 28, 28]` in [-1, 1].
    ///
    /// # Errors
    /// If the last image is incomplete, or the adapter fails.
    pub fn look(&self, images: &[f32]) -> Result<Classification, Error> {
        let extents = [BATCH, Self::IMAGE.iter().product()];
        let [features, logits] = ["features", "logits"];
        let mut outputs = self.program.blocking_run_batched("x", images, extents, &[features, logits])?;
        let probabilities = outputs[1].chunks_exact(Self::CLASSES).flat_map(softmax).collect();
        Ok(Classification { features: outputs.swap_remove(0), probabilities })
    }
}

/// Writes the classifier's tensors; `tensors` may hold others.
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
