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
    read::{Picture, read_picture},
};

#[cfg(feature = "train")]
pub(crate) use {
    decode::{has_picture_name, is_picture},
    fit::fit,
};

/// The formats that are read, for messages.
pub(crate) const FORMATS: &str = "JPEG, PNG, WebP, BMP or GIF";

/// Maps a byte to [-1, 1]: byte/127.5 − 1.
pub fn normalise(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}
