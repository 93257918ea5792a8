//! Reading of data in MNIST's format, and malformed files.

use flate2::write::GzEncoder;
use ign::data::{Images, Loaded, Split};
use ign::picture::Background;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const SHAPE: [usize; 3] = [1, 28, 28];

fn mnist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist")
}

fn load(folder: &Path, split: Split, shape: [usize; 3]) -> Loaded {
    Images::load(folder, split, shape, Background::Auto).unwrap()
}

fn failure(folder: &Path, split: Split, shape: [usize; 3]) -> String {
    Images::load(folder, split, shape, Background::Auto).unwrap_err().to_string()
}

#[test]
fn mnist_is_complete() {
    let train = load(&mnist(), Split::Train, SHAPE).images;
    let test = load(&mnist(), Split::Test, SHAPE).images;
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    let labels = train.labels.unwrap();
    assert_eq!(labels[..5], [5, 0, 4, 1, 9]);
    let histogram = |labels: &[u8]| (0..10).map(|d| labels.iter().filter(|&&l| l == d).count()).collect::<Vec<_>>();
    assert_eq!(histogram(&labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&test.labels.unwrap()), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
}

#[test]
fn images_lie_between_minus_one_and_one() {
    let test = load(&mnist(), Split::Test, SHAPE).images;
    let images = test.gather([0, 9_999, 10_000]);
    assert_eq!(images.len(), 3 * 784);
    assert_eq!(images[..784], images[2 * 784..]);
    assert!(images.iter().all(|x| (-1.0..=1.0).contains(x)));
    assert!(images.contains(&-1.0) && images.iter().any(|&x| x > 0.9));
}

#[test]
fn a_selection_keeps_its_labels() {
    let test = load(&mnist(), Split::Test, SHAPE).images;
    let few = test.select([7, 10_003, 0]);
    assert_eq!((few.shape, few.len()), (SHAPE, 3));
    assert_eq!(few.gather(0..3), test.gather([7, 3, 0]));
    let labels = test.labels.unwrap();
    assert_eq!(few.labels.unwrap(), [labels[7], labels[3], labels[0]]);
}

#[test]
fn mnist_fits_a_network_for_colour() {
    let test = load(&mnist(), Split::Test, [3, 64, 64]).images;
    assert_eq!(test.len(), 10_000);
    let image = test.gather([7]);
    assert_eq!(image[..4096], image[4096..8192]);
}

/// An IDX file with the given extents and contents.
fn idx(magic: u32, extents: &[u32], contents: &[u8]) -> Vec<u8> {
    let header = [magic].iter().chain(extents).flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>();
    [&header, contents].concat()
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut gzipped = GzEncoder::new(vec![], flate2::Compression::fast());
    gzipped.write_all(contents).unwrap();
    gzipped.finish().unwrap()
}

/// The error of loading a folder with these two files.
fn refused(images: &[u8], labels: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.path().join("train-labels-idx1-ubyte"), labels).unwrap();
    let error = failure(folder.path(), Split::Train, [1, 2, 2]);
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

    let gzipped = gzip(&images);
    says(refused(&gzipped[..gzipped.len() - 12], &labels), "truncated");
    let mut damaged = gzipped.clone();
    damaged[12] ^= 0x55;
    says(refused(&damaged, &labels), "train-images");
}

#[test]
fn the_first_images_of_a_sorted_set_are_of_all_classes() {
    let folder = tempfile::tempdir().unwrap();
    // 1,500 images of three classes, whose only pixel is the class.
    let write = |labels: &[u8]| {
        let extent = labels.len() as u32;
        fs::write(folder.path().join("train-images-idx3-ubyte"), idx(0x0803, &[extent, 1, 1], labels)).unwrap();
        fs::write(folder.path().join("train-labels-idx1-ubyte"), idx(0x0801, &[extent], labels)).unwrap();
        load(folder.path(), Split::Train, [1, 1, 1])
    };
    let sorted: Vec<u8> = (0..1500).map(|i| (i / 500) as u8).collect();
    let Loaded { images, summary } = write(&sorted);
    assert!(summary.to_string().contains("the first images lack a class"), "{summary}");
    let labels = images.labels.unwrap();
    assert_eq!(images.pixels, labels);
    let count = |labels: &[u8], class: u8| labels.iter().filter(|&&label| label == class).count();
    for class in 0..3 {
        assert_eq!(count(&labels, class), 500);
        assert!((20..=50).contains(&count(&labels[..100], class)), "{:?}", &labels[..100]);
    }
    // In any other set the images stay where they are.
    let mixed: Vec<u8> = (0..1500).map(|i| (i % 3) as u8).collect();
    let Loaded { images, summary } = write(&mixed);
    assert_eq!((images.pixels, summary.mixed), (mixed, false));
}

