//! MNIST's format, plain and gzipped: once as the images of a data set, once as its labels.

use super::Target;
use crate::mutate::{Random, bytes, gzip};
use flate2::Compression;
use flate2::write::GzEncoder;
use ign::data::{Images, Split};
use ign::picture::Background;
use rand::RngExt;
use std::fs::{create_dir, write};
use std::io::Write;
use std::path::Path;

pub const TARGET: Target = Target::new("idx", seeds, mutate, run);

const SHAPE: [usize; 3] = [1, 28, 28];

fn file(magic: u32, extents: &[u32]) -> Vec<u8> {
    let header = [magic].into_iter().chain(extents.iter().copied()).flat_map(|number: u32| number.to_be_bytes());
    let contents = (0..extents.iter().product::<u32>()).map(|i| i as u8);
    header.chain(contents).collect()
}

fn images(extents: [u32; 3]) -> Vec<u8> {
    file(0x0803, &extents)
}

fn seeds() -> Vec<Vec<u8>> {
    let shapes = [[2, 28, 28], [3, 5, 7], [1, 1, 900], [1, 900, 1], [400, 1, 1]];
    let plain = shapes.map(images).into_iter().chain([file(0x0801, &[2])]);
    let gzipped = |plain: Vec<u8>| {
        let mut packer = GzEncoder::new(vec![], Compression::fast());
        packer.write_all(&plain).expect("a vector takes all bytes");
        [plain, packer.finish().expect("a vector takes all bytes")]
    };
    plain.flat_map(gzipped).collect()
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    match random.random_range(0..3) {
        0 => bytes(random, case),
        1 => gzip(random, case, bytes),
        _ => gzip(random, case, resize),
    }
}

/// Changes an extent, and gives the file as many bytes as the extents then promise.
fn resize(random: &mut Random, file: &mut Vec<u8>) {
    let extents = 4..(4 + 4 * usize::from(file.get(3).copied().unwrap_or_default() & 3)).min(file.len());
    if extents.len() < 4 {
        return bytes(random, file);
    }
    let at = extents.start + 4 * random.random_range(0..extents.len() / 4);
    let extent: u32 = 1 << random.random_range(0..17);
    file[at..at + 4].copy_from_slice(&extent.to_be_bytes());
    let (extents, _) = file[extents.clone()].as_chunks();
    let total = extents.iter().fold(1u64, |total, extent| total.saturating_mul(u32::from_be_bytes(*extent).into()));
    let length = 4 + 4 * extents.len() + total.min(1 << 20) as usize;
    file.resize(length, 0x55);
}

fn run(work: &Path, case: &[u8]) {
    let [alone, labelled] = ["alone", "labelled"].map(|name| work.join(name));
    for folder in [&alone, &labelled] {
        create_dir(folder).expect("the folder is empty");
    }
    let write = |path, contents: &[u8]| write(path, contents).expect("the folder can be written");
    write(alone.join("train-images-idx3-ubyte"), case);
    write(labelled.join("train-images-idx3-ubyte"), &images([2, 28, 28]));
    write(labelled.join("train-labels-idx1-ubyte"), case);
    for folder in [alone, labelled] {
        let Ok(loaded) = Images::load(&folder, Split::Train, SHAPE, Background::Auto) else { continue };
        let images = loaded.images;
        assert!(!images.is_empty(), "a data set without images was accepted");
        assert_eq!(images.pixels.len(), images.len() * images.elements());
        assert!(images.labels.is_none_or(|labels| labels.len() == images.pixels.len() / 784));
    }
}
