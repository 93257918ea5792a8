use super::idx::BYTES;
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
    #[error("{path} holds neither MNIST's files (train-images-idx3-ubyte, gzipped or not) nor pictures{detail}")]
    NoData {
        /// The folder.
        path: PathBuf,
        /// The end of the message: what is missing, and what there is.
        detail: String,
    },
    /// A folder whose pictures are all held out.
    #[error("{path}: all pictures ({count}) are held out by the names of their folders; none is left for training")]
    NoTraining {
        /// The folder.
        path: PathBuf,
        /// The number of pictures.
        count: usize,
    },
    /// A folder without held-out pictures.
    #[error("{path}: no picture of {count} is held out for testing; that needs at least ten, or a subfolder `test`")]
    NoTest {
        /// The folder.
        path: PathBuf,
        /// The number of pictures.
        count: usize,
    },
    /// A folder with some of MNIST's files, but not with that of the images.
    #[error("{path} has no file {missing}, gzipped or not; there are {present}")]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// The name of the missing file.
        missing: String,
        /// The names of those of MNIST's files that there are.
        present: String,
    },
    /// A folder with too many pictures that cannot be read.
    #[error("{path}: {count} of {total} pictures cannot be read: {first}")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The number of pictures that cannot be read.
        count: usize,
        /// The number of pictures.
        total: usize,
        /// The first of these pictures, with the reasons.
        first: String,
    },
    /// Images in memory that are none, or labels that are not theirs.
    #[error("these are no images to learn from: {reason}")]
    Images {
        /// What is missing.
        reason: String,
    },
    /// A folder with more pictures than fit into memory.
    #[error(
        "{path}: {count} pictures need {bytes} bytes at the network's size of {shape:?}, and the limit is {BYTES}; use a smaller network or fewer pictures"
    )]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The number of pictures.
        count: usize,
        /// The number of bytes.
        bytes: u64,
        /// The shape of an image.
        shape: [usize; 3],
    },
    /// A batch size that the data set does not allow.
    #[error("a batch of {batch} cannot be drawn from {len} images: batch norm needs at least 2{}", range(*.len))]
    Batch {
        /// The requested batch size.
        batch: usize,
        /// The number of images.
        len: usize,
    },
}

fn range(len: usize) -> String {
    match len {
        0..2 => " images".into(),
        _ => format!("; use a batch size between 2 and {len}"),
    }
}
