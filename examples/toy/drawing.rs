//! The picture of a network f: ℝ² → ℝ²: its field f(x) − x as arrows, its fixed points as a glow, data and samples as dots.

use font8x8::UnicodeFonts;
use ign::error::Error;
use ign::toy::{Toy, grid};
use tiny_skia::{Color, FillRule, LineCap, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke, Transform};

/// What is drawn of a network, in a square below a title.
pub struct Scene {
    title: String,
    /// Width and height, in pixels.
    side: u32,
    /// |f(x) − x| in rows of [`CELLS`].
    lengths: Vec<f32>,
    /// f(x) − x in rows of [`arrows`].
    arrows: Vec<[f32; 2]>,
    data: Vec<[f32; 2]>,
    samples: Vec<[f32; 2]>,
}

/// Half the side of the part of the plane that is shown.
const EXTENT: f32 = 1.4;
/// Number of cells of the glow along one side.
const CELLS: usize = 112;
/// Width of the cell of an arrow, in pixels.
const ARROW: u32 = 28;
/// Number of points of the data, and of samples.
const POINTS: usize = 400;
/// |f(x) − x| at which the glow of a fixed point has fallen to 1/e.
const NEAR: f32 = 0.03;
/// Heights of the title and the legend, in pixels.
const TITLE: u32 = 26;
const LEGEND: u32 = 32;

const BACKGROUND: [u8; 3] = [24, 24, 28];
const INK: [u8; 3] = [200, 200, 208];
const GLOW: [u8; 3] = [40, 130, 125];
const DATA: [u8; 3] = [255, 178, 70];
const SAMPLE: [u8; 3] = [255, 255, 255];
/// The colours of arrows from length 0 to [`LONG`].
const RAMP: [[u8; 3]; 3] = [[74, 82, 112], [150, 104, 204], [255, 120, 170]];
const LONG: f32 = 1.5;

impl Scene {
    /// The present state of a toy, to be drawn with `side` pixels a side.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn of(toy: &Toy, title: String, side: u32) -> Result<Self, Error> {
        let lengths = toy.blocking_field(&grid(CELLS, EXTENT))?.iter().map(|[x, y]| x.hypot(*y)).collect();
        let arrows = toy.blocking_field(&grid(arrows(side), EXTENT))?;
        let samples = toy.blocking_apply(&toy.noise(POINTS))?;
        Ok(Self { title, side, lengths, arrows, data: toy.data(POINTS), samples })
    }

    /// Draws the square and the title.
    pub fn draw(&self) -> Pixmap {
        let side = self.side;
        let mut square = blank([side, side]);
        self.glow(&mut square);
        self.field(&mut square);
        let scale = side as f32 / (2.0 * EXTENT);
        let at = |[x, y]: [f32; 2]| [(x + EXTENT) * scale, (EXTENT - y) * scale];
        let radius = side as f32 / 260.0;
        self.data.iter().for_each(|p| dot(&mut square, at(*p), radius, DATA));
        self.samples.iter().for_each(|p| dot(&mut square, at(*p), 0.75 * radius, SAMPLE));
        let mut picture = blank([side, side + TITLE]);
        write(&mut picture, &self.title, [8.0, (TITLE - 16) as f32 / 2.0]);
        picture.draw_pixmap(0, TITLE as i32, square.as_ref(), &Default::default(), Transform::identity(), None);
        picture
    }

    /// Draws the glow of the fixed points, interpolated between the cells.
    fn glow(&self, picture: &mut Pixmap) {
        let side = picture.width() as usize;
        for (i, pixel) in picture.pixels_mut().iter_mut().enumerate() {
            let cell = |p: usize| ((p as f32 + 0.5) / side as f32 * CELLS as f32 - 0.5).clamp(0.0, (CELLS - 1) as f32);
            let (x, y) = (cell(i % side), cell(side - 1 - i / side));
            let length = |x: usize, y: usize| self.lengths[y.min(CELLS - 1) * CELLS + x.min(CELLS - 1)];
            let row = |y: usize| mix(length(x as usize, y), length(x as usize + 1, y), x.fract());
            let length = mix(row(y as usize), row(y as usize + 1), y.fract());
            let [r, g, b] = blend(BACKGROUND, GLOW, (-(length / NEAR).powi(2)).exp());
            *pixel = PremultipliedColorU8::from_rgba(r, g, b, 255).expect("an opaque colour is premultiplied");
        }
    }

    /// Draws the arrows. Colours show the lengths, since a drawn arrow stays in its cell.
    fn field(&self, picture: &mut Pixmap) {
        let count = arrows(self.side);
        let cell = self.side as f32 / count as f32;
        for (i, &[x, y]) in self.arrows.iter().enumerate() {
            let centre = [(i % count) as f32 + 0.5, (count - 1 - i / count) as f32 + 0.5].map(|c| c * cell);
            arrow(picture, centre, [x, -y], cell);
        }
    }
}

/// The number of arrows along `side` pixels.
fn arrows(side: u32) -> usize {
    (side / ARROW).max(1) as usize
}

/// Pictures side by side in rows of `columns`, with the legend below.
pub fn compose(pictures: &[Pixmap], columns: usize) -> Pixmap {
    const GAP: u32 = 6;
    let [width, height] = pictures.first().map_or([0; 2], |picture| [picture.width(), picture.height()]);
    let columns = columns.min(pictures.len()) as u32;
    let rows = (pictures.len() as u32).div_ceil(columns.max(1));
    let extent = |count: u32, size: u32| count * size + count.saturating_sub(1) * GAP;
    let mut whole = blank([extent(columns, width), extent(rows, height) + LEGEND]);
    for (i, picture) in pictures.iter().enumerate() {
        let (column, row) = (i as u32 % columns, i as u32 / columns);
        let [x, y] = [column * (width + GAP), row * (height + GAP)];
        whole.draw_pixmap(x as i32, y as i32, picture.as_ref(), &Default::default(), Transform::identity(), None);
    }
    legend(&mut whole, extent(rows, height) as f32);
    whole
}

