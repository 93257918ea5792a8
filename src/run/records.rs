use crate::method::Losses;
use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_can_be_written_and_read_again() {
        let record = |rec: &str| {
            serde_json::from_str::<Metrics>(&format!(
                r#"{{"step":1,"rec":{rec},"idem":0.1,"tight":0,"variance":1,"images_per_second":2}}"#
            ))
        };
        for rec in ["0.1", "-3.4e38", "1e-300", "7"] {
            let read = record(rec).unwrap();
            let written = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Metrics>(&written).unwrap(), read);
        }
        for rec in ["1e300", "-3.5e38", "null"] {
            assert!(record(rec).is_err(), "{rec}");
        }
    }
}
