use crate::train::TrainError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why something could not be measured.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum MetricsError {
    /// What training can fail by: the adapter, the tape, data, files.
    #[error(transparent)]
    Train(TrainError),
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

/// A training error, and whatever becomes one.
impl<E: Into<TrainError>> From<E> for MetricsError {
    fn from(error: E) -> Self {
        Self::Train(error.into())
    }
}

impl MetricsError {
    pub(super) fn classifier(path: &Path, problem: impl ToString) -> Self {
        Self::Classifier { path: path.into(), problem: problem.to_string() }
    }
}
