//! Data sets: images in memory, from MNIST's format and from folders of pictures, and the batches of a training.
//!
//! Images in memory and their batches work in a browser.

mod batches;
mod error;
#[cfg(feature = "train")]
mod folder;
mod idx;
mod images;
#[cfg(feature = "train")]
mod load;
mod summary;

pub use batches::Batches;
pub use error::DataError;
pub use images::Images;
pub use summary::{HeldOut, Summary};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Training images.
    Train,
    /// Test images, excluded from training.
    Test,
}

/// A part of a data set, and what was done and left out when it was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The images.
    pub images: Images,
    /// What is to be said about them.
    pub summary: Summary,
}

impl From<Images> for Loaded {
    /// Images about which nothing is to be said.
    fn from(images: Images) -> Self {
        Self { images, summary: Summary::default() }
    }
}
