//! Data sets in files: MNIST's format and folders of pictures.

use super::folder::{Listing, classes, divide, hash, list};
use super::idx::{BYTES, Idx};
use super::{DataError, Images, Loaded, Split, Summary, summary};
use crate::files::FileError;
use crate::picture::{Background, facts, read_picture};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The greatest number of pictures that are decoded to find out what suits them.
const LOOKED_AT: usize = 64;

impl Images {
    /// Reads a part of a data set as images of shape `[C, H, W]`: MNIST's files if `folder` holds them, else the pictures
    /// in it and in its subfolders. Images of another size are cropped around their centre to the aspect ratio, and
    /// resized. Transparent parts of pictures show `background`.
    ///
    /// Pictures below a subfolder with a usual name, such as `test` or `val`, are test images. Without such a subfolder,
    /// about a tenth of the pictures are, chosen by the hashes of their paths. Hidden entries are not read.
    ///
    /// If every picture lies in a subfolder, the names of these subfolders, in their order, are the classes: for example
    /// `cats/1.png` and `dogs/1.png`, or `train/cats/1.png` and `test/dogs/1.png`.
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

    /// The number of channels, and of pixels of a side, that suit the images of a data set: the size of the images in
    /// MNIST's files; for pictures the median of their shorter sides, and three channels if one of them has colours. Of
    /// many pictures, at most 64 are looked at.
    ///
    /// # Errors
    /// If there are no images, or none of those that are looked at can be read.
    pub fn suited(folder: &Path) -> Result<[usize; 2], DataError> {
        if let Some(path) = find(folder, MNIST[0]) {
            let [channels, height, width] = Idx::open(&path, &[3, 4])?.image()?;
            return Ok([channels, height.min(width)]);
        }
        let Listing { pictures, runs, others, .. } = list(folder)?;
        let step = pictures.len().div_ceil(LOOKED_AT).max(1);
        let (mut sides, mut coloured, mut failed) = (vec![], false, vec![]);
        for path in pictures.iter().step_by(step) {
            match facts(path) {
                Ok((side, colours)) => {
                    sides.push(side);
                    coloured |= colours;
                }
                Err(e) => failed.push(e),
            }
        }
        sides.sort_unstable();
        match sides.get(sides.len() / 2) {
            Some(side) => Ok([if coloured { 3 } else { 1 }, *side]),
            None if failed.is_empty() => Err(no_data(folder, &runs, &others)),
            None => Err(DataError::Unreadable {
                path: folder.into(),
                count: failed.len(),
                total: failed.len(),
                first: summary::first(&failed),
            }),
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
        let images = Idx::open(&path, &[3, 4])?;
        let count = images.count();
        let labels =
            find(folder, labels_name).map(|path| Ok::<_, FileError>((Idx::open(&path, &[1])?, path))).transpose()?;
        if let Some((labels, labels_path)) = labels.as_ref().filter(|(labels, _)| labels.count() != count) {
            let problem = format!("{} labels for the {count} images of {}", labels.count(), path.display());
            return Err(FileError::new(labels_path, problem).into());
        }
        let summary = Summary {
            resized: Some(images.image()?).filter(|size| size[1..] != shape[1..]).map(|[_, h, w]| [h, w]),
            labels: labels.is_none().then(|| folder.join(labels_name)),
            ..Summary::default()
        };
        let pixels = images.images(shape)?;
        let labels = labels.map(|(labels, _)| labels.bytes()).transpose()?;
        let images = Self { shape, pixels, labels };
        Ok(match images.labels.as_deref().is_some_and(first_lack_a_class) {
            true => Loaded { images: images.select(mixed(count)), summary: Summary { mixed: true, ..summary } },
            false => Loaded { images, summary },
        })
    }

    fn folder(folder: &Path, split: Split, shape: [usize; 3], background: Background) -> Result<Loaded, DataError> {
        let Listing { pictures, unreadable, runs, others } = list(folder)?;
        let (classes, unclassed) = classes(folder, &pictures);
        let (train, test, by) = divide(folder, pictures);
        let counts = [train.len(), test.len()];
        let parts = Some((train.len(), test.len(), by));
        let paths = if split == Split::Train { train } else { test };
        let names: BTreeSet<_> = classes.iter().flat_map(BTreeMap::values).cloned().collect();
        let names: Vec<_> = names.into_iter().collect();
        let mut summary = Summary { parts, unreadable, runs, others, classes: names, unclassed, ..Summary::default() };
        let bytes = (paths.len() * shape.iter().product::<usize>()) as u64;
        if bytes > BYTES {
            return Err(DataError::TooMany { path: folder.into(), count: paths.len(), bytes, shape });
        }
        let (mut failed, mut labels): (Vec<FileError>, _) = (vec![], vec![]);
        let mut pixels = Vec::with_capacity(bytes as usize);
        for path in &paths {
            match read_picture(path, shape, background) {
                Ok(picture) => {
                    pixels.extend(picture.pixels);
                    let class = classes.as_ref().and_then(|classes| summary.classes.binary_search(&classes[path]).ok());
                    labels.extend(class.map(|class| class as u8));
                    summary.on_black += usize::from(picture.background == Some(0));
                    summary.on_white += usize::from(picture.background == Some(255));
                }
                Err(e) => failed.push(e),
            }
        }
        failed.sort_by(|a, b| a.path.cmp(&b.path));
        let (count, total) = (failed.len(), paths.len());
        if count > (total / 10).max(1) || (count > 0 && count == total) {
            return Err(DataError::Unreadable { path: folder.into(), count, total, first: summary::first(&failed) });
        }
        if paths.is_empty() {
            let path = folder.into();
            return Err(match counts {
                [0, 0] => no_data(folder, &summary.runs, &summary.others),
                [0, count] => DataError::NoTraining { path, count },
                [count, _] => DataError::NoTest { path, count },
            });
        }
        summary.unreadable.extend(failed);
        Ok(Loaded { images: Self { shape, pixels, labels: classes.map(|_| labels) }, summary })
    }
}

/// Whether the first images lack a class, as in files that are sorted by class. Some measurements and the statistics of the
/// noise are of the first images of a set, which must be like the others.
fn first_lack_a_class(labels: &[u8]) -> bool {
    const FIRST: usize = 1000;
    let classes = |labels: &[u8]| labels.iter().collect::<BTreeSet<_>>().len();
    classes(&labels[..labels.len().min(FIRST)]) < classes(labels)
}

/// The numbers below `count` in an order that has nothing to do with theirs, and is the same on every system.
fn mixed(count: usize) -> Vec<usize> {
    let mut numbers: Vec<_> = (0..count).collect();
    numbers.sort_by_cached_key(|&i| hash(Path::new(&i.to_string())));
    numbers
}

/// The error of a folder without images.
fn no_data(folder: &Path, runs: &[PathBuf], others: &BTreeMap<String, usize>) -> DataError {
    let detail = summary::left_out(runs, others).iter().map(|line| format!("; {line}")).collect();
    DataError::NoData { path: folder.into(), detail }
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
