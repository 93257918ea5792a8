use std::path::PathBuf;
use thiserror::Error;

/// Why data could not be read.
#[derive(Debug, Error)]
pub enum DataError {
    /// The system refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// A folder has nothing to train on.
    #[error(
        "{path} holds neither MNIST's files (train-images-idx3-ubyte, gzipped or not) nor JPEG or PNG images{detail}"
    )]
    NoData {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        detail: String,
    },
    /// A batch cannot be filled.
    #[error("a batch of {batch} cannot be drawn from {len} images; use a batch between 1 and {len}")]
    Batch {
        /// The size asked for.
        batch: usize,
        /// How many images there are.
        len: usize,
    },
}
