//! Pictures: grids of images written as PNG files, and picture files read as images.

mod grid;
mod read;

pub use grid::Grid;
pub use read::{normalise, read_picture};

pub(crate) use read::read_bytes;