#[test]
fn gzipped_and_plain_files_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let images = idx(0x0803, &[2, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 255]);
    fs::write(folder.path().join("t10k-images.idx3-ubyte.gz"), gzip(&images)).unwrap();
    fs::write(folder.path().join("train-images-idx3-ubyte"), &images).unwrap();
    let load = |split| load(folder.path(), split, [1, 2, 2]).images;
    assert_eq!(load(Split::Train).pixels, load(Split::Test).pixels);
    assert_eq!(load(Split::Train).labels, None);
    assert_eq!(load(Split::Train).gather([1])[3], 1.0);
}

#[test]
fn bytes_in_memory_are_read_like_a_file() {
    let bytes = idx(0x0803, &[2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
    let images = Images::from_idx(&bytes, 9).unwrap();
    assert_eq!((images.shape, images.len(), images.pixels[11]), ([1, 2, 3], 2, 255));
    let first = Images::from_idx(&bytes[..22], 1).unwrap();
    assert_eq!(first.pixels, images.pixels[..6]);
    let refused = |bytes: &[u8]| Images::from_idx(bytes, 2).unwrap_err().to_string();
    let error = refused(&bytes[..20]);
    assert!(error.contains("the file of images: the file is truncated"), "{error}");
    let error = refused(&idx(0x0801, &[2], &[1, 2]));
    assert!(error.contains("this is a label file"), "{error}");
}

#[test]
fn sizes_that_a_header_promises_are_bounded() {
    let refused = |extents: [u32; 3]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("train-images-idx3-ubyte.gz"), gzip(&idx(0x0803, &extents, &[0; 99]))).unwrap();
        failure(folder.path(), Split::Train, [1, 2, 2])
    };
    let error = refused([1, 1, 1 << 27]);
    assert!(error.contains("1×134217728 = 134217728 pixels, and the limit is 25165824"), "{error}");
    // 2³¹ images of one pixel fit into the limit of 4 GiB, but not when they are images of 2×2.
    let error = refused([1 << 31, 1, 1]);
    assert!(error.contains("8589934592 bytes as images of the network") && error.contains("4294967296"), "{error}");
    let error = refused([1 << 20, 1 << 10, 1 << 10]);
    assert!(error.contains("1099511627776 bytes") && error.contains("4294967296"), "{error}");
    let error = refused([1 << 31, 1 << 31, 1 << 31]);
    assert!(error.contains("more than 2⁶⁴"), "{error}");
}

#[test]
fn colour_images_have_four_dimensions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train-images-idx3-ubyte");
    let planes: Vec<u8> = (0..2 * 3 * 64).map(|i| (i % 251) as u8).collect();
    fs::write(&path, idx(0x0804, &[2, 3, 8, 8], &planes)).unwrap();
    assert_eq!(Images::suited(folder.path()).unwrap(), [3, 8]);
    let second = load(folder.path(), Split::Train, [3, 8, 8]).images;
    assert_eq!((second.len(), &second.pixels), (2, &planes));
    let last: Vec<u8> = (0..2 * 3 * 64).map(|i| planes[i / 192 * 192 + i % 3 * 64 + i % 192 / 3]).collect();
    fs::write(&path, idx(0x0804, &[2, 8, 8, 3], &last)).unwrap();
    assert_eq!(load(folder.path(), Split::Train, [3, 8, 8]).images.pixels, planes);
    assert_eq!(load(folder.path(), Split::Train, [1, 8, 8]).images.len(), 2);
    fs::write(&path, idx(0x0804, &[2, 8, 8, 4], &[0; 512])).unwrap();
    assert!(failure(folder.path(), Split::Train, [3, 8, 8]).contains("three channels must come last or second"));
}

