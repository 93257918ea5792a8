use super::{Config, FrequencyStatistics, Noise, NoiseKind};
use crate::error::Error;
use crate::files::{excerpt, safetensors};
use crate::method::PREFIXES;
use crate::nn::{Adam, Average, Parameter, Sequential};
use crate::tape::Shape;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
#[cfg(not(target_arch = "wasm32"))]
use {
    crate::files::FileError,
    std::path::{Path, PathBuf},
};

/// A trained network with its settings: parameters, running averages, noise statistics and step. Seed and step together
/// determine all random numbers. A full checkpoint also holds the optimiser's moments and the averaged weights, if any,
/// and can resume training; a [`published`](Self::published) checkpoint holds only the tensors that sampling needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The settings of the training.
    pub config: Config,
    /// Number of completed steps.
    pub step: u64,
    /// All tensors by name. Parameters and running averages over all applications have PyTorch's names. The running
    /// averages per role, the averaged weights, Adam's moments and the noise statistics have prefixes.
    pub tensors: BTreeMap<String, Vec<f32>>,
}

/// The key of the header in the file's metadata.
const ENTRY: &str = "ign";
/// The version of the file format; other versions are rejected.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    step: u64,
    seed: u64,
    /// The generator of random numbers from seed and step.
    generator: String,
    config: Config,
}

impl Checkpoint {
    /// The name of the checkpoint file in a run folder.
    pub const FILE: &'static str = "checkpoint.safetensors";

    /// The path of the trained model shipped with the project, relative to the project root.
    pub const SHIPPED: &'static str = "models/mnist.safetensors";

    /// The tensor name of the statistics of frequency noise.
    pub const FREQUENCIES: &'static str = "noise.frequencies";

    /// Names and shapes of the tensors needed to resume training.
    pub fn shapes(config: &Config) -> BTreeMap<String, Shape> {
        shapes(config, config.averaged().is_some(), true)
    }

    /// The network for sampling: the averaged weights if the tensors include them, else the weights of the last step.
    pub fn layers(&self) -> Sequential {
        let layers = self.config.layers();
        if has_average(&self.config, |name| self.tensors.contains_key(name)) { Average::of(&layers) } else { layers }
    }

    /// The noise distribution of the training.
    ///
    /// # Errors
    /// If the noise is frequency noise and its statistics are missing or of the wrong size.
    pub fn noise(&self) -> Result<Noise, Error> {
        if self.config.noise == NoiseKind::Gaussian {
            return Ok(Noise::Gaussian);
        }
        let flat = self.get(Self::FREQUENCIES)?;
        let unsuited =
            || Error::Unsuited(format!("`{}` has the wrong size: {} numbers", Self::FREQUENCIES, flat.len()));
        let statistics = FrequencyStatistics::from_flat(flat, self.config.network.image());
        statistics.map(Noise::Frequency).ok_or_else(unsuited)
    }

    /// The elements, among those that sampling uses, that are infinite or NaN, in words; `None` without any.
    pub fn not_finite(&self) -> Option<String> {
        let mut names: Vec<_> = self.layers().tensors(&PREFIXES).into_iter().map(|(name, _)| name).collect();
        names.push(Self::FREQUENCIES.into());
        let used: Vec<_> =
            names.iter().filter_map(|name| self.tensors.get(name).map(|values| (name, values))).collect();
        let mut odd =
            used.iter().flat_map(|(name, values)| values.iter().filter(|x| !x.is_finite()).map(move |x| (name, x)));
        let (name, first) = odd.next()?;
        let (count, all) = (1 + odd.count(), used.iter().map(|(_, values)| values.len()).sum::<usize>());
        Some(format!("{count} of {all} numbers of the model are not finite; the first is {first}, in `{name}`"))
    }

    /// The checkpoint without averaged weights, so that [`layers`](Self::layers) uses the weights of the last step.
    ///
    /// # Errors
    /// If the checkpoint holds averaged weights only.
    pub fn last_step(mut self) -> Result<Self, Error> {
        let average = Average::of(&self.config.layers()).tensors(&PREFIXES);
        let removed = average.iter().filter(|(name, _)| self.tensors.remove(name).is_some()).count();
        if self.config.average > 0.0 && removed == 0 {
            let text = "the checkpoint holds averaged weights only; the weights of the last step were left out";
            return Err(Error::Unsuited(text.into()));
        }
        Ok(self)
    }

    /// A checkpoint for publication: only the tensors that sampling needs. Averaged weights, if any, replace the
    /// weights of the last step. Training cannot resume from it.
    ///
    /// # Errors
    /// If a tensor of the network or the noise statistics are missing.
    pub fn published(&self) -> Result<Self, Error> {
        let (used, plain) = (self.layers().tensors(&PREFIXES), self.config.layers().tensors(&PREFIXES));
        let mut names: Vec<_> = used.into_iter().zip(plain).map(|((from, _), (to, _))| (from, to)).collect();
        if self.config.noise == NoiseKind::Frequency {
            names.push((Self::FREQUENCIES.into(), Self::FREQUENCIES.into()));
        }
        let copy = |(from, to): (String, String)| Ok((to, self.get(&from)?.clone()));
        let tensors = names.into_iter().map(copy).collect::<Result<_, Error>>()?;
        Ok(Self { config: self.config.clone(), step: self.step, tensors })
    }

    /// Checks that the checkpoint can resume training.
    ///
    /// # Errors
    /// If the optimiser's moments or another tensor needed to resume training are missing.
    pub fn check_resumable(&self) -> Result<(), Error> {
        if !has_moments(&self.config, |name| self.tensors.contains_key(name)) {
            let text = "the checkpoint holds a model for sampling only; training cannot go on from it, since the \
                        optimiser's moments were left out";
            return Err(Error::Unsuited(text.into()));
        }
        Self::shapes(&self.config).keys().try_for_each(|name| self.get(name).map(|_| ()))
    }

