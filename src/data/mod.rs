//! Data sets: MNIST's format and folders of pictures.

mod batches;
mod error;
mod folder;
mod idx;

pub use batches::Batches;
pub use error::DataError;

use crate::files::FileError;
use crate::picture::{normalise, read_bytes};
use image::imageops::{FilterType, resize};
use std::path::{Path, PathBuf};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Training images.
    Train,
    /// Test images, excluded from training.
    Test,
}

/// Images of one shape.
#[derive(Clone, Debug)]
pub struct Images {
    /// The shape `[C, H, W]` of each image.
    pub shape: [usize; 3],
    /// The pixels `[N, C, H, W]`, one byte per value, with 0 for black.
    pub pixels: Vec<u8>,
    /// The class of each image, if the data set has labels.
    pub labels: Option<Vec<u8>>,
}

impl Images {
    /// Reads a data set as images of shape `[C, H, W]`: MNIST's files if `folder` holds them, else its JPEG and PNG
    /// pictures. Images of another size are resized; pictures are first cropped around their centre to the aspect
    /// ratio. The test set is the subfolder `test`, or, without one, the last tenth of the pictures in order of their
    /// paths. All other pictures are the training set.
    ///
    /// # Errors
    /// If `folder` holds neither format, or a file cannot be read or is malformed.
    pub fn load(folder: &Path, split: Split, shape: [usize; 3]) -> Result<Self, DataError> {
        let prefix = match split {
            Split::Train => "train",
            Split::Test => "t10k",
        };
        if let Some(images) = idx_file(folder, prefix, "images", 3) {
            return Ok(Self::idx(&images, idx_file(folder, prefix, "labels", 1).as_deref(), shape)?);
        }
        Self::folder(folder, split, shape)
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.elements().max(1)
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Number of elements per image.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The images at `indices`, consecutive and in [-1, 1]. Indices wrap around at the end.
    pub fn gather(&self, indices: impl IntoIterator<Item = usize>) -> Vec<f32> {
        let one = |i: usize| {
            let first = i % self.len() * self.elements();
            self.pixels[first..first + self.elements()].iter().map(|&b| normalise(b))
        };
        indices.into_iter().flat_map(one).collect()
    }

    /// The images at `indices` with their labels. Indices wrap around at the end.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let (len, elements) = (self.len(), self.elements());
        let indices: Vec<_> = indices.into_iter().map(|i| i % len).collect();
        let pixels = indices.iter().flat_map(|i| &self.pixels[i * elements..][..elements]).copied().collect();
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i]).collect());
        Self { shape: self.shape, pixels, labels }
    }

    fn idx(images: &Path, labels: Option<&Path>, shape: [usize; 3]) -> Result<Self, FileError> {
        let idx::IdxImages { height, width, pixels } = idx::images(images)?;
        let labels = labels.map(|path| Ok::<_, FileError>((path, idx::labels(path)?))).transpose()?;
        let count = pixels.len() / (height * width);
        if let Some((path, labels)) = labels.as_ref().filter(|(_, labels)| labels.len() != count) {
            let problem = format!("{} labels for the {count} images of {}", labels.len(), images.display());
            return Err(FileError::new(path, problem));
        }
        let pixels = match [1, height, width] == shape {
            true => pixels,
            false => pixels.chunks(height * width).flat_map(|p| fit(p, [height, width], shape)).collect(),
        };
        Ok(Self { shape, pixels, labels: labels.map(|(_, labels)| labels) })
    }

    fn folder(folder: &Path, split: Split, shape: [usize; 3]) -> Result<Self, DataError> {
        let all = folder::list(folder)?;
        let (test, train): (Vec<_>, Vec<_>) = all.into_iter().partition(|path| path.starts_with(folder.join("test")));
        let paths = match (split, test.is_empty()) {
            (Split::Train, false) => train,
            (Split::Test, false) => test,
            (_, true) => {
                let (first, last) = train.split_at(train.len() - train.len() / 10);
                if split == Split::Train { first.to_vec() } else { last.to_vec() }
            }
        };
        if paths.is_empty() {
            let detail = if split == Split::Test { " for testing (at least ten are needed)" } else { "" };
            return Err(DataError::NoData { path: folder.into(), detail: detail.into() });
        }
        let mut pixels = vec![];
        for path in &paths {
            pixels.extend(read_bytes(path, shape)?);
        }
        Ok(Self { shape, pixels, labels: None })
    }
}

/// Finds one of MNIST's files: with a hyphen or, as some unpackers write it, a dot before `idx`, gzipped or not.
fn idx_file(folder: &Path, prefix: &str, what: &str, dimensions: usize) -> Option<PathBuf> {
    let names = ["-", "."].map(|dot| format!("{prefix}-{what}{dot}idx{dimensions}-ubyte"));
    let files = names.iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
    files.map(|file| folder.join(file)).find(|path| path.is_file())
}

/// Resizes a greyscale image to `[C, H, W]`, with equal channels.
fn fit(pixels: &[u8], [height, width]: [usize; 2], [c, h, w]: [usize; 3]) -> Vec<u8> {
    let grey = image::GrayImage::from_raw(width as u32, height as u32, pixels.to_vec());
    let grey = grey.expect("an image has height × width pixels");
    let resized = resize(&grey, w as u32, h as u32, FilterType::Triangle).into_raw();
    resized.repeat(c)
}
