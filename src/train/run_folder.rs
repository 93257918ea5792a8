use super::{Checkpoint, Losses, TrainError};
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

/// A folder with everything that a training leaves: `config.json`, `metrics.jsonl`, `samples/*.png` and
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

    /// Adds a line to `metrics.jsonl`.
    pub fn append(&self, metrics: &Metrics) -> Result<(), TrainError> {
        let file = OpenOptions::new().create(true).append(true).open(self.metrics());
        let written = file.and_then(|mut file| file.write_all(line(metrics).as_bytes()));
        written.map_err(|e| TrainError::file(self.metrics(), e))
    }

    /// The lines of `metrics.jsonl`, none where there is no such file. A last line that was not written completely is
    /// left out.
    pub fn read_metrics(&self) -> Result<Vec<Metrics>, TrainError> {
        let text = match std::fs::read_to_string(self.metrics()) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            other => other.map_err(|e| TrainError::file(self.metrics(), e))?,
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse = |(i, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|e| TrainError::file(self.metrics(), format!("line {}: {e}", i + 1)))
        };
        whole.lines().enumerate().map(parse).collect()
    }
}

fn line(metrics: &Metrics) -> String {
    // Plain numbers always have a form in JSON; one that is not finite becomes null.
    serde_json::to_string(metrics).unwrap_or_default() + "\n"
}
