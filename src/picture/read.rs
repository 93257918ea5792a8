use crate::files::FileError;
use image::imageops::FilterType;
use std::path::Path;

/// Maps a byte to [-1, 1]: byte/127.5 − 1.
pub fn normalise(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}

/// Reads a picture of any size as `[C, H, W]` in [-1, 1]: cropped around its centre to the aspect ratio of the shape,
/// and resized.
///
/// # Errors
/// If the file cannot be read, or is not a picture.
pub fn read_picture(path: &Path, shape: [usize; 3]) -> Result<Vec<f32>, FileError> {
    Ok(read_bytes(path, shape)?.into_iter().map(normalise).collect())
}

/// Like [`read_picture`], as bytes.
pub(crate) fn read_bytes(path: &Path, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, FileError> {
    let unreadable = |e| FileError::unreadable(path, &e);
    let opened = image::ImageReader::open(path).map_err(unreadable)?;
    let opened = opened.with_guessed_format().map_err(unreadable)?;
    let picture = opened.decode().map_err(|e| FileError::new(path, format!("not a readable picture: {e}")))?;
    let picture = picture.resize_to_fill(width as u32, height as u32, FilterType::Triangle);
    if channels == 1 {
        return Ok(picture.into_luma8().into_raw());
    }
    let pixels = picture.into_rgb8().into_raw();
    Ok((0..channels).flat_map(|c| pixels.iter().skip(c % 3).step_by(3).copied()).collect())
}
