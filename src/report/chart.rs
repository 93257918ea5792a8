//! Line charts as SVG.

/// A line chart of values over training steps.
pub struct Chart {
    pub title: &'static str,
    /// Whether the vertical axis is logarithmic. A logarithmic axis omits values that are not positive.
    pub logarithmic: bool,
    pub lines: Vec<Line>,
}

/// A line: its points (step, value), from left to right.
pub struct Line {
    pub name: &'static str,
    pub colour: &'static str,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
/// The baseline of the title and of the legend to its right.
const TITLE: f64 = 14.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 28.0;

impl Chart {
    /// The chart as an SVG element; an empty string without valid points.
    pub fn svg(&self) -> String {
        let scaled = |y: f64| if self.logarithmic { y.log10() } else { y };
        let valid = |&(_, y): &(f64, f64)| scaled(y).is_finite();
        let points = || self.lines.iter().flat_map(|l| l.points.iter().copied()).filter(valid);
        let Some([left, right]) = range(points().map(|p| p.0)) else { return String::new() };
        let Some([low, high]) = range(points().map(|p| scaled(p.1))) else { return String::new() };
        let x = |step: f64| LEFT + (step - left) / (right - left) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - (scaled(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM);

        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n", self.title);
        text(&mut svg, LEFT, TITLE, "start", self.title);
        for i in 0..=3 {
            let share = f64::from(i) / 3.0;
            let at = low + share * (high - low);
            let value = if self.logarithmic { 10f64.powf(at) } else { at };
            svg += &format!(
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\n",
                WIDTH - RIGHT,
                y(value),
                y(value)
            );
            text(&mut svg, LEFT - 6.0, y(value) + 4.0, "end", &label(value));
            let step = left + share * (right - left);
            text(&mut svg, x(step), HEIGHT - 8.0, "middle", &format!("{step:.0}"));
        }
        for (i, line) in self.lines.iter().enumerate() {
            let place = |p: &(f64, f64)| format!("{:.1},{:.1}", x(p.0), y(p.1));
            let points: Vec<_> = line.points.iter().filter(|p| valid(p)).map(place).collect();
            svg += &format!("<polyline stroke=\"{}\" points=\"{}\"/>\n", line.colour, points.join(" "));
            let at = WIDTH - RIGHT - 110.0 * (self.lines.len() - 1 - i) as f64;
            svg += &format!(
                "<text x=\"{at}\" y=\"{TITLE}\" text-anchor=\"end\" style=\"fill:{}\">{}</text>\n",
                line.colour, line.name
            );
        }
        svg + "</svg>\n"
    }
}

/// Half the extent of an axis with one value: 0.5, and more where f64 could not hold the difference.
fn margin(value: f64) -> f64 {
    (1e-6 * value.abs()).max(0.5)
}

/// Minimum and maximum, widened each way if they are equal; nothing without values.
fn range(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    match low.is_finite() {
        true if low == high => Some([low - margin(low), high + margin(high)]),
        true => Some([low, high]),
        false => None,
    }
}

/// The label of a value on the vertical axis.
fn label(value: f64) -> String {
    match (value.abs() < 1e-3 && value != 0.0) || value.abs() >= 1e6 {
        true => format!("{value:.0e}"),
        false => format!("{value:.3}"),
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    *svg += &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_without_a_logarithm_are_left_out() {
        let chart = |points: Vec<(f64, f64)>| {
            let line = Line { name: "loss", colour: "#000", points };
            Chart { title: "", logarithmic: true, lines: vec![line] }.svg()
        };
        assert_eq!(chart(vec![]), "");
        assert_eq!(chart(vec![(1.0, 0.0), (2.0, f64::NAN)]), "");
        let svg = chart(vec![(0.0, 1.0), (1.0, 0.0), (2.0, 100.0)]);
        assert!(svg.contains("points=\"52.0,192.0 508.0,26.0\""), "{svg}");
    }

    #[test]
    fn small_values_keep_a_digit() {
        assert_eq!([0.0, 3.1e-5, 0.25, 3e38].map(label), ["0.000", "3e-5", "0.250", "3e38"]);
    }
}
