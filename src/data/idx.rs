//! MNIST's file format, IDX, gzipped or not: a magic number 0x0000_08_dd for bytes in dd dimensions, dd extents as
//! big-endian u32, then the bytes (<http://yann.lecun.com/exdb/mnist/>).

use crate::files::FileError;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Images `[count, height, width]`.
pub(super) struct IdxImages {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

/// Reads a file of images.
pub(super) fn images(path: &Path) -> Result<IdxImages, FileError> {
    let (extents, pixels) = read(path, 3)?;
    Ok(IdxImages { height: extents[1], width: extents[2], pixels })
}

/// Reads a file of labels.
pub(super) fn labels(path: &Path) -> Result<Vec<u8>, FileError> {
    Ok(read(path, 1)?.1)
}

fn read(path: &Path, dimensions: usize) -> Result<(Vec<usize>, Vec<u8>), FileError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::UnexpectedEof => FileError::new(path, "the file is truncated"),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            FileError::new(path, format!("the gzip stream is damaged ({source})"))
        }
        _ => FileError::unreadable(path, &source),
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let gzipped = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    let mut stream: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };

    let mut number = || -> Result<u32, FileError> {
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).map_err(failed)?;
        Ok(u32::from_be_bytes(bytes))
    };
    let magic = number()?;
    let expected = 0x0800 + dimensions as u32;
    if magic != expected {
        let what = |magic| match magic {
            0x0801 => "a label file (0x00000801)".into(),
            0x0803 => "an image file (0x00000803)".into(),
            other => format!("not an IDX file of bytes (it starts with 0x{other:08x})"),
        };
        return Err(FileError::new(path, format!("this is {}, where {} is needed", what(magic), what(expected))));
    }
    let extents = (0..dimensions).map(|_| number()).collect::<Result<Vec<_>, _>>()?;
    let total = extents.iter().try_fold(1u64, |total, &extent| total.checked_mul(extent.into()));
    let total = total.filter(|total| (1..=1 << 36).contains(total));
    let total = total.ok_or_else(|| FileError::new(path, format!("the header promises an array of {extents:?}")))?;

    // The buffer grows with the data read; the extents in the header are not trusted.
    let mut bytes = vec![];
    stream.by_ref().take(total + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 {
        found if found < total => Err(FileError::new(
            path,
            format!("the file is truncated: {extents:?} needs {total} bytes, there are {found}"),
        )),
        found if found > total => {
            Err(FileError::new(path, format!("the file has more than the {total} bytes of {extents:?}")))
        }
        _ => Ok((extents.into_iter().map(|extent| extent as usize).collect(), bytes)),
    }
}
