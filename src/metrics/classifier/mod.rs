mod network;
mod training;

pub use training::{Settings, Training};

use super::MetricsError;
use crate::gpu::{Gpu, Store};
use crate::native::wait;
use crate::nn::Mode;
use crate::ops::{Compiled, compile};
use crate::tape::{Shape, Tape};
use crate::tensors;
use network::{networks, record, shapes};
use std::collections::HashMap;
use std::path::Path;

/// A small network that tells MNIST's digits apart. What it sees before its last layer are the features that samples are
/// compared by.
pub struct Classifier {
    gpu: Gpu,
    program: Compiled,
}

/// What the classifier makes of N images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// `[N, 64]`, the input of the last layer.
    pub features: Vec<f32>,
    /// `[N, 10]`, softmax of its output.
    pub probabilities: Vec<f32>,
}

/// Images that are looked at together.
const BATCH: usize = 100;
/// The metadata entry that says what the file is.
const ENTRY: &str = "ign.classifier";
const VERSION: &str = "1";

impl Classifier {
    /// `[C, H, W]` of what it looks at.
    pub const IMAGE: [usize; 3] = [1, 28, 28];
    /// Length of a feature vector.
    pub const FEATURES: usize = 64;
    /// The ten digits.
    pub const CLASSES: usize = 10;
    /// Where the repository keeps the trained one.
    pub const FILE: &'static str = "models/classifier.safetensors";

    /// How many numbers are trained.
    pub fn parameters() -> usize {
        networks().iter().flat_map(|n| n.parameters()).map(|p| p.shape.elements()).sum()
    }

    /// The classifier whose tensors are in `store`.
    fn new(gpu: &Gpu, store: &Store) -> Result<Self, MetricsError> {
        let tape = Tape::new();
        let [c, h, w] = Self::IMAGE;
        let [features, logits] = record(tape.input("x", [BATCH, c, h, w]), Mode::Running(""))?;
        let program = wait(gpu, compile(gpu, store, &tape, &[("features", features), ("logits", logits)]))?;
        Ok(Self { gpu: gpu.clone(), program })
    }

    /// Reads a trained classifier.
    ///
    /// # Errors
    /// Where the file is missing, truncated, or of another network, or the adapter fails.
    pub fn load(gpu: &Gpu, path: &Path) -> Result<Self, MetricsError> {
        let failed = |problem: String| MetricsError::classifier(path, problem);
        let file = tensors::read(path).map_err(failed)?;
        if file.metadata.get(ENTRY).map(String::as_str) != Some(VERSION) {
            return Err(failed(format!("no classifier of this program, version {VERSION}")));
        }
        let mut store = Store::new();
        for (name, expected) in shapes() {
            match file.tensors.get(&name) {
                Some((shape, values)) if *shape == expected.dims() => wait(gpu, store.set(gpu, &name, values))?,
                Some((shape, _)) => return Err(failed(format!("`{name}` has shape {shape:?}, not {expected}"))),
                None => return Err(failed(format!("`{name}` {expected} is missing"))),
            }
        }
        Self::new(gpu, &store)
    }

    /// Features and class probabilities of images `[N, 1, 28, 28]` in [-1, 1].
    ///
    /// # Errors
    /// Where the adapter fails.
    pub fn look(&self, images: &[f32]) -> Result<Seen, MetricsError> {
        let extents = [BATCH, Self::IMAGE.iter().product()];
        let [features, logits] = ["features", "logits"];
        let mut outputs = wait(&self.gpu, self.program.run_batched("x", images, extents, &[features, logits]))?;
        let probabilities = outputs[1].chunks_exact(Self::CLASSES).flat_map(softmax).collect();
        Ok(Seen { features: outputs.swap_remove(0), probabilities })
    }
}

/// Writes the classifier's tensors of `store`.
fn save(gpu: &Gpu, store: &Store, path: &Path) -> Result<(), MetricsError> {
    let mut contents = wait(gpu, store.read(gpu))?;
    let named = |(name, shape): (String, Shape)| {
        let values = contents.remove(&name).unwrap_or_default();
        (name, shape.dims().to_vec(), values)
    };
    let named: Vec<_> = shapes().into_iter().map(named).collect();
    let metadata = HashMap::from([(ENTRY.into(), VERSION.into())]);
    tensors::write(path, &named, metadata).map_err(|problem| MetricsError::classifier(path, problem))
}

/// eˣ/Σeˣ
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
