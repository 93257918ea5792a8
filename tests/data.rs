//! Reading of data: MNIST, folders of pictures, and malformed files.

use flate2::write::GzEncoder;
use ign::data::{Images, Split};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const SHAPE: [usize; 3] = [1, 28, 28];

fn mnist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist")
}

#[test]
fn mnist_is_complete() {
    let train = Images::load(&mnist(), Split::Train, SHAPE).unwrap();
    let test = Images::load(&mnist(), Split::Test, SHAPE).unwrap();
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    let labels = train.labels.unwrap();
    assert_eq!(labels[..5], [5, 0, 4, 1, 9]);
    let histogram = |labels: &[u8]| (0..10).map(|d| labels.iter().filter(|&&l| l == d).count()).collect::<Vec<_>>();
    assert_eq!(histogram(&labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&test.labels.unwrap()), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
}

#[test]
fn images_lie_between_minus_one_and_one() {
    let test = Images::load(&mnist(), Split::Test, SHAPE).unwrap();
    let images = test.gather([0, 9_999, 10_000]);
    assert_eq!(images.len(), 3 * 784);
    assert_eq!(images[..784], images[2 * 784..]);
    assert!(images.iter().all(|x| (-1.0..=1.0).contains(x)));
    assert!(images.contains(&-1.0) && images.iter().any(|&x| x > 0.9));
}

#[test]
fn a_selection_keeps_its_labels() {
    let test = Images::load(&mnist(), Split::Test, SHAPE).unwrap();
    let few = test.select([7, 10_003, 0]);
    assert_eq!((few.shape, few.len()), (SHAPE, 3));
    assert_eq!(few.gather(0..3), test.gather([7, 3, 0]));
    let labels = test.labels.unwrap();
    assert_eq!(few.labels.unwrap(), [labels[7], labels[3], labels[0]]);
}

#[test]
fn mnist_fits_a_network_for_colour() {
    let test = Images::load(&mnist(), Split::Test, [3, 64, 64]).unwrap();
    assert_eq!(test.len(), 10_000);
    let image = test.gather([7]);
    assert_eq!(image[..4096], image[4096..8192]);
}

/// An IDX file with the given extents and contents.
fn idx(magic: u32, extents: &[u32], contents: &[u8]) -> Vec<u8> {
    let header = [magic].iter().chain(extents).flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>();
    [&header, contents].concat()
}

/// The error of loading a folder with these two files.
fn refused(images: &[u8], labels: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.path().join("train-labels-idx1-ubyte"), labels).unwrap();
    let error = Images::load(folder.path(), Split::Train, [1, 2, 2]).unwrap_err().to_string();
    assert!(error.contains("train-images") || error.contains("train-labels"), "{error}");
    error
}

#[test]
fn malformed_files_are_refused_in_words() {
    let images = idx(0x0803, &[2, 2, 2], &[7; 8]);
    let labels = idx(0x0801, &[2], &[1, 2]);
    let says = |error: String, words: &str| assert!(error.contains(words), "{error} should say {words}");
    says(refused(&images[..20], &labels), "[2, 2, 2] needs 8 bytes, there are 4");
    says(refused(&images[..10], &labels), "truncated");
    says(refused(&[], &labels), "truncated");
    says(refused(&labels, &labels), "this is a label file (0x00000801), where an image file (0x00000803) is needed");
    says(refused(&images, &images), "this is an image file (0x00000803), where a label file");
    says(refused(b"\x89PNG\r\n\x1a\n", &labels), "starts with 0x89504e47");
    says(refused(&images, &idx(0x0801, &[3], &[1, 2, 3])), "3 labels for the 2 images");
    says(refused(&[images.clone(), vec![0]].concat(), &labels), "more than the 8 bytes");
    says(refused(&idx(0x0803, &[u32::MAX, u32::MAX, 9], &[]), &labels), "the header promises");
    says(refused(&idx(0x0803, &[0, 2, 2], &[]), &labels), "the header promises");

    let mut gzipped = GzEncoder::new(vec![], flate2::Compression::fast());
    gzipped.write_all(&images).unwrap();
    let gzipped = gzipped.finish().unwrap();
    says(refused(&gzipped[..gzipped.len() - 12], &labels), "truncated");
    let mut damaged = gzipped.clone();
    damaged[12] ^= 0x55;
    says(refused(&damaged, &labels), "train-images");
}

#[test]
fn gzipped_and_plain_files_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let images = idx(0x0803, &[2, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 255]);
    let mut gzipped = GzEncoder::new(vec![], flate2::Compression::fast());
    gzipped.write_all(&images).unwrap();
    fs::write(folder.path().join("t10k-images.idx3-ubyte.gz"), gzipped.finish().unwrap()).unwrap();
    fs::write(folder.path().join("train-images-idx3-ubyte"), &images).unwrap();
    let load = |split| Images::load(folder.path(), split, [1, 2, 2]).unwrap();
    assert_eq!(load(Split::Train).pixels, load(Split::Test).pixels);
    assert_eq!(load(Split::Train).labels, None);
    assert_eq!(load(Split::Train).gather([1])[3], 1.0);
}

#[test]
fn a_folder_of_pictures_is_cropped_and_resized() {
    let folder = tempfile::tempdir().unwrap();
    // A wide picture: red in the middle third, blue at both ends.
    let wide = image::RgbImage::from_fn(90, 30, |x, _| {
        image::Rgb(if (30..60).contains(&x) { [255, 0, 0] } else { [0, 0, 255] })
    });
    fs::create_dir(folder.path().join("below")).unwrap();
    for i in 0..10 {
        wide.save(folder.path().join(format!("below/{i}.png"))).unwrap();
    }
    wide.save(folder.path().join("photo.JPG")).unwrap();
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    let load = |split| Images::load(folder.path(), split, [3, 8, 8]).unwrap();
    assert_eq!((load(Split::Train).len(), load(Split::Test).len()), (10, 1));
    let first = load(Split::Train).gather([0]);
    // The resize filter mixes some blue into the outermost columns.
    let column = |c: usize, x: usize| (0..8).map(move |y| c * 64 + y * 8 + x);
    for x in 1..7 {
        assert!(column(0, x).all(|i| first[i] == 1.0) && column(2, x).all(|i| first[i] == -1.0));
    }

    fs::write(folder.path().join("broken.png"), "no").unwrap();
    let error = Images::load(folder.path(), Split::Train, [3, 8, 8]).unwrap_err().to_string();
    assert!(error.contains("broken.png"), "{error}");
}

#[test]
fn folders_without_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Images::load(folder.path(), Split::Train, SHAPE).unwrap_err().to_string();
    assert!(error.contains("neither MNIST's files"), "{error}");
    let error = Images::load(&folder.path().join("nowhere"), Split::Train, SHAPE).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
