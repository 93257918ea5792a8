//! Pictures as a viewer shows them.

mod made;

use ign::picture::{Background, PIXELS, Picture, read_picture};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use made::{jpeg, png};
use std::io::Cursor;

/// Reads a picture file with these contents.
fn read(contents: &[u8], shape: [usize; 3], background: Background) -> Result<Picture, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), contents).unwrap();
    read_picture(file.path(), shape, background).map_err(|e| e.reason)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// 90×60, with another colour in each of the six squares of 30×30.
fn upright() -> DynamicImage {
    let colours = [[250, 20, 20], [20, 250, 20], [20, 20, 250], [250, 250, 20], [20, 250, 250], [250, 20, 250]];
    RgbImage::from_fn(90, 60, |x, y| Rgb(colours[(y / 30 * 3 + x / 30) as usize])).into()
}

#[test]
fn the_orientation_of_the_metadata_is_applied() {
    let shape = [3, 4, 6];
    let expected = read(&encoded(&upright(), ImageFormat::Png), shape, Background::Auto).unwrap().pixels;
    for exif in 1..=8 {
        let orientation = Orientation::from_exif(exif).unwrap();
        let inverse = match orientation {
            Orientation::Rotate90 => Orientation::Rotate270,
            Orientation::Rotate270 => Orientation::Rotate90,
            other => other,
        };
        let mut stored = upright();
        stored.apply_orientation(inverse);
        // A TIFF header with one entry: orientation (0x0112), of type SHORT.
        let tiff = [b"MM\0*", &[0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, exif, 0, 0, 0, 0, 0, 0][..]].concat();
        let (mut jpeg, mut png, mut webp) = (vec![], vec![], vec![]);
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
        encoder.set_exif_metadata(tiff.clone()).unwrap();
        stored.write_with_encoder(encoder).unwrap();
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(tiff.clone()).unwrap();
        stored.write_with_encoder(encoder).unwrap();
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(tiff).unwrap();
        stored.write_with_encoder(encoder).unwrap();
        for (contents, tolerance) in [(jpeg, 30), (png, 0), (webp, 0)] {
            let found = read(&contents, shape, Background::Auto).unwrap().pixels;
            let off = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(off <= tolerance, "orientation {exif}: off by {off}");
        }
    }
}

#[test]
fn transparent_pictures_are_composited() {
    // A stroke of 4×4 in the middle of 8×8; the transparent pixels have the stroke's colour, as many programs write it.
    let stroke = |grey: u8| -> DynamicImage {
        let inside = |x: u32, y: u32| (2..6).contains(&x) && (2..6).contains(&y);
        RgbaImage::from_fn(8, 8, |x, y| Rgba([grey, grey, grey, if inside(x, y) { 255 } else { 0 }])).into()
    };
    let read = |picture: &DynamicImage, background| {
        let found = read(&encoded(picture, ImageFormat::Png), [1, 8, 8], background).unwrap();
        (found.pixels[0], found.pixels[3 * 8 + 3], found.background)
    };
    use Background::{Auto, Black, White};
    for picture in [stroke(0), stroke(0).into_luma_alpha8().into(), stroke(0).into_rgba16().into()] {
        assert_eq!(read(&picture, Auto), (255, 0, Some(255)));
        assert_eq!(read(&picture, Black), (0, 0, Some(0)));
    }
    assert_eq!(read(&stroke(255), Auto), (0, 255, Some(0)));
    assert_eq!(read(&stroke(255), White), (255, 255, Some(255)));
    // An alpha channel in which everything is opaque is no transparency.
    let opaque = RgbaImage::from_pixel(8, 8, Rgba([9, 9, 9, 255])).into();
    assert_eq!(read(&opaque, White), (9, 9, None));
    // Half opaque: 0.5·0 + 0.5·255.
    let half = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 128])).into();
    assert_eq!(read(&half, White), (127, 127, Some(255)));
    let gif = gif(&stroke(0));
    assert_eq!((gif.pixels[0], gif.pixels[3 * 8 + 3], gif.background), (255, 0, Some(255)));
}

fn gif(picture: &DynamicImage) -> Picture {
    read(&encoded(picture, ImageFormat::Gif), [1, 8, 8], Background::Auto).unwrap()
}

#[test]
fn every_kind_of_png_keeps_its_colours() {
    let colour = |contents: &[u8]| {
        let found = read(contents, [3, 1, 2], Background::Black).unwrap();
        let pixel = |x: usize| [0, 2, 4].map(|c| found.pixels[c + x]);
        [pixel(0), pixel(1)]
    };
    let palette: (&[u8; 4], &[u8]) = (b"PLTE", &[255, 0, 0, 10, 200, 30]);
    // Two pixels per row, after the filter byte.
    assert_eq!(colour(&png([2, 1], 8, 3, &[palette], &[0, 0, 1])), [[255, 0, 0], [10, 200, 30]]);
    assert_eq!(colour(&png([2, 1], 1, 3, &[palette], &[0, 0b0100_0000])), [[255, 0, 0], [10, 200, 30]]);
    // The palette's second colour is transparent.
    let transparent: (&[u8; 4], &[u8]) = (b"tRNS", &[255, 0]);
    assert_eq!(colour(&png([2, 1], 8, 3, &[palette, transparent], &[0, 0, 1])), [[255, 0, 0], [0, 0, 0]]);
    assert_eq!(colour(&png([2, 1], 1, 0, &[], &[0, 0b0100_0000])), [[0; 3], [255; 3]]);
    assert_eq!(colour(&png([2, 1], 2, 0, &[], &[0, 0b0110_0000])), [[85; 3], [170; 3]]);
    // 16 bits: 0x8000 is 128 of 255, and 0x0100 is 1.
    assert_eq!(colour(&png([2, 1], 16, 0, &[], &[0, 0x80, 0, 1, 0])), [[128; 3], [1; 3]]);
    let rgb16 = [0, 255, 255, 0x80, 0, 0, 0, 0, 0, 1, 0, 255, 255];
    assert_eq!(colour(&png([2, 1], 16, 2, &[], &rgb16)), [[255, 128, 0], [0, 1, 255]]);
}

