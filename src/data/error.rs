use crate::files::FileError;
use std::path::PathBuf;
use thiserror::Error;

/// An error of a data set.
#[derive(Clone, Debug, Error)]
pub enum DataError {
    /// A file or folder that cannot be read or is malformed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder without suitable images.
    #[error(
        "{path} holds neither MNIST's files (train-images-idx3-ubyte, gzipped or not) nor JPEG or PNG images{detail}"
    )]
    NoData {
        /// The folder.
        path: PathBuf,
        /// The end of the message: the missing part of the data set, if only a part is missing.
        detail: String,
    },
    /// A batch size that the data set does not allow.
    #[error("a batch of {batch} cannot be drawn from {len} images; use a batch size between 1 and {len}")]
    Batch {
        /// The requested batch size.
        batch: usize,
        /// The number of images.
        len: usize,
    },
}