/// Writes a picture of one colour.
fn picture(path: &Path, [width, height]: [u32; 2], colour: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(width, height, image::Rgb(colour)).save(path).unwrap();
}

#[test]
fn data_say_what_suits_them() {
    let folder = tempfile::tempdir().unwrap();
    let suited = || Images::suited(folder.path());
    assert!(suited().unwrap_err().to_string().contains("nor pictures"));
    fs::write(folder.path().join("broken.png"), b"once").unwrap();
    assert!(suited().unwrap_err().to_string().contains("1 of 1 pictures cannot be read"));
    for i in 0..5 {
        picture(&folder.path().join(format!("{i}.png")), [30 + i, 50], [7; 3]);
    }
    assert_eq!(suited().unwrap(), [1, 32]);
    picture(&folder.path().join("red.png"), [90, 90], [200, 0, 0]);
    assert_eq!(suited().unwrap(), [3, 33]);
    assert_eq!(Images::suited(&mnist()).unwrap(), [1, 28]);
}

#[test]
fn folders_are_classes_if_every_picture_lies_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str| picture(&folder.path().join(name), [8, 8], [name.len() as u8; 3]);
    ["train/dogs/a.png", "train/cats/more/b.png", "test/dogs/c.png", "test/birds/d.png"]
        .iter()
        .for_each(|name| put(name));
    let part = |split| load(folder.path(), split, [1, 8, 8]);
    let (train, test) = (part(Split::Train), part(Split::Test));
    assert_eq!(train.summary.classes, ["birds", "cats", "dogs"]);
    assert!(train.summary.to_string().contains("3 classes, by the names of their folders: birds, cats, dogs"));
    // In the order of the hashes of the paths.
    assert_eq!((train.images.labels, test.images.labels), (Some(vec![2, 1]), Some(vec![0, 2])));
    put("train/loose.png");
    let Loaded { images, summary } = part(Split::Train);
    assert!(images.labels.is_none() && summary.classes.is_empty() && images.len() == 3);
}

#[test]
fn nothing_is_read_beyond_the_promised_bytes() {
    // The header promises four bytes; a gigabyte follows, in a megabyte.
    let mut gzipped = GzEncoder::new(vec![], flate2::Compression::fast());
    gzipped.write_all(&idx(0x0803, &[1, 2, 2], &[0; 4])).unwrap();
    (0..1024).for_each(|_| gzipped.write_all(&[0; 1 << 20]).unwrap());
    let start = std::time::Instant::now();
    let error = refused(&gzipped.finish().unwrap(), &idx(0x0801, &[1], &[0]));
    assert!(error.contains("more than the 4 bytes"), "{error}");
    assert!(start.elapsed().as_secs_f64() < 0.5, "{:?}", start.elapsed());
}

#[test]
fn images_of_another_size_keep_their_proportions() {
    let folder = tempfile::tempdir().unwrap();
    // 4×8: white in the middle half, black at both ends.
    let wide: Vec<u8> = (0..4 * 8).map(|i| if (2..6).contains(&(i % 8)) { 255 } else { 0 }).collect();
    fs::write(folder.path().join("train-images-idx3-ubyte"), idx(0x0803, &[2, 4, 8], &wide.repeat(2))).unwrap();
    let Loaded { images, summary } = load(folder.path(), Split::Train, [1, 4, 4]);
    assert_eq!((images.pixels, summary.resized), (vec![255; 2 * 16], Some([4, 8])));
    let text = summary.to_string();
    assert!(text.contains("images of 4×8, cropped") && text.contains("no labels"), "{text}");
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let images = idx(0x0803, &[1, 2, 2], &[7; 4]);
    fs::write(folder.path().join("train-images-idx3-ubyte"), &images).unwrap();
    fs::write(folder.path().join("train-labels.idx1-ubyte"), idx(0x0801, &[1], &[3])).unwrap();
    let Loaded { images, summary } = load(folder.path(), Split::Train, [1, 2, 2]);
    assert_eq!((images.labels, summary.labels), (Some(vec![3]), None));
    let error = failure(folder.path(), Split::Test, [1, 2, 2]);
    assert!(error.contains("no file t10k-images-idx3-ubyte"), "{error}");
    assert!(error.contains("there are train-images-idx3-ubyte, train-labels.idx1-ubyte"), "{error}");
}
