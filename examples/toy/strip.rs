//! The training as a strip of pictures: the density of f(z) above the lengths |f(x) − x|, one column per step.

use crate::canvas::{BACKGROUND, DATA, Rgb, blank, blend, dot, fill, tile, titled, write};
use crate::numbers::Numbers;
use crate::plane::{EXTENT, NEAR, Plane, lengths};
use ign::error::Error;
use ign::toy::{Toy, grid};
use tiny_skia::Pixmap;

/// Width and height of a picture, and number of cells along them.
const SIDE: usize = 180;
const CELLS: usize = SIDE / 2;
/// Number of points of a density, and of dots of the data.
const POINTS: usize = 40_000;
const DOTS: usize = 150;
/// The colours of a density, from 0 to that of the data, and of lengths, from ε to [`FAR`].
const DENSITY: [Rgb; 4] = [BACKGROUND, [110, 40, 120], [240, 110, 60], [255, 240, 190]];
const LENGTH: [Rgb; 3] = [[44, 40, 70], [104, 84, 160], [215, 150, 190]];
const FAR: f32 = 2.0;
/// The colour of points with |f(x) − x| < ε.
const FIXED: Rgb = [60, 205, 190];

/// The pictures and numbers so far.
#[derive(Default)]
pub struct Strip {
    densities: Vec<Pixmap>,
    fields: Vec<Pixmap>,
    rows: String,
}

impl Strip {
    /// The steps of a training that are shown: none, then about threefold each time, up to all.
    pub fn steps(all: u64) -> impl Iterator<Item = u64> {
        [100, 30, 10, 3, 1].into_iter().map(move |divisor| all / divisor).chain([0])
    }

    /// Adds a column for the present state of the training.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn push(&mut self, toy: &Toy) -> Result<(), Error> {
        let numbers = Numbers::of(toy)?;
        let data = density(&toy.data(POINTS));
        if self.densities.is_empty() {
            self.densities.push(titled("data x", &coloured(&data, &data)));
            self.fields.push(titled("", &key()));
            self.rows = format!("step,{}\n", Numbers::NAMES);
        }
        let samples = density(&Plane::apply(toy, &toy.noise(POINTS))?);
        let title = format!("step {}, E {:.4}", toy.step(), numbers.energy.max(0.0));
        self.densities.push(titled(&title, &coloured(&samples, &data)));
        self.fields.push(titled(&format!("area {:.1} %", 100.0 * numbers.area), &field(toy)?));
        self.rows += &format!("{},{}\n", toy.step(), numbers.row());
        Ok(())
    }

    /// The picture of all columns, and the numbers as a table.
    pub fn finish(mut self) -> (Pixmap, String) {
        let columns = self.densities.len();
        self.densities.append(&mut self.fields);
        (tile(&self.densities, columns), self.rows)
    }
}

/// The share of the points in each cell, as a weighted mean over its neighbours.
fn density(points: &[[f32; 2]]) -> Vec<f32> {
    let mut counts = vec![0.0; CELLS * CELLS];
    for point in points {
        let [x, y] = point.map(|c| ((c + EXTENT) / (2.0 * EXTENT) * CELLS as f32).floor());
        let inside = |c: f32| (0.0..CELLS as f32).contains(&c);
        if inside(x) && inside(y) {
            counts[y as usize * CELLS + x as usize] += 1.0 / points.len() as f32;
        }
    }
    // What leaves one edge does not enter at the other.
    let at = |x: usize, y: usize| if x < CELLS && y < CELLS { counts[y * CELLS + x] } else { 0.0 };
    let row = |x: usize, y: usize| 0.25 * at(x.wrapping_sub(1), y) + 0.5 * at(x, y) + 0.25 * at(x + 1, y);
    let mean = |x: usize, y: usize| 0.25 * row(x, y.wrapping_sub(1)) + 0.5 * row(x, y) + 0.25 * row(x, y + 1);
    (0..CELLS * CELLS).map(|i| mean(i % CELLS, i / CELLS)).collect()
}

/// A density in colours, which end at the greatest density of the data.
fn coloured(density: &[f32], data: &[f32]) -> Pixmap {
    let top = data.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    cells(CELLS, |i| ramp(&DENSITY, (density[i] / top).sqrt()))
}

/// The lengths |f(x) − x| in colours, the nearly fixed points in a colour of their own, and some dots of the data.
fn field(toy: &Toy) -> Result<Pixmap, Error> {
    let lengths = lengths(toy, &grid(SIDE, EXTENT))?;
    let colour = |length: f32| match length < NEAR {
        true => FIXED,
        false => ramp(&LENGTH, (length / NEAR).ln() / (FAR / NEAR).ln()),
    };
    let mut picture = cells(SIDE, |i| colour(lengths[i]));
    let scale = SIDE as f32 / (2.0 * EXTENT);
    for [x, y] in toy.data(DOTS) {
        dot(&mut picture, [(x + EXTENT) * scale, (EXTENT - y) * scale], 1.1, DATA);
    }
    Ok(picture)
}

/// What the colours mean.
fn key() -> Pixmap {
    let mut picture = blank([SIDE as u32; 2]);
    let mut bar = |colours: &[Rgb], top: f32| {
        (0..100).for_each(|i| fill(&mut picture, [8.0 + i as f32, top, 1.0, 12.0], ramp(colours, i as f32 / 100.0)));
    };
    bar(&DENSITY, 12.0);
    bar(&LENGTH, 72.0);
    fill(&mut picture, [8.0, 120.0, 12.0, 12.0], FIXED);
    dot(&mut picture, [14.0, 154.0], 2.5, DATA);
    let texts = [("density", 28.0), ("|f(x)-x|, log scale", 88.0), ("|f(x)-x| < 0.03", 118.0), ("data x", 146.0)];
    for (i, (text, top)) in texts.into_iter().enumerate() {
        write(&mut picture, text, [if i < 2 { 8.0 } else { 28.0 }, top]);
    }
    picture
}

/// A picture of `side`² cells in rows from below.
fn cells(side: usize, colour: impl Fn(usize) -> Rgb) -> Pixmap {
    let mut picture = blank([SIDE as u32; 2]);
    let size = (SIDE / side) as f32;
    for i in 0..side * side {
        let (x, y) = ((i % side) as f32, (side - 1 - i / side) as f32);
        fill(&mut picture, [x * size, y * size, size, size], colour(i));
    }
    picture
}

/// The colour at `share`, 0 to 1, of a scale.
fn ramp(colours: &[Rgb], share: f32) -> Rgb {
    let at = share.clamp(0.0, 1.0) * (colours.len() - 1) as f32;
    let below = (at as usize).min(colours.len() - 2);
    blend(colours[below], colours[below + 1], at - below as f32)
}
