//! Data sets: MNIST's format and folders of pictures.

mod batches;
mod error;
mod folder;
mod idx;

pub use batches::Batches;
pub use error::DataError;

use image::imageops::{FilterType, resize};
use std::path::{Path, PathBuf};

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What is trained on.
    Train,
    /// What is not.
    Test,
}

/// Images of one shape.
#[derive(Clone, Debug)]
pub struct Images {
    /// `[C, H, W]`
    pub shape: [usize; 3],
    /// `[N, C, H, W]`, a byte each, 0 black.
    pub pixels: Vec<u8>,
    /// The class of each image, where the data set says.
    pub labels: Option<Vec<u8>>,
}

/// The value in [-1, 1] of a byte: x/127.5 − 1.
pub fn normalise(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}

impl Images {
    /// Reads a data set as images of shape `[C, H, W]`: MNIST's files where `folder` holds them, else its pictures.
    /// What has another size is cropped to its middle and resized. Pictures are test data where they lie in a folder
    /// `test` (or else are the last tenth in order of their paths), and training data otherwise.
    ///
    /// # Errors
    /// Where `folder` holds neither, or a file cannot be read or is malformed.
    pub fn load(folder: &Path, split: Split, shape: [usize; 3]) -> Result<Self, DataError> {
        let prefix = match split {
            Split::Train => "train",
            Split::Test => "t10k",
        };
        if let Some(images) = idx_file(folder, prefix, "images", 3) {
            return Self::idx(&images, idx_file(folder, prefix, "labels", 1).as_deref(), shape);
        }
        Self::folder(folder, split, shape)
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.elements().max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Elements of one image.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The images `indices` one after the other, in [-1, 1]. Indices beyond the end start again at 0.
    pub fn gather(&self, indices: impl IntoIterator<Item = usize>) -> Vec<f32> {
        let one = |i: usize| {
            let first = i % self.len() * self.elements();
            self.pixels[first..first + self.elements()].iter().map(|&b| normalise(b))
        };
        indices.into_iter().flat_map(one).collect()
    }

    /// The images `indices` with their labels. Indices beyond the end start again at 0.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let (len, elements) = (self.len(), self.elements());
        let indices: Vec<_> = indices.into_iter().map(|i| i % len).collect();
        let pixels = indices.iter().flat_map(|i| &self.pixels[i * elements..][..elements]).copied().collect();
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i]).collect());
        Self { shape: self.shape, pixels, labels }
    }

    fn idx(images: &Path, labels: Option<&Path>, shape: [usize; 3]) -> Result<Self, DataError> {
        let idx::IdxImages { height, width, pixels } = idx::images(images)?;
        let labels = labels.map(|path| Ok::<_, DataError>((path, idx::labels(path)?))).transpose()?;
        let count = pixels.len() / (height * width);
        if let Some((path, labels)) = labels.as_ref().filter(|(_, labels)| labels.len() != count) {
            let problem = format!("{} labels for the {count} images of {}", labels.len(), images.display());
            return Err(idx::malformed(path, problem));
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
            let detail = if split == Split::Test { " to test with (ten at the least)" } else { "" };
            return Err(DataError::NoData { path: folder.into(), detail: detail.into() });
        }
        let mut pixels = vec![];
        for path in &paths {
            pixels.extend(folder::picture(path, shape)?);
        }
        Ok(Self { shape, pixels, labels: None })
    }
}

/// Reads one picture of any size as `[C, H, W]` in [-1, 1]: its middle, resized.
pub fn read_picture(path: &Path, shape: [usize; 3]) -> Result<Vec<f32>, DataError> {
    Ok(folder::picture(path, shape)?.into_iter().map(normalise).collect())
}

/// MNIST's names, with a dot as some unpackers write it, gzipped or not.
fn idx_file(folder: &Path, prefix: &str, what: &str, dimensions: usize) -> Option<PathBuf> {
    let names = ["-", "."].map(|dot| format!("{prefix}-{what}{dot}idx{dimensions}-ubyte"));
    let files = names.iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
    files.map(|file| folder.join(file)).find(|path| path.is_file())
}

/// A grey image resized to `[C, H, W]`, the same in every channel.
fn fit(pixels: &[u8], [height, width]: [usize; 2], [c, h, w]: [usize; 3]) -> Vec<u8> {
    let grey = image::GrayImage::from_raw(width as u32, height as u32, pixels.to_vec()).unwrap_or_default();
    let resized = resize(&grey, w as u32, h as u32, FilterType::Triangle).into_raw();
    resized.repeat(c)
}
