use crate::data::DataError;
use crate::gpu::GpuError;
use crate::ops::CompileError;
use crate::tape::TapeError;
use crate::train::TrainError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why something could not be measured.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum MetricsError {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Tape(#[from] TapeError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Numbers are no rows of features, or too few.
    #[error("{0}")]
    Features(String),
    /// A file of a classifier cannot be used.
    #[error("{path}: {problem}")]
    Classifier { path: PathBuf, problem: String },
    /// What was asked for makes no sense for this network or these data.
    #[error("{0}")]
    Unsuited(String),
}

impl MetricsError {
    pub(super) fn classifier(path: &Path, problem: impl ToString) -> Self {
        Self::Classifier { path: path.into(), problem: problem.to_string() }
    }
}
