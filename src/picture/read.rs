use super::Background;
use super::decode::decode;
use super::fit::fit;
use crate::files::FileError;
use image::{GenericImageView, Rgba};
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

/// The shorter side of a picture in pixels, and whether it has colours: a pixel whose channels differ and which is visible.
///
/// # Errors
/// As [`read_picture`].
pub(crate) fn facts(path: &Path) -> Result<(usize, bool), FileError> {
    let (picture, _) = decode(path)?;
    let side = picture.width().min(picture.height()) as usize;
    let coloured = |Rgba([r, g, b, a]): Rgba<u8>| a > 0 && !(r == g && g == b);
    Ok((side, picture.color().has_color() && picture.pixels().any(|(_, _, pixel)| coloured(pixel))))
}