#[test]
fn jpegs_of_one_and_of_four_components_keep_their_colours() {
    // One block: a DC coefficient of 8·(value − 128)/q per component, as one code bit 0 and its magnitude in 8 bits.
    let block = |values: &[u8]| {
        let mut bits = String::new();
        for &value in values {
            let dc = 2 * (i32::from(value) - 128);
            bits += &format!("0{:08b}0", if dc < 0 { dc + 255 } else { dc });
        }
        bits += &"1".repeat((8 - bits.len() % 8) % 8);
        let byte = |i: usize| u8::from_str_radix(&bits[8 * i..8 * i + 8], 2).unwrap();
        // A byte 0xff of data is followed by a zero.
        (0..bits.len() / 8)
            .flat_map(|i| [byte(i), 0].into_iter().take(1 + usize::from(byte(i) == 0xff)))
            .collect::<Vec<_>>()
    };
    let colour = |values: &[u8]| {
        let contents = jpeg([8, 8], values.len() as u8, 0xc0, 4, 8, &block(values));
        let pixels = read(&contents, [3, 8, 8], Background::Auto).unwrap().pixels;
        [pixels[0], pixels[64], pixels[128]]
    };
    assert_eq!(colour(&[200]), [200; 3]);
    // Four components are inverted CMYK, as Adobe's programs write it: red is C·K/255.
    for (values, expected) in [([210, 40, 250, 255], [210, 40, 250]), ([210, 40, 250, 200], [165, 31, 196])] {
        let found = colour(&values);
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2), "{found:?} is not {expected:?}");
    }
}

#[test]
fn truncated_pictures_are_refused() {
    let noisy: DynamicImage =
        RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, y as u8])).into();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif] {
        let whole = encoded(&noisy, format);
        read(&whole, [3, 8, 8], Background::Auto).unwrap();
        for share in [0.05, 0.3, 0.6, 0.95] {
            let cut = (whole.len() as f64 * share) as usize;
            let error = read(&whole[..cut], [3, 8, 8], Background::Auto).err();
            assert!(error.is_some(), "a {format:?} of which {share} is there was read");
        }
    }
    let whole = encoded(&noisy, ImageFormat::Jpeg);
    let error = read(&whole[..whole.len() - 2], [3, 8, 8], Background::Auto).unwrap_err();
    assert!(error.contains("truncated"), "{error}");
    // Without an end in the first 32 MiB: of its data, or of its segments.
    let segments = [&[0xff, 0xe1, 0xff, 0xff][..], &[0; 0xfffd]].concat().repeat(513);
    for rest in [vec![0; 33 << 20], segments] {
        let error = read(&[&whole[..whole.len() - 2], &rest].concat(), [3, 8, 8], Background::Auto).unwrap_err();
        assert!(error.contains("the limit is 33554432"), "{error}");
    }
    // Cameras append whole films.
    let longer = [&whole[..], &[0; 1000]].concat();
    assert_eq!(read(&longer, [3, 8, 8], Background::Auto), read(&whole, [3, 8, 8], Background::Auto));
}

#[test]
fn what_is_no_picture_says_so() {
    let error = |contents: &[u8]| read(contents, [1, 2, 2], Background::Auto).unwrap_err();
    assert_eq!(error(b""), "the file is empty");
    assert_eq!(error(b"text"), "the contents are no JPEG, PNG, WebP, BMP or GIF");
    let folder = tempfile::tempdir().unwrap();
    let error = read_picture(folder.path(), [1, 2, 2], Background::Auto).unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
}

#[test]
fn pictures_are_cropped_before_they_are_resized() {
    let start = std::time::Instant::now();
    let line = png([1, 8_000_000], 8, 0, &[], &[0, 200]);
    assert_eq!(read(&line, [1, 4, 4], Background::Auto).unwrap().pixels, [200; 16]);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn the_number_of_pixels_is_limited_before_they_are_decoded() {
    let refused = |contents: &[u8], words: &str| {
        let error = read(contents, [1, 2, 2], Background::Auto).unwrap_err();
        assert!(error.contains(words) && error.contains("the limit is 25165824"), "{error}");
    };
    assert_eq!(PIXELS, 25_165_824);
    refused(&png([60_000, 60_000], 8, 0, &[], &[]), "60000×60000 = 3600000000 pixels");
    refused(&png([PIXELS as u32 + 1, 1], 8, 6, &[], &[]), "25165825×1 = 25165825 pixels");
    refused(&jpeg([65_500, 65_500], 3, 0xc0, 8, 0, &[]), "65500×65500");
}
