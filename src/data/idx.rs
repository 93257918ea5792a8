//! MNIST's file format, IDX, gzipped or not: a magic number 0x0000_08_dd for bytes in dd dimensions, dd extents as
//! big-endian u32, then the bytes (<http://yann.lecun.com/exdb/mnist/>). Labels have one dimension, grey images three
//! (N, H, W), and colour images four: (N, H, W, 3) or (N, 3, H, W).

use crate::files::FileError;
use std::io::Read;
use std::path::{Path, PathBuf};
#[cfg(feature = "train")]
use {
    crate::picture::{Background, PIXELS, fit},
    flate2::read::MultiGzDecoder,
    image::metadata::Orientation,
    image::{DynamicImage, GrayImage, RgbImage},
    std::fs::File,
    std::io::{BufRead, BufReader},
};

/// The largest size of a data set in bytes, in its file and as images of a network: 4 GiB.
pub(super) const BYTES: u64 = 4 << 30;

/// An IDX file whose header was read.
pub(super) struct Idx<'a> {
    /// The name for errors.
    path: PathBuf,
    extents: Vec<u32>,
    /// The number of bytes that the header promises, at most [`BYTES`].
    total: u64,
    stream: Box<dyn Read + 'a>,
}

impl<'a> Idx<'a> {
    /// Opens a file of labels or images, gzipped or not, whose number of dimensions is one of `dimensions`.
    #[cfg(feature = "train")]
    pub fn open(path: &Path, dimensions: &[usize]) -> Result<Self, FileError> {
        let failed = |e| unreadable(path, e);
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let gzipped = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let stream: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Self::read(path, stream, dimensions)
    }

