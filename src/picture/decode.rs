//! Picture files, decoded within bounds of memory and time.

use super::{FORMATS, jpeg};
use crate::files::{FileError, open};
use crate::panics::caught;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

/// The largest number of pixels of a picture that is read: 24·2²⁰, which has room for 6016×4016. With at most 9 bytes per
/// pixel while it is decoded, a picture then takes less than 256 MiB. A JPEG of four components may have three quarters
/// of that.
pub const PIXELS: u64 = 24 << 20;
/// The largest compressed size in bytes of a JPEG or WebP, which are held in memory while they are decoded.
const COMPRESSED: u64 = 32 << 20;
/// Bound of a decoder's own allocations, in bytes.
const DECODER: u64 = 8 * PIXELS;

/// Whether a file's name says that it is a picture in one of the [`FORMATS`].
pub(crate) fn has_picture_name(path: &Path) -> bool {
    let format = path.extension().and_then(ImageFormat::from_extension);
    format.is_some_and(is_read)
}

/// Whether a file's contents begin as those of a picture in one of the [`FORMATS`].
pub(crate) fn is_picture(path: &Path) -> Result<bool, FileError> {
    let (file, _) = open(path)?;
    let mut reader = BufReader::new(file);
    Ok(format(path, &mut reader)?.is_some())
}

/// Decodes a picture. The orientation is that of its metadata, and is not applied yet.
pub(super) fn decode(path: &Path) -> Result<(DynamicImage, Orientation), FileError> {
    let failed = |reason: String| FileError::new(path, reason);
    let unreadable = |e| FileError::unreadable(path, &e);
    let too_large = |length| failed(format!("the picture has {length} bytes, and the limit is {COMPRESSED}"));
    let (file, mut length) = open(path)?;
    let mut reader = BufReader::new(file);
    let Some(format) = format(path, &mut reader)? else {
        let empty = reader.fill_buf().map_err(unreadable)?.is_empty();
        let what = if empty { "the file is empty".into() } else { format!("the contents are no {FORMATS}") };
        return Err(failed(what));
    };
    let mut limit = PIXELS;
    if format == ImageFormat::Jpeg {
        let markers = jpeg::markers(&mut reader.by_ref().take(COMPRESSED)).map_err(unreadable)?;
        let markers = markers.ok_or_else(|| match length > COMPRESSED {
            true => too_large(length),
            false => failed("the JPEG is truncated: its end marker is missing".into()),
        })?;
        reader.rewind().map_err(unreadable)?;
        length = markers.length;
        if markers.components > 3 {
            limit = PIXELS / 4 * 3;
        }
    }
    if matches!(format, ImageFormat::Jpeg | ImageFormat::WebP) && length > COMPRESSED {
        return Err(too_large(length));
    }
    // A few damaged files make a decoder panic.
    let decoded = caught(|| within_limits(reader.take(length), format, limit));
    let decoded = decoded.unwrap_or_else(|_| Err(format!("the {} cannot be decoded: it is damaged", name(format))));
    decoded.map_err(failed)
}

/// Decodes a picture of up to `limit` pixels, or says why not.
fn within_limits(
    reader: impl BufRead + Seek,
    format: ImageFormat,
    limit: u64,
) -> Result<(DynamicImage, Orientation), String> {
    let undecodable = |e| format!("the {} cannot be decoded: {e}", name(format));
    let mut reader = ImageReader::with_format(reader, format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODER);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if !(1..=limit).contains(&pixels) {
        return Err(format!("the picture has {width}×{height} = {pixels} pixels, and the limit is {limit}"));
    }
    // Metadata that cannot be read does not make the picture unreadable.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    Ok((picture, orientation))
}

/// The format by the file's contents, if it is one of the [`FORMATS`].
fn format(path: &Path, reader: &mut BufReader<File>) -> Result<Option<ImageFormat>, FileError> {
    let start = reader.fill_buf().map_err(|e| FileError::unreadable(path, &e))?;
    Ok(image::guess_format(start).ok().filter(|&format| is_read(format)))
}

fn is_read(format: ImageFormat) -> bool {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    matches!(format, Jpeg | Png | WebP | Bmp | Gif)
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "GIF",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_is_an_error() {
        let chunk = |kind: &[u8], content: &[u8]| {
            let body = [kind, content].concat();
            let mut sum = flate2::Crc::new();
            sum.update(&body);
            [&(content.len() as u32).to_be_bytes(), &body[..], &sum.sum().to_be_bytes()].concat()
        };
        // A palette of four colours and a third.
        let file = [
            b"\x89PNG\r\n\x1a\n",
            &chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 0, 0, 0])[..],
            &chunk(b"PLTE", &[0; 13]),
            // One row of one pixel, not compressed.
            &chunk(b"IDAT", &[0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0, 0, 2, 0, 1]),
            &chunk(b"IEND", &[]),
        ]
        .concat();
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("picture");
        std::fs::write(&path, file).unwrap();
        let error = decode(&path).unwrap_err().to_string();
        assert!(error.ends_with("the PNG cannot be decoded: it is damaged"), "{error}");
    }
}