    fn get(&self, name: &str) -> Result<&Vec<f32>, Error> {
        self.tensors.get(name).ok_or_else(|| Error::Unsuited(format!("the checkpoint lacks the tensor `{name}`")))
    }

    /// The checkpoint as the bytes of a safetensors file.
    ///
    /// # Errors
    /// If a tensor does not belong to a network of these settings.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.serialise().map_err(Error::Unsuited)
    }

    /// Parses the bytes of a checkpoint file.
    ///
    /// # Errors
    /// If the bytes are truncated, from another program or format version, a setting is out of range, or a tensor is
    /// missing or unexpected.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(&mut &bytes[..], bytes.len() as u64).map_err(Error::Unsuited)
    }

    fn serialise(&self) -> Result<Vec<u8>, String> {
        let header = Header {
            version: VERSION,
            step: self.step,
            seed: self.config.seed,
            generator: "ChaCha8, a stream for each purpose and step".into(),
            config: self.config.clone(),
        };
        let header = serde_json::to_string(&header).map_err(|e| e.to_string())?;
        let shapes = shapes(&self.config, true, true);
        let named = |(name, values): (&String, &'_ Vec<f32>)| match shapes.get(name) {
            Some(shape) => Ok((name.clone(), shape.dims().to_vec())),
            None => Err(format!("`{name}` of {} numbers is not a tensor of this network", values.len())),
        };
        let names = self.tensors.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        let named =
            names.into_iter().zip(self.tensors.values()).map(|((name, shape), values)| (name, shape, &values[..]));
        safetensors::to_bytes(&named.collect::<Vec<_>>(), HashMap::from([(ENTRY.into(), header)]))
    }

    /// Reads a checkpoint of `length` bytes; its body only if the header is that of a checkpoint with valid settings.
    fn parse(source: &mut impl Read, length: u64) -> Result<Self, String> {
        let file = safetensors::Header::read(source, length)?;
        let entry = file.metadata.get(ENTRY).ok_or("a safetensors file, but not a checkpoint of this program")?;
        let header: Header =
            serde_json::from_str(entry).map_err(|e| format!("invalid settings: {}", excerpt(&e.to_string())))?;
        let Header { version, step, config, .. } = header;
        if version != VERSION {
            return Err(format!("unsupported format version {version}, this program reads {VERSION}"));
        }
        let invalid = |e: Error| format!("invalid settings: {e}");
        config.check().map_err(invalid)?;
        Error::check_range("step", step as f64, 0.0..=1e9).map_err(invalid)?;
        let contains = |name: &str| file.contains(name);
        let moments = has_moments(&config, contains);
        let average = has_average(&config, contains) || moments && config.averaged().is_some();
        let expected = shapes(&config, average, moments);
        let expected = expected.into_iter().map(|(name, shape)| (name, shape.dims().to_vec())).collect();
        Ok(Self { config, step, tensors: file.read_tensors(source, &expected)? })
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Checkpoint {
    /// The path of a file in a run folder, given the folder or its checkpoint.
    pub fn beside(run: &Path, file: &str) -> PathBuf {
        if run.is_dir() { run.join(file) } else { run.with_file_name(file) }
    }

    /// Loads the checkpoint from a file or a run folder.
    ///
    /// # Errors
    /// If the file is missing or truncated, is from another program or format version, a setting is out of range, or a
    /// tensor is missing or unexpected.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let path = if path.is_dir() { path.join(Self::FILE) } else { path.into() };
        let (mut file, length) = crate::files::open(&path)?;
        Self::parse(&mut file, length).map_err(|reason| FileError::new(path, reason))
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// If a tensor does not belong to a network of these settings, or the file cannot be written. An older file then
    /// remains.
    #[cfg(feature = "train")]
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        crate::files::replace(path, &self.serialise().map_err(|reason| FileError::new(path, reason))?)
    }
}

/// Names and shapes of the tensors of a network of these settings, optionally with averaged weights and with the
/// optimiser's moments.
fn shapes(config: &Config, average: bool, moments: bool) -> BTreeMap<String, Shape> {
    let layers = config.layers();
    let mut shapes: BTreeMap<_, _> = layers.tensors(&PREFIXES).into_iter().collect();
    if config.noise == NoiseKind::Frequency {
        let numbers = FrequencyStatistics::numbers(config.network.image());
        shapes.insert(Checkpoint::FREQUENCIES.into(), [numbers].into());
    }
    if average {
        shapes.extend(Average::of(&layers).tensors(&PREFIXES));
    }
    if moments {
        let both = |p: Parameter| Adam::moments(&p.name).map(|moment| (moment, p.shape.clone()));
        shapes.extend(layers.parameters().into_iter().flat_map(both));
        shapes.extend(config.feature_extractor().into_iter().flat_map(|features| features.tensors(&[""])));
    }
    shapes
}

/// Whether the tensors include averaged weights.
fn has_average(config: &Config, contains: impl Fn(&str) -> bool) -> bool {
    Average::of(&config.layers()).parameters().iter().any(|p| contains(&p.name))
}

/// Whether the tensors include the optimiser's moments.
fn has_moments(config: &Config, contains: impl Fn(&str) -> bool) -> bool {
    let parameters = config.layers().parameters();
    parameters.iter().flat_map(|p| Adam::moments(&p.name)).any(|moment| contains(&moment))
}
