//! The picture of a network f: ℝ² → ℝ²: its field f(x) − x as arrows, its fixed points as a glow, data and samples as dots.

use crate::canvas::{BACKGROUND, DATA, GLOW, LEGEND, Rgb, SAMPLE};
use crate::canvas::{blank, blend, dot, fill, letters, mix, paint, stack, tile, titled, write};
use crate::plane::{EXTENT, NEAR, Plane, lengths};
use ign::error::Error;
use ign::toy::grid;
use tiny_skia::{FillRule, LineCap, PathBuilder, Pixmap, PremultipliedColorU8, Stroke, Transform};

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

/// Number of cells of the glow along one side.
const CELLS: usize = 112;
/// Width of the cell of an arrow, in pixels.
const ARROW: u32 = 28;
/// Number of points of the data, and of samples.
const POINTS: usize = 400;
/// The colours of arrows from length 0 to [`LONG`].
const RAMP: [Rgb; 3] = [[74, 82, 112], [150, 104, 204], [255, 120, 170]];
const LONG: f32 = 1.5;

impl Scene {
    /// The present state of f, to be drawn with `side` pixels a side.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn of(plane: &dyn Plane, title: String, side: u32) -> Result<Self, Error> {
        let lengths = lengths(plane, &grid(CELLS, EXTENT))?;
        let from = grid(arrows(side), EXTENT);
        let arrows = plane.apply(&from)?.iter().zip(&from).map(|(y, x)| [y[0] - x[0], y[1] - x[1]]).collect();
        let samples = plane.apply(&plane.noise(POINTS)?)?;
        Ok(Self { title, side, lengths, arrows, data: plane.data(POINTS), samples })
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
        titled(&self.title, &square)
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
    let rows = tile(pictures, columns);
    let legend = legend(rows.width());
    stack(&[rows, legend])
}

/// The legend, in the middle of a strip of this width.
fn legend(width: u32) -> Pixmap {
    let mut picture = blank([width, LEGEND]);
    const ENTRIES: [&str; 4] = ["data x", "f(z)", "f(x)-x, short to long", "f(x)=x"];
    // The room of the symbol, and between two entries.
    const SYMBOLS: [f32; 4] = [16.0, 16.0, 56.0, 24.0];
    const BETWEEN: f32 = 18.0;
    let needed: f32 = ENTRIES.iter().zip(SYMBOLS).map(|(text, symbol)| symbol + letters(text) + BETWEEN).sum();
    let middle = LEGEND as f32 / 2.0;
    let mut x = (width as f32 - needed + BETWEEN) / 2.0;
    for (i, (text, symbol)) in ENTRIES.iter().zip(SYMBOLS).enumerate() {
        match i {
            0 => dot(&mut picture, [x + 8.0, middle], 3.5, DATA),
            1 => dot(&mut picture, [x + 8.0, middle], 3.0, SAMPLE),
            2 => {
                let lengths = [0.08, 0.4, LONG];
                lengths.iter().enumerate().for_each(|(i, &length)| {
                    arrow(&mut picture, [x + 9.0 + 17.0 * i as f32, middle], [length, 0.0], 20.0);
                });
            }
            _ => fill(&mut picture, [x, middle - 6.0, 18.0, 12.0], GLOW),
        }
        write(&mut picture, text, [x + symbol, middle - 8.0]);
        x += symbol + letters(text) + BETWEEN;
    }
    picture
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
