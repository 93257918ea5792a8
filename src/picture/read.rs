use super::Background;
use super::decode::decode;
use super::fit::fit;
use crate::files::FileError;
use std::path::Path;

/// A picture file as an image of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The pixels `[C, H, W]`, one byte per value, with 0 for black.
    pub pixels: Vec<u8>,
    /// The grey level that was put behind transparent parts, 0 (black) or 255 (white), if the picture has any.
    pub background: Option<u8>,
}

/// Reads a JPEG, PNG, WebP, BMP or GIF (its first frame) of up to [`PIXELS`](super::PIXELS) pixels as an image of shape
/// `[C, H, W]`. It is turned as its EXIF orientation says, cropped around its centre to the aspect ratio of the shape, and
/// resized. Transparent parts show `background`.
///
/// # Errors
/// If the file cannot be read, is no picture, is damaged or truncated, or has too many pixels.
pub fn read_picture(path: &Path, shape: [usize; 3], background: Background) -> Result<Picture, FileError> {
    let (picture, orientation) = decode(path)?;
    let (pixels, background) = fit(&picture, orientation, shape, background);
    Ok(Picture { pixels, background })
}
