//! Folders of pictures.

use super::DataError;
use super::idx::malformed;
use image::imageops::FilterType;
use std::path::{Path, PathBuf};

/// The JPEG and PNG files in `folder` and below, in order of their paths.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Read { path: folder.into(), source };
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(list(&path)?);
        } else if is_picture(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    extension.is_some_and(|e| ["jpg", "jpeg", "png"].contains(&e.as_str()))
}

/// Reads a picture of any size as `[channels, height, width]` bytes: its middle in the proportions asked for, resized.
pub(super) fn picture(path: &Path, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, DataError> {
    let opened = image::ImageReader::open(path).map_err(|source| DataError::Read { path: path.into(), source })?;
    let opened = opened.with_guessed_format().map_err(|source| DataError::Read { path: path.into(), source })?;
    let picture = opened.decode().map_err(|e| malformed(path, format!("not a picture that can be read: {e}")))?;
    let picture = picture.resize_to_fill(width as u32, height as u32, FilterType::Triangle);
    if channels == 1 {
        return Ok(picture.into_luma8().into_raw());
    }
    let pixels = picture.into_rgb8().into_raw();
    Ok((0..channels).flat_map(|c| pixels.iter().skip(c % 3).step_by(3).copied()).collect())
}