    /// Reads the header of bytes whose number of dimensions is one of `dimensions`. `path` is their name in errors.
    pub fn read(path: &Path, mut stream: Box<dyn Read + 'a>, dimensions: &[usize]) -> Result<Self, FileError> {
        let failed = |e| unreadable(path, e);
        let mut number = || -> Result<u32, FileError> {
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).map_err(failed)?;
            Ok(u32::from_be_bytes(bytes))
        };
        let magic = number()?;
        let found = (magic as usize).wrapping_sub(0x0800);
        if !dimensions.contains(&found) {
            let what = |magic| match magic {
                0x0801 => "a label file (0x00000801)".into(),
                0x0803 => "an image file (0x00000803)".into(),
                0x0804 => "a file of colour images (0x00000804)".into(),
                other => format!("not an IDX file of bytes (it starts with 0x{other:08x})"),
            };
            let expected = what(0x0800 + dimensions[0] as u32);
            return Err(FileError::new(path, format!("this is {}, where {expected} is needed", what(magic))));
        }
        let extents = (0..found).map(|_| number()).collect::<Result<Vec<_>, _>>()?;
        let total = bounded(path, &extents, &extents, "bytes")?;
        Ok(Self { path: path.into(), extents, total, stream })
    }

    /// The number of images or labels.
    #[cfg(feature = "train")]
    pub fn count(&self) -> usize {
        self.extents[0] as usize
    }

    /// Channels, height and width of the images.
    ///
    /// # Errors
    /// If a file of four dimensions has not three channels, last or second.
    pub fn image(&self) -> Result<[usize; 3], FileError> {
        match *self.extents.iter().map(|&extent| extent as usize).collect::<Vec<_>>() {
            [_, height, width] => Ok([1, height, width]),
            [_, height, width, 3] | [_, 3, height, width] => Ok([3, height, width]),
            _ => {
                let problem =
                    format!("{:?} are no colour images: three channels must come last or second", self.extents);
                Err(FileError::new(&self.path, problem))
            }
        }
    }

    /// The first images or labels: `most` of them, or all if there are fewer.
    pub fn first(mut self, most: usize) -> Result<Vec<u8>, FileError> {
        let count = u64::from(self.extents[0]);
        match most as u64 {
            most if most < count => self.next(0, self.total / count * most),
            _ => self.bytes(),
        }
    }

    /// All bytes of the file.
    pub fn bytes(mut self) -> Result<Vec<u8>, FileError> {
        let bytes = self.next(0, self.total)?;
        self.end().map(|()| bytes)
    }

    /// The images, fitted to `[C, H, W]` like pictures.
    #[cfg(feature = "train")]
    pub fn images(mut self, shape: [usize; 3]) -> Result<Vec<u8>, FileError> {
        let [channels, height, width] = self.image()?;
        if [channels, height, width] == shape && channels == 1 {
            return self.bytes();
        }
        let pixels = height as u64 * width as u64;
        if pixels > PIXELS {
            let problem = format!("the images have {height}×{width} = {pixels} pixels, and the limit is {PIXELS}");
            return Err(FileError::new(&self.path, problem));
        }
        let [c, h, w] = shape.map(|n| n as u32);
        bounded(&self.path, &self.extents, &[self.extents[0], c, h, w], "bytes as images of the network")?;
        let one = channels as u64 * pixels;
        let planes = channels == 3 && self.extents[3] != 3;
        let mut fitted = vec![];
        for i in 0..self.count() as u64 {
            let bytes = self.next(i * one, one)?;
            let image = match channels {
                1 => GrayImage::from_raw(width as u32, height as u32, bytes).map(DynamicImage::ImageLuma8),
                _ => {
                    let bytes = if planes { interleaved(&bytes) } else { bytes };
                    RgbImage::from_raw(width as u32, height as u32, bytes).map(DynamicImage::ImageRgb8)
                }
            };
            let image = image.expect("an image has channels × height × width bytes");
            fitted.extend(fit(&image, Orientation::NoTransforms, shape, Background::Auto).0);
        }
        self.end().map(|()| fitted)
    }

    /// The next `count` bytes, after `before` others. The buffer grows with the data read: the header is not trusted.
    fn next(&mut self, before: u64, count: u64) -> Result<Vec<u8>, FileError> {
        let mut bytes = vec![];
        self.stream.by_ref().take(count).read_to_end(&mut bytes).map_err(|e| unreadable(&self.path, e))?;
        if (bytes.len() as u64) < count {
            let (extents, total, found) = (&self.extents, self.total, before + bytes.len() as u64);
            let problem = format!("the file is truncated: {extents:?} needs {total} bytes, there are {found}");
            return Err(FileError::new(&self.path, problem));
        }
        Ok(bytes)
    }

    /// Checks that nothing follows. This also makes gzip check its sum.
    fn end(&mut self) -> Result<(), FileError> {
        match self.stream.read(&mut [0]).map_err(|e| unreadable(&self.path, e))? {
            0 => Ok(()),
            _ => {
                let problem = format!("the file has more than the {} bytes of {:?}", self.total, self.extents);
                Err(FileError::new(&self.path, problem))
            }
        }
    }
}

/// The pixels `[H, W, 3]` of planes `[3, H, W]`.
#[cfg(feature = "train")]
fn interleaved(planes: &[u8]) -> Vec<u8> {
    let size = planes.len() / 3;
    (0..3 * size).map(|i| planes[i % 3 * size + i / 3]).collect()
}

/// The number of bytes of an array of `needed` extents, which the header's `extents` lead to.
fn bounded(path: &Path, extents: &[u32], needed: &[u32], what: &str) -> Result<u64, FileError> {
    let total = needed.iter().try_fold(1u64, |total, &extent| total.checked_mul(extent.into()));
    total.filter(|total| (1..=BYTES).contains(total)).ok_or_else(|| {
        let total = total.map_or("more than 2⁶⁴".into(), |total| total.to_string());
        FileError::new(
            path,
            format!("the header promises {extents:?}: {total} {what}, and the limits are 1 and {BYTES}"),
        )
    })
}

fn unreadable(path: &Path, source: std::io::Error) -> FileError {
    match source.kind() {
        std::io::ErrorKind::UnexpectedEof => FileError::new(path, "the file is truncated"),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            FileError::new(path, format!("the gzip stream is damaged ({source})"))
        }
        _ => FileError::unreadable(path, &source),
    }
}
