use std::path::PathBuf;
use thiserror::Error;

/// An error of a file or folder: a checkpoint, a picture, a data set or a file of a run.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// The reason, as text.
    pub reason: String,
}

impl FileError {
    pub(crate) fn new(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self { path: path.into(), reason: reason.to_string() }
    }

    /// A read error of the system.
    pub(crate) fn unreadable(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::new(path, format!("cannot be read: {error}"))
    }

    /// A write error of the system.
    #[cfg(feature = "train")]
    pub(crate) fn unwritable(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::new(path, format!("cannot be written: {error}"))
    }
}
