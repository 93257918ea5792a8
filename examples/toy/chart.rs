//! A chart of a number over a setting.

use crate::canvas::{BACKGROUND, INK, Rgb, blank, blend, dot, letters, line, write};
use tiny_skia::Pixmap;

/// A number over a setting, for several series.
pub struct Chart<'a> {
    pub title: &'a str,
    pub scale: Scale,
    /// The values of the setting, drawn at equal distances.
    pub ticks: Vec<String>,
    /// Per series its name, and per value of the setting the results of all seeds.
    pub lines: Vec<(&'a str, Vec<Vec<f64>>)>,
    /// A bound of the number per value of the setting.
    pub bound: Option<Vec<f64>>,
}

/// The scale of the numbers.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    /// From 0 to 1.
    Linear,
    /// Powers of ten around the numbers, which are positive.
    Log,
}

const COLOURS: [Rgb; 2] = [[255, 178, 70], [90, 180, 255]];
/// The margins: left, top, right and bottom.
const MARGINS: [f32; 4] = [60.0, 34.0, 24.0, 46.0];

impl Chart<'_> {
    /// Draws the chart: a dot per result, and a line through the means.
    pub fn draw(&self, [width, height]: [u32; 2]) -> Pixmap {
        let mut picture = blank([width, height]);
        let [left, top, right, bottom] = MARGINS;
        let [right, bottom] = [width as f32 - right, height as f32 - bottom];
        let numbers = || self.lines.iter().flat_map(|(_, values)| values.iter().flatten().copied());
        let of = |number: f64| if self.scale == Scale::Log { number.log10() } else { number };
        let (low, high) = match self.scale {
            Scale::Linear => (0.0, 1.0),
            Scale::Log => (
                numbers().map(of).fold(f64::INFINITY, f64::min).floor(),
                numbers().map(of).fold(f64::NEG_INFINITY, f64::max).ceil(),
            ),
        };
        let x = |i: usize| left + 14.0 + (right - left - 28.0) * i as f32 / (self.ticks.len() - 1).max(1) as f32;
        let y = |number: f64| bottom - (bottom - top) * ((of(number) - low) / (high - low).max(1e-9)) as f32;

        write(&mut picture, self.title, [8.0, 6.0]);
        let faint = blend(BACKGROUND, INK, 0.25);
        let marks: Vec<f64> = match self.scale {
            Scale::Linear => vec![0.0, 0.5, 1.0],
            Scale::Log => (low as i32..=high as i32).map(|power| 10f64.powi(power)).collect(),
        };
        for mark in marks {
            line(&mut picture, &[[left, y(mark)], [right, y(mark)]], 1.0, faint);
            let text = mark.to_string();
            write(&mut picture, &text, [left - 6.0 - letters(&text), y(mark) - 8.0]);
        }
        for (i, tick) in self.ticks.iter().enumerate() {
            write(&mut picture, tick, [x(i) - letters(tick) / 2.0, bottom + 6.0]);
        }
        self.names(&mut picture, bottom + 26.0);
        if let Some(bound) = &self.bound {
            let points: Vec<_> = bound.iter().enumerate().map(|(i, bound)| [x(i), y(*bound)]).collect();
            line(&mut picture, &points, 1.5, INK);
        }
        for ((_, values), colour) in self.lines.iter().zip(COLOURS) {
            let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
            let points: Vec<_> = values.iter().enumerate().map(|(i, values)| [x(i), y(mean(values))]).collect();
            line(&mut picture, &points, 1.5, colour);
            for (i, value) in values.iter().enumerate().flat_map(|(i, values)| values.iter().map(move |v| (i, v))) {
                dot(&mut picture, [x(i), y(*value)], 3.0, colour);
            }
        }
        picture
    }

    /// Writes what the lines are.
    fn names(&self, picture: &mut Pixmap, top: f32) {
        let mut left = MARGINS[0];
        write(picture, "tight", [8.0, top]);
        let bound = self.bound.iter().map(|_| ("theorem", INK));
        for (name, colour) in self.lines.iter().map(|(name, _)| *name).zip(COLOURS).chain(bound) {
            line(picture, &[[left, top + 8.0], [left + 16.0, top + 8.0]], 2.0, colour);
            write(picture, name, [left + 22.0, top]);
            left += 22.0 + letters(name) + 18.0;
        }
    }
}
