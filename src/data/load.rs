//! Data sets in files: MNIST's format and folders of pictures.

use super::folder::{Listing, divide, list};
use super::idx::Idx;
use super::{DataError, Images, Loaded, Split, Summary, summary};
use crate::files::FileError;
use crate::picture::{Background, read_picture};
use std::path::{Path, PathBuf};

impl Images {
    /// Reads a part of a data set as images of shape `[C, H, W]`: MNIST's files if `folder` holds them, else the pictures
    /// in it and in its subfolders. Images of another size are cropped around their centre to the aspect ratio, and
    /// resized. Transparent parts of pictures show `background`.
    ///
    /// Pictures below a subfolder with a usual name, such as `test` or `val`, are test images. Without such a subfolder,
    /// about a tenth of the pictures are, chosen by the hashes of their paths. Hidden entries are not read.
    ///
    /// # Errors
    /// If `folder` holds neither, if a file of MNIST's is missing or malformed, if the images are larger than the bounds,
    /// or if no picture can be read, or more than one and more than a tenth of them cannot.
    pub fn load(folder: &Path, split: Split, shape: [usize; 3], background: Background) -> Result<Loaded, DataError> {
        let present: Vec<_> = MNIST.iter().filter_map(|name| find(folder, name)).collect();
        match present.is_empty() {
            true => Self::folder(folder, split, shape, background),
            false => Self::idx(folder, split, shape, &present),
        }
    }

    fn idx(folder: &Path, split: Split, shape: [usize; 3], present: &[PathBuf]) -> Result<Loaded, DataError> {
        let [images_name, labels_name] = match split {
            Split::Train => [MNIST[0], MNIST[1]],
            Split::Test => [MNIST[2], MNIST[3]],
        };
        let path = find(folder, images_name).ok_or_else(|| {
            let names: Vec<_> = present.iter().filter_map(|p| Some(p.file_name()?.to_string_lossy())).collect();
            DataError::Incomplete { path: folder.into(), missing: images_name.into(), present: names.join(", ") }
        })?;
        let images = Idx::open(&path, 3)?;
        let count = images.count();
        let labels =
            find(folder, labels_name).map(|path| Ok::<_, FileError>((Idx::open(&path, 1)?, path))).transpose()?;
        if let Some((labels, labels_path)) = labels.as_ref().filter(|(labels, _)| labels.count() != count) {
            let problem = format!("{} labels for the {count} images of {}", labels.count(), path.display());
            return Err(FileError::new(labels_path, problem).into());
        }
        let summary = Summary {
            resized: Some(images.image()).filter(|&size| size != shape[1..]),
            labels: labels.is_none().then(|| folder.join(labels_name)),
            ..Summary::default()
        };
        let pixels = images.images(shape)?;
        let labels = labels.map(|(labels, _)| labels.bytes()).transpose()?;
        Ok(Loaded { images: Self { shape, pixels, labels }, summary })
    }

    fn folder(folder: &Path, split: Split, shape: [usize; 3], background: Background) -> Result<Loaded, DataError> {
        let Listing { pictures, unreadable, others } = list(folder)?;
        let (train, test, by) = divide(folder, pictures);
        let counts = [train.len(), test.len()];
        let parts = Some((train.len(), test.len(), by));
        let paths = if split == Split::Train { train } else { test };
        let mut summary = Summary { parts, unreadable, others, ..Summary::default() };
        let mut failed = vec![];
        let mut pixels = vec![];
        for path in &paths {
            match read_picture(path, shape, background) {
                Ok(picture) => {
                    pixels.extend(picture.pixels);
                    summary.on_black += usize::from(picture.background == Some(0));
                    summary.on_white += usize::from(picture.background == Some(255));
                }
                Err(e) => failed.push(e),
            }
        }
        let (count, total) = (failed.len(), paths.len());
        if count > (total / 10).max(1) || (count > 0 && count == total) {
            return Err(DataError::Unreadable { path: folder.into(), count, total, first: summary::first(&failed) });
        }
        if paths.is_empty() {
            let path = folder.into();
            return Err(match counts {
                [0, 0] if summary.others.is_empty() => DataError::NoData { path, detail: String::new() },
                [0, 0] => DataError::NoData { path, detail: format!("; {}", summary::others(&summary.others)) },
                [0, count] => DataError::NoTraining { path, count },
                [count, _] => DataError::NoTest { path, count },
            });
        }
        summary.unreadable.extend(failed);
        Ok(Loaded { images: Self { shape, pixels, labels: None }, summary })
    }
}

/// The names of MNIST's files: images and labels of the training set, and of the test set.
const MNIST: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Finds one of MNIST's files: with a hyphen or, as some unpackers write it, a dot before `idx`, gzipped or not.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [name.to_string(), name.replace("-idx", ".idx")];
    let files = names.iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
    files.map(|file| folder.join(file)).find(|path| path.is_file())
}
