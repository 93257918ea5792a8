use super::checkpoint::CheckpointError;
use crate::data::DataError;
use crate::gpu::GpuError;
use crate::ops::CompileError;
use crate::picture::PictureError;
use crate::tape::TapeError;
use std::path::PathBuf;
use thiserror::Error;

/// Why training stopped, or did not start.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum TrainError {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Tape(#[from] TapeError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A setting is out of its range.
    #[error("{0}")]
    Config(String),
    /// A file of the run cannot be written or read.
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
}

impl TrainError {
    pub(crate) fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}
