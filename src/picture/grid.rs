use crate::files::{FileError, replace};
use font8x8::UnicodeFonts;
use image::{Rgb, RgbImage};
use std::path::Path;

/// Labelled rows of images of one shape, with lines of text between them.
pub struct Grid {
    shape: [usize; 3],
    rows: Vec<Row>,
}

enum Row {
    Images { label: String, images: Vec<f32> },
    Text(String),
}

const BACKGROUND: Rgb<u8> = Rgb([24, 24, 28]);
const INK: Rgb<u8> = Rgb([200, 200, 208]);
/// Highlights NaN values.
const NOT_A_NUMBER: Rgb<u8> = Rgb([255, 0, 255]);
/// The glyph of characters missing from the font: a box.
const UNKNOWN: [u8; 8] = [0, 0x7e, 0x42, 0x42, 0x42, 0x42, 0x7e, 0];
/// Gap between images, in pixels.
const GAP: u32 = 4;
/// Width and height of a character, in pixels.
const LETTER: [u32; 2] = [8, 16];

impl Grid {
    /// An empty grid of images `[C, H, W]`, with C = 1 or 3.
    pub fn new(shape: [usize; 3]) -> Self {
        Self { shape, rows: vec![] }
    }

    /// Adds a row of consecutive images with values in [-1, 1].
    pub fn row(mut self, label: &str, images: &[f32]) -> Self {
        self.rows.push(Row::Images { label: label.into(), images: images.to_vec() });
        self
    }

    /// Adds a line of text, aligned with the left edge of the images. The picture is wide enough for the text.
    pub fn text(mut self, text: &str) -> Self {
        self.rows.push(Row::Text(text.into()));
        self
    }

    /// Adds vertical space.
    pub fn space(self) -> Self {
        self.text("")
    }

    /// Draws the grid. Images are enlarged by a whole factor to at most 56 pixels; larger images keep their size.
    fn draw(&self) -> RgbImage {
        let [c, h, w] = self.shape;
        let enlarge = (56 / h.max(w).max(1)).max(1) as u32;
        let (tall, wide) = (h as u32 * enlarge, w as u32 * enlarge);
        let letters = |text: &str| text.chars().count() as u32 * LETTER[0];
        let label = self.rows.iter().map(|row| if let Row::Images { label, .. } = row { letters(label) } else { 0 });
        let label = label.max().unwrap_or(0);
        let margin = GAP + if label > 0 { label + 2 * GAP } else { 0 };
        let width = |row: &Row| match row {
            Row::Images { images, .. } => (images.len() / (c * h * w).max(1)) as u32 * (wide + GAP),
            Row::Text(text) => letters(text) + GAP,
        };
        let height = |row: &Row| match row {
            Row::Images { .. } => tall + GAP,
            Row::Text(text) if text.is_empty() => 2 * GAP,
            Row::Text(_) => LETTER[1] + GAP,
        };
        let right = margin + self.rows.iter().map(width).max().unwrap_or(0);
        let mut picture = RgbImage::from_pixel(right, GAP + self.rows.iter().map(height).sum::<u32>(), BACKGROUND);

        let mut top = GAP;
        for row in &self.rows {
            match row {
                Row::Text(text) => write(&mut picture, text, margin, top),
                Row::Images { label, images } => {
                    write(&mut picture, label, GAP, top + tall.saturating_sub(LETTER[1]) / 2);
                    for (column, image) in images.chunks_exact(c * h * w).enumerate() {
                        let left = margin + column as u32 * (wide + GAP);
                        for (y, x) in (0..tall).flat_map(|y| (0..wide).map(move |x| (y, x))) {
                            let at = (y / enlarge) as usize * w + (x / enlarge) as usize;
                            let channel = |i: usize| image[i % c * h * w + at];
                            picture.put_pixel(left + x, top + y, colour([channel(0), channel(1), channel(2)]));
                        }
                    }
                }
            }
            top += height(row);
        }
        picture
    }

