//! The error of everything above the engine.

use crate::compile::CompileError;
use crate::data::DataError;
use crate::files::FileError;
use crate::gpu::GpuError;
use crate::tape::TapeError;
use thiserror::Error;

/// An error of a model, a training or a measurement.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum Error {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Tape(#[from] TapeError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Data(#[from] DataError),
    /// A setting out of range.
    #[error("{name} {reason}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// The rest of the message: the value and the permitted range.
        reason: String,
    },
    /// A folder for a new run that already contains a run, or files with the names of a run's.
    #[cfg(feature = "train")]
    #[error("{} already contains {found}", folder.display())]
    Occupied {
        /// The folder.
        folder: std::path::PathBuf,
        /// The name of the first file in the way.
        found: String,
    },
    /// A run folder that another process trains in.
    #[cfg(feature = "train")]
    #[error("{} is in use by {by}", folder.display())]
    InUse {
        /// The folder.
        folder: std::path::PathBuf,
        /// The process, with its host.
        by: String,
    },
    /// Losses or tensors that are infinite or NaN.
    #[error("the training diverged: at step {step}, {what}")]
    NotFinite {
        /// The number of completed steps.
        step: u64,
        /// What is not finite.
        what: String,
    },
    /// Replicas of a data-parallel training that are no longer equal.
    #[error(
        "after step {step}, rank {rank} has other {what} than rank 0. The ranks must have the same program, data and \
         settings; if they do, the machine or the adapter of rank {rank} computes other sums"
    )]
    Replicas {
        /// The number of completed steps.
        step: u64,
        /// The first rank that differs.
        rank: usize,
        /// What differs.
        what: &'static str,
    },
    /// A mismatch: of images and network, of two sets of features, of a checkpoint and its use.
    #[error("{0}")]
    Unsuited(String),
}

impl Error {
    /// Checks that `value` is in `range`.
    pub(crate) fn check_range(
        name: &'static str,
        value: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<(), Self> {
        match range.contains(&value) {
            true => Ok(()),
            false => {
                let reason = format!("is {value}, and must be from {} to {}", range.start(), range.end());
                Err(Self::Setting { name, reason })
            }
        }
    }

    /// Checks that `numbers` are whole images of `shape`, and returns the number of elements per image.
    pub(crate) fn check_images(numbers: &[f32], shape: [usize; 3]) -> Result<usize, Self> {
        let elements: usize = shape.iter().product();
        match elements > 0 && numbers.len().is_multiple_of(elements) {
            true => Ok(elements),
            false => Err(Self::Unsuited(format!("{} numbers are not whole images of shape {shape:?}", numbers.len()))),
        }
    }

    /// Checks that `value` is at least `least`; `why` is appended to the error message.
    #[cfg(feature = "train")]
    pub(crate) fn check_least(name: &'static str, value: u64, least: u64, why: &str) -> Result<(), Self> {
        match value >= least {
            true => Ok(()),
            false => Err(Self::Setting { name, reason: format!("is {value}, and must be at least {least}{why}") }),
        }
    }
}
