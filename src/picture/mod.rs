//! Pictures: grids of images written as PNG files, and picture files read as images.

mod background;
#[cfg(feature = "train")]
mod decode;
#[cfg(feature = "train")]
mod fit;
#[cfg(feature = "train")]
mod grid;
#[cfg(feature = "train")]
mod jpeg;
#[cfg(feature = "train")]
mod read;

pub use background::Background;
#[cfg(feature = "train")]
pub use {
    decode::PIXELS,
    grid::Grid,
    read::{Picture, normalise, read_picture},
};

#[cfg(feature = "train")]
pub(crate) use {
    decode::{FORMATS, has_picture_name, is_picture},
    fit::fit,
};
