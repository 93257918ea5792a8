use serde::{Deserialize, Serialize};

/// The unweighted losses of a step, and the variance of f(z) over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Losses {
    pub rec: f32,
    pub idem: f32,
    pub tight: f32,
    pub variance: f32,
}

/// One line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The number of completed steps, this one included.
    pub step: u64,
    /// The losses of this step.
    #[serde(flatten)]
    pub losses: Losses,
    /// Training images per second of wall-clock time since the previous line.
    pub images_per_second: f64,
}

/// The command and the machine of a training, recorded at its start and whenever it is resumed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The command line.
    pub command: String,
    /// The adapter and its driver.
    pub adapter: String,
    /// Operating system and architecture.
    pub system: String,
    /// Number of CPU cores available to the process.
    pub cores: usize,
    /// The version of this crate.
    pub version: String,
}

impl Origin {
    /// The origin of this process on `adapter`.
    pub fn here(adapter: &str) -> Self {
        Self {
            command: std::env::args_os().map(super::quoted).collect::<Vec<_>>().join(" "),
            adapter: adapter.into(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}
