use super::{Metrics, Origin};
use crate::error::Error;
use crate::files::{FileError, excerpt, exists, read, replace};
use crate::model::{Checkpoint, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The output folder of a training: `config.json`, `origin.jsonl`, `metrics.jsonl`, `samples/*.png` and
/// `checkpoint.safetensors`.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Creates a new run in `path`.
    ///
    /// # Errors
    /// If the folder already contains a run, which is left unchanged, or cannot be created.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let folder = Self(path.into());
        if exists(&folder.metrics())? || exists(&folder.checkpoint())? {
            return Err(Error::Occupied(path.into()));
        }
        folder.make()?;
        Ok(folder)
    }

    /// Opens the run in `path` to resume it after `step`. Metrics of later steps are removed, since those steps will be
    /// repeated.
    ///
    /// # Errors
    /// If a file cannot be read or written, or the metrics are malformed.
    pub fn resume(path: &Path, step: u64) -> Result<Self, FileError> {
        let folder = Self(path.into());
        folder.make()?;
        let kept: Vec<_> = folder.read_metrics()?.into_iter().filter(|m| m.step <= step).collect();
        let lines: String = kept.iter().map(line).collect();
        replace(&folder.metrics(), lines.as_bytes())?;
        Ok(folder)
    }

    fn make(&self) -> Result<(), FileError> {
        std::fs::create_dir_all(self.samples()).map_err(|e| FileError::unwritable(self.samples(), &e))
    }

    /// Opens the folder at `path` for reading, without any check.
    pub fn open(path: &Path) -> Self {
        Self(path.into())
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of `checkpoint.safetensors`.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join(Checkpoint::FILE)
    }

    /// The path of `metrics.jsonl`.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// The path of the folder `samples`.
    pub fn samples(&self) -> PathBuf {
        self.0.join("samples")
    }

    /// The path of the sample picture after `step`.
    pub fn sample(&self, step: u64) -> PathBuf {
        self.samples().join(format!("step-{step:06}.png"))
    }

    /// Writes `config.json`.
    pub fn write_config(&self, config: &Config) -> Result<(), FileError> {
        let path = self.0.join("config.json");
        let json = serde_json::to_vec_pretty(config).map_err(|e| FileError::new(&path, e))?;
        replace(&path, &json)
    }

    /// Reads the settings in `config.json`, which must be in their ranges.
    pub fn read_config(&self) -> Result<Config, FileError> {
        let path = self.0.join("config.json");
        let failed = |reason: String| FileError::new(&path, reason);
        let config: Config = serde_json::from_slice(&read(&path)?).map_err(|e| failed(excerpt(&e.to_string())))?;
        config.check().map_err(|e| failed(e.to_string()))?;
        Ok(config)
    }

    /// Appends a line to `origin.jsonl`.
    pub fn add_origin(&self, origin: &Origin) -> Result<(), FileError> {
        add(&self.origin(), &line(origin))
    }

    /// Reads the lines of `origin.jsonl`, one per start or resumption of the training. Empty without such a file.
    pub fn read_origins(&self) -> Result<Vec<Origin>, FileError> {
        read_lines(&self.origin())
    }

    fn origin(&self) -> PathBuf {
        self.0.join("origin.jsonl")
    }

    /// Lists step and path of each sample picture, in order of steps.
    pub fn list_samples(&self) -> Result<Vec<(u64, PathBuf)>, FileError> {
        let folder = self.samples();
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            other => other.map_err(|e| FileError::unreadable(&folder, &e))?,
        };
        let mut samples = vec![];
        for entry in entries {
            let path = entry.map_err(|e| FileError::unreadable(&folder, &e))?.path();
            // Files with other names are not from the training.
            samples.extend(step_of(&path).map(|step| (step, path)));
        }
        samples.sort();
        Ok(samples)
    }

    /// Appends a line to `metrics.jsonl`.
    pub fn append(&self, metrics: &Metrics) -> Result<(), FileError> {
        add(&self.metrics(), &line(metrics))
    }

    /// Reads the lines of `metrics.jsonl`. Empty without such a file. An incomplete last line is omitted.
    pub fn read_metrics(&self) -> Result<Vec<Metrics>, FileError> {
        read_lines(&self.metrics())
    }
}

/// The step in the name of a sample picture.
fn step_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".png")?.parse().ok()
}

fn add(path: &Path, line: &str) -> Result<(), FileError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.map_err(|e| FileError::unwritable(path, &e))
}

fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, FileError> {
    let text = match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(|e| FileError::unreadable(path, &e))?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(i, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|e| FileError::new(path, format!("line {}: {}", i + 1, excerpt(&e.to_string()))))
    };
    whole.lines().enumerate().map(parse).collect()
}

fn line(value: &impl Serialize) -> String {
    // JSON has no infinite or NaN numbers; they become null.
    serde_json::to_string(value).expect("plain numbers and text are valid JSON values") + "\n"
}