/// Draws the legend below `top`, in the middle.
fn legend(picture: &mut Pixmap, top: f32) {
    const ENTRIES: [&str; 4] = ["data x", "f(z)", "f(x)-x, short to long", "f(x)=x"];
    // The room of the symbol, and between two entries.
    const SYMBOLS: [f32; 4] = [16.0, 16.0, 56.0, 24.0];
    const BETWEEN: f32 = 18.0;
    let width: f32 = ENTRIES.iter().zip(SYMBOLS).map(|(text, symbol)| symbol + letters(text) + BETWEEN).sum();
    let middle = top + LEGEND as f32 / 2.0;
    let mut x = (picture.width() as f32 - width + BETWEEN) / 2.0;
    for (i, (text, symbol)) in ENTRIES.iter().zip(SYMBOLS).enumerate() {
        match i {
            0 => dot(picture, [x + 8.0, middle], 3.5, DATA),
            1 => dot(picture, [x + 8.0, middle], 3.0, SAMPLE),
            2 => {
                let lengths = [0.08, 0.4, LONG];
                lengths.iter().enumerate().for_each(|(i, &length)| {
                    arrow(picture, [x + 9.0 + 17.0 * i as f32, middle], [length, 0.0], 20.0);
                });
            }
            _ => fill(picture, [x, middle - 6.0, 18.0, 12.0], GLOW),
        }
        write(picture, text, [x + symbol, middle - 8.0]);
        x += symbol + letters(text) + BETWEEN;
    }
}

fn blank([width, height]: [u32; 2]) -> Pixmap {
    let mut picture = Pixmap::new(width.max(1), height.max(1)).expect("the size is not zero");
    picture.fill(Color::from_rgba8(BACKGROUND[0], BACKGROUND[1], BACKGROUND[2], 255));
    picture
}

fn paint([r, g, b]: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

fn blend(a: [u8; 3], b: [u8; 3], share: f32) -> [u8; 3] {
    [0, 1, 2].map(|i| mix(a[i].into(), b[i].into(), share).round() as u8)
}

/// Draws an arrow for the displacement `[dx, dy]` about `centre`, in a cell of this size.
fn arrow(picture: &mut Pixmap, centre: [f32; 2], [dx, dy]: [f32; 2], cell: f32) {
    let length = dx.hypot(dy);
    if !length.is_finite() || length < 1e-4 {
        return;
    }
    let share = (length / LONG).min(1.0).sqrt();
    let at = share * (RAMP.len() - 1) as f32;
    let below = (at as usize).min(RAMP.len() - 2);
    let paint = paint(blend(RAMP[below], RAMP[below + 1], at - below as f32));
    let drawn = cell * mix(0.3, 0.88, share);
    let (ux, uy) = (dx / length, dy / length);
    // The point that is `along` from the centre to the tip, and `aside`.
    let point = |along: f32, aside: f32| (centre[0] + along * ux - aside * uy, centre[1] + along * uy + aside * ux);
    let (half, head) = (0.5 * drawn, 0.42 * drawn.min(0.6 * cell));

    let mut shaft = PathBuilder::new();
    let ((x, y), (to_x, to_y)) = (point(-half, 0.0), point(half - head, 0.0));
    shaft.move_to(x, y);
    shaft.line_to(to_x, to_y);
    let stroke = Stroke { width: cell / 18.0, line_cap: LineCap::Round, ..Stroke::default() };
    if let Some(path) = shaft.finish() {
        picture.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }
    let mut tip = PathBuilder::new();
    let ((x, y), (left_x, left_y), (right_x, right_y)) =
        (point(half, 0.0), point(half - head, 0.38 * head), point(half - head, -0.38 * head));
    tip.move_to(x, y);
    tip.line_to(left_x, left_y);
    tip.line_to(right_x, right_y);
    tip.close();
    if let Some(path) = tip.finish() {
        picture.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
    }
}

fn dot(picture: &mut Pixmap, [x, y]: [f32; 2], radius: f32, colour: [u8; 3]) {
    if let Some(circle) = PathBuilder::from_circle(x, y, radius) {
        picture.fill_path(&circle, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }
}

fn fill(picture: &mut Pixmap, [x, y, width, height]: [f32; 4], colour: [u8; 3]) {
    if let Some(rectangle) = Rect::from_xywh(x, y, width, height) {
        picture.fill_rect(rectangle, &paint(colour), Transform::identity(), None);
    }
}

/// The width of a text, in pixels.
fn letters(text: &str) -> f32 {
    8.0 * text.chars().count() as f32
}

/// Writes a text in letters of 8×16 pixels.
fn write(picture: &mut Pixmap, text: &str, [left, top]: [f32; 2]) {
    let (left, top) = (left.round(), top.round());
    for (i, letter) in text.chars().enumerate() {
        for (y, row) in font8x8::BASIC_FONTS.get(letter).unwrap_or_default().iter().enumerate() {
            for x in (0..8).filter(|x| row >> x & 1 == 1) {
                fill(picture, [left + (8 * i + x) as f32, top + 2.0 * y as f32, 1.0, 2.0], INK);
            }
        }
    }
}
