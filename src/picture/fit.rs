//! From a decoded picture to an image of a network: composited, cropped, resized, turned.

use super::Background;
use image::imageops::{FilterType, resize};
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, Rgb, Rgba};

/// The bytes `[C, H, W]` of a picture as a viewer shows it: cropped around its centre to the aspect ratio of the shape,
/// and resized. With the grey level behind its transparent parts, if it has any.
pub(crate) fn fit(
    picture: &DynamicImage,
    orientation: Orientation,
    [channels, height, width]: [usize; 3],
    background: Background,
) -> (Vec<u8>, Option<u8>) {
    let (mut w, mut h) = (width as u32, height as u32);
    // The picture is turned last, when it is small.
    if turns(orientation) {
        (w, h) = (h, w);
    }
    let part = centre(picture.dimensions(), (w, h));
    let level = level(picture, part, background);
    let shown = Shown { picture, part, level: level.unwrap_or(0) };
    let mut image = DynamicImage::ImageRgb8(resize(&shown, w, h, FilterType::Triangle));
    image.apply_orientation(orientation);
    if channels == 1 {
        return (image.into_luma8().into_raw(), level);
    }
    let pixels = image.into_rgb8().into_raw();
    ((0..channels).flat_map(|c| pixels.iter().skip(c % 3).step_by(3).copied()).collect(), level)
}

/// Whether an orientation exchanges width and height.
fn turns(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// A rectangle of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rectangle {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// The largest rectangle around the centre with the aspect ratio of `(w, h)`, at least one pixel wide and high.
fn centre((width, height): (u32, u32), (w, h): (u32, u32)) -> Rectangle {
    let scaled = |side: u32, by: u32, to: u32| (f64::from(side) * f64::from(to) / f64::from(by)).round() as u32;
    let [cropped_width, cropped_height] = [scaled(height, h, w).clamp(1, width), scaled(width, w, h).clamp(1, height)];
    let [left, top] = [(width - cropped_width) / 2, (height - cropped_height) / 2];
    Rectangle { left, top, width: cropped_width, height: cropped_height }
}

/// A part of a picture over a grey level. A view: a copy of a large picture would take too much memory.
struct Shown<'a> {
    picture: &'a DynamicImage,
    part: Rectangle,
    level: u8,
}

impl GenericImageView for Shown<'_> {
    type Pixel = Rgb<u8>;

    fn dimensions(&self) -> (u32, u32) {
        (self.part.width, self.part.height)
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        let Rgba([r, g, b, a]) = self.picture.get_pixel(self.part.left + x, self.part.top + y);
        Rgb([r, g, b].map(|c| mix(c, self.level, a)))
    }
}

/// c·a + b·(1 − a) for an opacity of a/255, as browsers composite.
fn mix(c: u8, b: u8, a: u8) -> u8 {
    let [c, b, a] = [c, b, a].map(u32::from);
    ((c * a + b * (255 - a) + 127) / 255) as u8
}

/// The grey level behind a part of a picture, if any pixel is transparent.
fn level(picture: &DynamicImage, part: Rectangle, background: Background) -> Option<u8> {
    if !picture.color().has_alpha() {
        return None;
    }
    let (columns, rows) = (part.left..part.left + part.width, part.top..part.top + part.height);
    // Sums over the pixels of opacity, and of opacity times brightness (the weights are those of `into_luma8`).
    let (mut transparent, mut opacity, mut brightness) = (false, 0, 0);
    for (x, y) in rows.flat_map(|y| columns.clone().map(move |x| (x, y))) {
        let Rgba([r, g, b, a]) = picture.get_pixel(x, y);
        transparent |= a < 255;
        opacity += u64::from(a);
        brightness += u64::from(a) * (2126 * u64::from(r) + 7152 * u64::from(g) + 722 * u64::from(b)) / 10_000;
    }
    transparent.then_some(match background {
        Background::White => 255,
        Background::Black => 0,
        Background::Auto if 2 * brightness < 255 * opacity => 255,
        Background::Auto => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_keeps_the_aspect_ratio() {
        let cropped = |size, shape| {
            let Rectangle { left, top, width, height } = centre(size, shape);
            [left, top, width, height]
        };
        assert_eq!(cropped((90, 30), (8, 8)), [30, 0, 30, 30]);
        assert_eq!(cropped((30, 90), (8, 8)), [0, 30, 30, 30]);
        assert_eq!(cropped((28, 28), (28, 28)), [0, 0, 28, 28]);
        assert_eq!(cropped((1, 8_000_000), (28, 28)), [0, 3_999_999, 1, 1]);
        assert_eq!(cropped((100, 100), (64, 32)), [0, 25, 100, 50]);
        // A pixel is the least that is left.
        assert_eq!(cropped((3, 1), (1, 64)), [1, 0, 1, 1]);
    }

    #[test]
    fn opacity_mixes_with_the_background() {
        assert_eq!([mix(200, 10, 255), mix(200, 10, 0), mix(255, 0, 128)], [200, 10, 128]);
    }
}
