//! Shapes, colours and letters on a picture.

use font8x8::UnicodeFonts;
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

/// A colour: red, green and blue.
pub type Rgb = [u8; 3];

pub const BACKGROUND: Rgb = [24, 24, 28];
pub const INK: Rgb = [200, 200, 208];
pub const GLOW: Rgb = [40, 130, 125];
pub const DATA: Rgb = [255, 178, 70];
pub const SAMPLE: Rgb = [255, 255, 255];
/// Heights of a title and of a legend, in pixels.
pub const TITLE: u32 = 26;
pub const LEGEND: u32 = 32;
/// Space between two pictures, in pixels.
const GAP: u32 = 6;

/// A picture of the background colour.
pub fn blank([width, height]: [u32; 2]) -> Pixmap {
    let mut picture = Pixmap::new(width.max(1), height.max(1)).expect("the size is not zero");
    picture.fill(Color::from_rgba8(BACKGROUND[0], BACKGROUND[1], BACKGROUND[2], 255));
    picture
}

/// The paint of a colour.
pub fn paint([r, g, b]: Rgb) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

/// The value that is `share` of the way from a to b.
pub fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// The colour that is `share` of the way from a to b.
pub fn blend(a: Rgb, b: Rgb, share: f32) -> Rgb {
    [0, 1, 2].map(|i| mix(a[i].into(), b[i].into(), share).round() as u8)
}

/// Fills a circle.
pub fn dot(picture: &mut Pixmap, [x, y]: [f32; 2], radius: f32, colour: Rgb) {
    if let Some(circle) = PathBuilder::from_circle(x, y, radius) {
        picture.fill_path(&circle, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }
}

/// Fills a rectangle: left, top, width and height.
pub fn fill(picture: &mut Pixmap, [x, y, width, height]: [f32; 4], colour: Rgb) {
    if let Some(rectangle) = Rect::from_xywh(x, y, width, height) {
        picture.fill_rect(rectangle, &paint(colour), Transform::identity(), None);
    }
}

/// The width of a text, in pixels.
pub fn letters(text: &str) -> f32 {
    8.0 * text.chars().count() as f32
}

/// Writes a text in letters of 8×16 pixels.
pub fn write(picture: &mut Pixmap, text: &str, [left, top]: [f32; 2]) {
    let (left, top) = (left.round(), top.round());
    for (i, letter) in text.chars().enumerate() {
        for (y, row) in font8x8::BASIC_FONTS.get(letter).unwrap_or_default().iter().enumerate() {
            for x in (0..8).filter(|x| row >> x & 1 == 1) {
                fill(picture, [left + (8 * i + x) as f32, top + 2.0 * y as f32, 1.0, 2.0], INK);
            }
        }
    }
}

/// Draws a line of this width.
pub fn line(picture: &mut Pixmap, points: &[[f32; 2]], width: f32, colour: Rgb) {
    let mut path = PathBuilder::new();
    for (i, [x, y]) in points.iter().enumerate() {
        if i == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
    }
    if let Some(path) = path.finish() {
        let stroke = Stroke { width, ..Stroke::default() };
        picture.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

/// Puts a picture at a place on another.
pub fn put(whole: &mut Pixmap, [left, top]: [u32; 2], picture: &Pixmap) {
    whole.draw_pixmap(left as i32, top as i32, picture.as_ref(), &Default::default(), Transform::identity(), None);
}

/// A picture with a title above it.
pub fn titled(title: &str, picture: &Pixmap) -> Pixmap {
    let mut whole = blank([picture.width(), picture.height() + TITLE]);
    write(&mut whole, title, [8.0, (TITLE - 16) as f32 / 2.0]);
    put(&mut whole, [0, TITLE], picture);
    whole
}

/// Pictures of one size side by side, in rows of `columns`.
pub fn tile(pictures: &[Pixmap], columns: usize) -> Pixmap {
    let [width, height] = pictures.first().map_or([0; 2], |picture| [picture.width(), picture.height()]);
    let columns = columns.min(pictures.len()).max(1) as u32;
    let extent = |count: u32, size: u32| count * size + count.saturating_sub(1) * GAP;
    let mut whole = blank([extent(columns, width), extent((pictures.len() as u32).div_ceil(columns), height)]);
    for (i, picture) in (0..).zip(pictures) {
        put(&mut whole, [i % columns * (width + GAP), i / columns * (height + GAP)], picture);
    }
    whole
}

/// Pictures below each other.
pub fn stack(pictures: &[Pixmap]) -> Pixmap {
    let width = pictures.iter().map(Pixmap::width).max().unwrap_or(0);
    let mut whole = blank([width, pictures.iter().map(Pixmap::height).sum()]);
    let mut top = 0;
    for picture in pictures {
        put(&mut whole, [0, top], picture);
        top += picture.height();
    }
    whole
}
