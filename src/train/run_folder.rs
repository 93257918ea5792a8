use super::{Checkpoint, Losses, TrainError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Steps done, this one included.
    pub step: u64,
    /// The losses of this step.
    #[serde(flatten)]
    pub losses: Losses,
    /// Since the line before.
    pub images_per_second: f64,
}

/// What a training was started with, and where: once, and again for each time it went on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The command line.
    pub command: String,
    /// The adapter, with its driver.
    pub adapter: String,
    /// Operating system and architecture.
    pub system: String,
    /// Cores that the process could use.
    pub cores: usize,
    /// The version of this crate.
    pub version: String,
}

impl Origin {
    /// This process, on `adapter`.
    pub fn here(adapter: &str) -> Self {
        Self {
            command: std::env::args().collect::<Vec<_>>().join(" "),
            adapter: adapter.into(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// A folder with everything that a training leaves: `config.json`, `origin.jsonl`, `metrics.jsonl`, `samples/*.png` and
/// `checkpoint.safetensors`.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// A new run in `path`.
    ///
    /// # Errors
    /// Where there is already a run, which is left alone, or the folder cannot be made.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        let folder = Self(path.into());
        if folder.metrics().exists() || folder.checkpoint().exists() {
            let reason = "there is a run in this folder already; go on with --resume, or name another with --out";
            return Err(TrainError::file(path, reason));
        }
        std::fs::create_dir_all(folder.samples()).map_err(|e| TrainError::file(path, e))?;
        Ok(folder)
    }

    /// The run in `path`, to go on after `step`. Metrics beyond it are dropped, since they will be written again.
    pub fn resume(path: &Path, step: u64) -> Result<Self, TrainError> {
        let folder = Self(path.into());
        std::fs::create_dir_all(folder.samples()).map_err(|e| TrainError::file(path, e))?;
        let kept: Vec<_> = folder.read_metrics()?.into_iter().filter(|m| m.step <= step).collect();
        let lines: String = kept.iter().map(line).collect();
        crate::file::replace(&folder.metrics(), lines.as_bytes()).map_err(|e| TrainError::file(folder.metrics(), e))?;
        Ok(folder)
    }

    /// What there is in `path`, to be read.
    pub fn open(path: &Path) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `checkpoint.safetensors`
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join(Checkpoint::FILE)
    }

    /// `metrics.jsonl`
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// `samples`
    pub fn samples(&self) -> PathBuf {
        self.0.join("samples")
    }

    /// The picture after `step`.
    pub fn sample(&self, step: u64) -> PathBuf {
        self.samples().join(format!("step-{step:06}.png"))
    }

    /// Writes `config.json`.
    pub fn write_config(&self, config: &super::Config) -> Result<(), TrainError> {
        let path = self.0.join("config.json");
        let json = serde_json::to_vec_pretty(config).map_err(|e| TrainError::file(&path, e))?;
        crate::file::replace(&path, &json).map_err(|e| TrainError::file(path, e))
    }

    /// The settings in `config.json`.
    pub fn read_config(&self) -> Result<super::Config, TrainError> {
        let path = self.0.join("config.json");
        let json = std::fs::read(&path).map_err(|e| TrainError::file(&path, e))?;
        serde_json::from_slice(&json).map_err(|e| TrainError::file(path, e))
    }

    /// Adds a line to `origin.jsonl`.
    pub fn add_origin(&self, origin: &Origin) -> Result<(), TrainError> {
        add(&self.origin(), &line(origin))
    }

    /// Every start of this training.
    pub fn read_origins(&self) -> Result<Vec<Origin>, TrainError> {
        read_lines(&self.origin())
    }

    fn origin(&self) -> PathBuf {
        self.0.join("origin.jsonl")
    }

    /// Step and file of each picture, in order.
    pub fn list_samples(&self) -> Result<Vec<(u64, PathBuf)>, TrainError> {
        let folder = self.samples();
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            other => other.map_err(|e| TrainError::file(&folder, e))?,
        };
        let step = |path: PathBuf| {
            let name = path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".png")?;
            Some((name.parse().ok()?, path))
        };
        let mut samples: Vec<_> = entries.filter_map(|entry| step(entry.ok()?.path())).collect();
        samples.sort();
        Ok(samples)
    }

    /// Adds a line to `metrics.jsonl`.
    pub fn append(&self, metrics: &Metrics) -> Result<(), TrainError> {
        add(&self.metrics(), &line(metrics))
    }

    /// The lines of `metrics.jsonl`, none where there is no such file. A last line that was not written completely is
    /// left out.
    pub fn read_metrics(&self) -> Result<Vec<Metrics>, TrainError> {
        read_lines(&self.metrics())
    }
}

fn add(path: &Path, line: &str) -> Result<(), TrainError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.map_err(|e| TrainError::file(path, e))
}

fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TrainError> {
    let text = match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(|e| TrainError::file(path, e))?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| TrainError::file(path, format!("line {}: {e}", i + 1)))
    };
    whole.lines().enumerate().map(parse).collect()
}

fn line(value: &impl Serialize) -> String {
    // Plain numbers and text always have a form in JSON; a number that is not finite becomes null.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
