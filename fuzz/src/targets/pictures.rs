//! Pictures of every format that is read, recognised by their content.

use super::Target;
use crate::mutate::{PNG, Random, bytes, chunk, png, zlib};
use ign::picture::{Background, read_picture};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, RgbaImage};
use rand::RngExt;
use std::io::Cursor;
use std::path::Path;

pub const TARGET: Target = Target::new("pictures", seeds, mutate, run);

fn seeds() -> Vec<Vec<u8>> {
    let colour = RgbaImage::from_fn(9, 7, |x, y| image::Rgba([28 * x as u8, 36 * y as u8, 99, 31 * (x + y) as u8]));
    let colour = DynamicImage::from(colour);
    let encoded = |picture: DynamicImage, format| {
        let mut file = Cursor::new(vec![]);
        picture.write_to(&mut file, format).expect("a small picture can be encoded");
        file.into_inner()
    };
    let mut files = vec![
        encoded(colour.clone(), ImageFormat::Png),
        encoded(colour.to_luma8().into(), ImageFormat::Png),
        encoded(colour.to_luma_alpha16().into(), ImageFormat::Png),
        encoded(colour.to_rgb16().into(), ImageFormat::Png),
        palette(),
        encoded(colour.clone(), ImageFormat::Gif),
        encoded(colour.clone(), ImageFormat::Bmp),
        encoded(colour.to_rgb8().into(), ImageFormat::Bmp),
        encoded(colour.clone(), ImageFormat::WebP),
    ];
    for picture in [colour.to_luma8().into(), colour.to_rgb8().into()] {
        let picture: DynamicImage = picture;
        let mut file = vec![];
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut file, 60)).expect("it can be encoded");
        files.push(exif(&file));
        files.push(file);
    }
    files
}

/// A PNG picture with a palette, transparent colours, two bits a pixel and interlaced rows.
fn palette() -> Vec<u8> {
    let header = [&4u32.to_be_bytes()[..], &2u32.to_be_bytes(), &[2, 3, 0, 0, 1]].concat();
    // Four passes of Adam7 have pixels; each row begins with its filter.
    let rows = zlib(&[0, 0x40, 0, 0x80, 0, 0xc0, 0x40, 0, 0x50, 0, 0x1b]);
    [
        PNG,
        &chunk(b"IHDR", &header),
        &chunk(b"PLTE", &[0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 255]),
        &chunk(b"tRNS", &[0, 128, 255]),
        &chunk(b"IDAT", &rows),
        &chunk(b"IEND", &[]),
    ]
    .concat()
}

/// The JPEG file with EXIF data that turns it by a quarter.
fn exif(jpeg: &[u8]) -> Vec<u8> {
    let orientation = [&[0x01, 0x12, 0, 3][..], &[0, 0, 0, 1, 0, 6, 0, 0]].concat();
    let data = [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01"[..], &orientation, &[0; 4]].concat();
    let segment = [&[0xff, 0xe1][..], &(data.len() as u16 + 2).to_be_bytes(), &data].concat();
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    // Without right checksums, little of a PNG file is read.
    if random.random_ratio(3, 4) { png(random, case) } else { bytes(random, case) }
}

fn run(work: &Path, case: &[u8]) {
    let path = work.join("picture");
    std::fs::write(&path, case).expect("the folder can be written");
    // One reading a case, so that the limits are those of one reading.
    let shape = [[1, 28, 28], [3, 64, 64]][case.len() % 2];
    let background = [Background::White, Background::Black, Background::Auto][case.len() % 3];
    if let Ok(picture) = read_picture(&path, shape, background) {
        assert_eq!(picture.pixels.len(), shape.iter().product::<usize>());
    }
}