    /// Writes the grid to a PNG file atomically.
    ///
    /// # Errors
    /// If a row does not consist of whole images, or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let failed = |reason: String| FileError::new(path, reason);
        let elements: usize = self.shape.iter().product();
        for row in &self.rows {
            if let Row::Images { label, images } = row
                && (elements == 0 || !images.len().is_multiple_of(elements))
            {
                let shape = self.shape;
                return Err(failed(format!("the {} numbers of row `{label}` are no images {shape:?}", images.len())));
            }
        }
        let mut bytes = std::io::Cursor::new(vec![]);
        self.draw().write_to(&mut bytes, image::ImageFormat::Png).map_err(|e| failed(e.to_string()))?;
        replace(path, bytes.get_ref())
    }
}

fn colour(values: [f32; 3]) -> Rgb<u8> {
    if values.iter().any(|v| v.is_nan()) {
        return NOT_A_NUMBER;
    }
    Rgb(values.map(|v| ((v.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8))
}

fn write(picture: &mut RgbImage, text: &str, left: u32, top: u32) {
    for (i, letter) in text.chars().enumerate() {
        let glyph = font8x8::BASIC_FONTS.get(letter).or_else(|| font8x8::LATIN_FONTS.get(letter));
        let glyph = glyph.unwrap_or(UNKNOWN);
        for (x, y) in (0..LETTER[1]).flat_map(|y| (0..LETTER[0]).map(move |x| (x, y))) {
            // Glyphs are 8 × 8.
            let inked = glyph[(y * 8 / LETTER[1]) as usize] >> (x * 8 / LETTER[0]) & 1 == 1;
            let (x, y) = (left + i as u32 * LETTER[0] + x, top + y);
            if inked && x < picture.width() && y < picture.height() {
                picture.put_pixel(x, y, INK);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_colours() {
        assert_eq!(colour([-1.0, 0.0, 1.0]), Rgb([0, 128, 255]));
        assert_eq!(colour([-9.0, 0.0, 9.0]), Rgb([0, 128, 255]));
        assert_eq!(colour([f32::NAN, 0.0, 0.0]), NOT_A_NUMBER);
    }

    #[test]
    fn rows_stand_under_each_other() {
        let picture = Grid::new([1, 2, 2]).row("", &[1.0; 8]).row("", &[-1.0; 4]).draw();
        let side = 56;
        assert_eq!(picture.dimensions(), (GAP + 2 * (side + GAP), GAP + 2 * (side + GAP)));
        assert_eq!(*picture.get_pixel(GAP, GAP), Rgb([255; 3]));
        assert_eq!(*picture.get_pixel(GAP, GAP + side), BACKGROUND);
        assert_eq!(*picture.get_pixel(GAP, 2 * GAP + side), Rgb([0; 3]));
        assert_eq!(*picture.get_pixel(2 * GAP + side, 2 * GAP + side), BACKGROUND);
        let labelled = Grid::new([1, 2, 2]).row("z", &[1.0; 4]).draw();
        assert!(labelled.pixels().any(|p| *p == INK));
    }

    #[test]
    fn rows_that_are_not_of_whole_images_are_refused() {
        let path = Path::new("never-written.png");
        let error = Grid::new([1, 2, 2]).row("z", &[0.0; 5]).save(path).unwrap_err().to_string();
        assert!(error.contains("never-written.png") && error.contains("5 numbers of row `z`"), "{error}");
    }

    #[test]
    fn letters_that_the_font_lacks_are_shown() {
        let drawn = |label: &str| Grid::new([1, 2, 2]).row(label, &[-1.0; 4]).draw().pixels().any(|p| *p == INK);
        assert!(drawn("字") && !drawn(" "));
    }

    #[test]
    fn text_begins_where_the_images_do_and_is_never_cut() {
        let text = "mean error 0.1";
        let picture = Grid::new([1, 2, 2]).row("z", &[1.0; 4]).text(text).draw();
        let margin = 3 * GAP + LETTER[0];
        assert_eq!(picture.width(), margin + text.len() as u32 * LETTER[0] + GAP);
        assert_eq!(picture.height(), 3 * GAP + 56 + LETTER[1]);
        let below = picture.enumerate_pixels().filter(|(_, y, p)| *y >= 2 * GAP + 56 && **p == INK);
        let [mut left, mut right] = [picture.width(), 0];
        below.for_each(|(x, ..)| (left, right) = (left.min(x), right.max(x)));
        assert!((margin..margin + LETTER[0]).contains(&left), "{left}");
        assert!(right > picture.width() - GAP - LETTER[0], "{right}");
    }
}
