//! MNIST's file format, IDX: a magic number 0x0000_08_dd for bytes in dd dimensions, dd extents as big-endian u32, then
//! the bytes (<http://yann.lecun.com/exdb/mnist/>). Gzipped or not.

use super::DataError;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

/// Images `[count, height, width]`.
pub(super) struct IdxImages {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

/// Reads a file of images.
pub(super) fn images(path: &Path) -> Result<IdxImages, DataError> {
    let (extents, pixels) = read(path, 3)?;
    Ok(IdxImages { height: extents[1], width: extents[2], pixels })
}

/// Reads a file of labels.
pub(super) fn labels(path: &Path) -> Result<Vec<u8>, DataError> {
    Ok(read(path, 1)?.1)
}

fn read(path: &Path, dimensions: usize) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::UnexpectedEof => malformed(path, "the file is truncated".into()),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            malformed(path, format!("the gzip stream is damaged ({source})"))
        }
        _ => DataError::Read { path: path.into(), source },
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut start = [0; 2];
    let gzipped = file.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
    file.rewind().map_err(failed)?;
    let mut stream: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };

    let mut number = || -> Result<u32, DataError> {
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
            other => format!("no IDX file of bytes (it starts with 0x{other:08x})"),
        };
        return Err(malformed(path, format!("this is {}, where {} is needed", what(magic), what(expected))));
    }
    let extents = (0..dimensions).map(|_| number().map(|n| n as usize)).collect::<Result<Vec<_>, _>>()?;
    let total = extents.iter().try_fold(1usize, |total, &extent| total.checked_mul(extent));
    let total = total.filter(|&total| total > 0 && total <= 1 << 36);
    let total = total.ok_or_else(|| malformed(path, format!("the header promises an array of {extents:?}")))?;

    // Grows with what is there, not with what an untrusted header promises.
    let mut bytes = vec![];
    stream.by_ref().take(total as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() {
        found if found < total => {
            Err(malformed(path, format!("the file is truncated: {extents:?} needs {total} bytes, there are {found}")))
        }
        found if found > total => Err(malformed(path, format!("there is more than the {total} bytes of {extents:?}"))),
        _ => Ok((extents, bytes)),
    }
}

pub(super) fn malformed(path: &Path, problem: String) -> DataError {
    DataError::Malformed { path: path.into(), problem }
}
