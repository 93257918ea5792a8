//! MNIST's file format, IDX, gzipped or not: a magic number 0x0000_08_dd for bytes in dd dimensions, dd extents as
//! big-endian u32, then the bytes (<http://yann.lecun.com/exdb/mnist/>).

use crate::files::FileError;
use std::io::Read;
use std::path::{Path, PathBuf};
#[cfg(feature = "train")]
use {
    crate::picture::{Background, PIXELS, fit},
    flate2::read::MultiGzDecoder,
    image::metadata::Orientation,
    image::{DynamicImage, GrayImage},
    std::fs::File,
    std::io::{BufRead, BufReader},
};

/// The largest size of a data set in bytes, in its file and as images of a network: 4 GiB.
const BYTES: u64 = 4 << 30;

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
    /// Opens a file of bytes in `dimensions` dimensions, gzipped or not.
    #[cfg(feature = "train")]
    pub fn open(path: &Path, dimensions: usize) -> Result<Self, FileError> {
        let failed = |e| unreadable(path, e);
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let gzipped = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let stream: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Self::read(path, stream, dimensions)
    }

    /// Reads the header of bytes in `dimensions` dimensions. `path` is their name in errors.
    pub fn read(path: &Path, mut stream: Box<dyn Read + 'a>, dimensions: usize) -> Result<Self, FileError> {
        let failed = |e| unreadable(path, e);
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
        let total = bounded(path, &extents, &extents, "bytes")?;
        Ok(Self { path: path.into(), extents, total, stream })
    }

    /// The number of images or labels.
    #[cfg(feature = "train")]
    pub fn count(&self) -> usize {
        self.extents[0] as usize
    }

    /// The height and width of the images.
    pub fn image(&self) -> [usize; 2] {
        [self.extents[1] as usize, self.extents[2] as usize]
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
        let [height, width] = self.image();
        if [1, height, width] == shape {
            return self.bytes();
        }
        let one = height as u64 * width as u64;
        if one > PIXELS {
            let problem = format!("the images have {height}×{width} = {one} pixels, and the limit is {PIXELS}");
            return Err(FileError::new(&self.path, problem));
        }
        let [c, h, w] = shape.map(|n| n as u32);
        bounded(&self.path, &self.extents, &[self.extents[0], c, h, w], "bytes as images of the network")?;
        let mut pixels = vec![];
        for i in 0..self.count() as u64 {
            let grey = GrayImage::from_raw(width as u32, height as u32, self.next(i * one, one)?);
            let grey = DynamicImage::ImageLuma8(grey.expect("an image has height × width pixels"));
            pixels.extend(fit(&grey, Orientation::NoTransforms, shape, Background::Auto).0);
        }
        self.end().map(|()| pixels)
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
