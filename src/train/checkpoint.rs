use super::Config;
use crate::ign::{Network, PREFIXES};
use crate::nn::{Adam, Sequential};
use crate::tape::Shape;
use crate::tensors;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A checkpoint cannot be used. The file is left as it is.
#[derive(Clone, Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct CheckpointError {
    path: PathBuf,
    problem: String,
}

/// Everything that training goes on from, and everything that a trained network is: parameters, running averages, Adam's
/// moments, settings, and the step, which with the seed is the whole state of the random numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The settings.
    pub config: Config,
    /// Steps done.
    pub step: u64,
    /// Every tensor of the store by name. Parameters and running averages are called as in PyTorch; running averages of
    /// a role, Adam's moments and the statistics of the noise have prefixes.
    pub tensors: BTreeMap<String, Vec<f32>>,
}

/// The name of the statistics of frequency noise.
pub(super) const FREQUENCIES: &str = "noise.frequencies";
/// The metadata entry that says what the file is.
const ENTRY: &str = "ign";
/// Of the format; a reader refuses another one.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    step: u64,
    seed: u64,
    /// How random numbers come from seed and step.
    generator: String,
    config: Config,
}

impl Checkpoint {
    /// The file's name in a run folder.
    pub const FILE: &'static str = "checkpoint.safetensors";

    /// The trained model that comes with the project, from its root.
    pub const SHIPPED: &'static str = "models/mnist.safetensors";

    /// Where a file that belongs to a run is to lie, given the run's folder or its checkpoint.
    pub fn beside(run: &Path, file: &str) -> PathBuf {
        if run.is_dir() { run.join(file) } else { run.with_file_name(file) }
    }

    /// The names and shapes of a checkpoint's tensors, but for the statistics of the noise.
    pub fn shapes(config: &Config) -> BTreeMap<String, Shape> {
        let layers = config.layers();
        let mut shapes: BTreeMap<_, _> = layers.tensors(&PREFIXES).into_iter().collect();
        for parameter in layers.parameters() {
            shapes.extend(Adam::moments(&parameter.name).map(|moment| (moment, parameter.shape.clone())));
        }
        shapes.extend(config.averaged().iter().flat_map(|averaged| averaged.tensors(&PREFIXES)));
        shapes
    }

    /// The network to be used: the average where there is one.
    pub fn layers(&self) -> Sequential {
        self.config.averaged().unwrap_or_else(|| self.config.layers())
    }

    /// The network as the last step left it, without its average.
    pub fn last_step(mut self) -> Self {
        self.config.average = 0.0;
        self
    }

    /// Writes the file, completely or not at all.
    ///
    /// # Errors
    /// Where the system refuses; an older file is still there then.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let failed = |problem: String| CheckpointError { path: path.into(), problem };
        let header = Header {
            version: VERSION,
            step: self.step,
            seed: self.config.seed,
            generator: "ChaCha8, a stream for each purpose and step".into(),
            config: self.config.clone(),
        };
        let header = serde_json::to_string(&header).map_err(|e| failed(e.to_string()))?;
        let shapes = Self::shapes(&self.config);
        let named = |(name, values): (&String, &Vec<f32>)| {
            let shape = shapes.get(name).map_or_else(|| vec![values.len()], |s| s.dims().to_vec());
            (name.clone(), shape, values.clone())
        };
        let named: Vec<_> = self.tensors.iter().map(named).collect();
        tensors::write(path, &named, HashMap::from([(ENTRY.into(), header)])).map_err(failed)
    }

    /// Reads a file, or the checkpoint of a run folder.
    ///
    /// # Errors
    /// What is wrong with the file: missing, truncated, of another program or version, or not complete.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let path = if path.is_dir() { path.join(Self::FILE) } else { path.into() };
        let failed = |problem: String| CheckpointError { path: path.clone(), problem };
        let file = tensors::read(&path).map_err(failed)?;
        let entry = file.metadata.get(ENTRY);
        let entry = entry.ok_or_else(|| failed("a safetensors file, but no checkpoint of this program".into()))?;
        let header: Header =
            serde_json::from_str(entry).map_err(|e| failed(format!("its settings cannot be understood: {e}")))?;
        if header.version != VERSION {
            return Err(failed(format!("its format is version {}, this program reads {VERSION}", header.version)));
        }

        let mut tensors = BTreeMap::new();
        let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
        for (name, (shape, values)) in file.tensors {
            shapes.insert(name.clone(), shape.as_slice().into());
            tensors.insert(name, values);
        }
        let (network, width) = Network::of(&shapes).map_err(|e| failed(e.to_string()))?;
        if (network, width) != (header.config.network, header.config.width) {
            return Err(failed(format!(
                "its settings speak of another network than its tensors ({network:?}, {width})"
            )));
        }
        for (name, expected) in Self::shapes(&header.config) {
            match shapes.get(&name) {
                Some(found) if *found == expected => {}
                Some(found) => return Err(failed(format!("`{name}` has shape {found}, not {expected}"))),
                None => return Err(failed(format!("`{name}` {expected} is missing"))),
            }
        }
        Ok(Self { config: header.config, step: header.step, tensors })
    }
}
