//! The roofline as SVG: arithmetic rate over arithmetic intensity, on logarithmic axes (Williams, Waterman & Patterson 2009).

use super::Peaks;
use crate::gpu::Cost;

/// Measured work, a point under the roofline.
#[derive(Clone, Debug)]
pub struct Point {
    /// Number or letter at the point; empty for none.
    pub label: String,
    /// Description of the work.
    pub what: String,
    /// Minimum arithmetic and memory traffic.
    pub cost: Cost,
    /// Time, in seconds.
    pub seconds: f64,
    /// Whether the point is a part of a measured whole. The area of a part is proportional to its time. Other points are
    /// rings of one size.
    pub part: bool,
}

impl Point {
    /// Arithmetic rate, in GFLOP/s.
    pub fn gflops(&self) -> f64 {
        self.cost.flops as f64 / self.seconds.max(1e-9) / 1e9
    }

    /// Rate of the minimum memory traffic, in GB/s.
    pub fn gbytes(&self) -> f64 {
        self.cost.bytes as f64 / self.seconds.max(1e-9) / 1e9
    }

    /// Arithmetic intensity: floating-point operations per byte.
    pub fn intensity(&self) -> f64 {
        self.cost.flops as f64 / self.cost.bytes.max(1) as f64
    }

    /// The least time under the roofline, divided by the measured time.
    pub fn share(&self, peaks: &Peaks) -> f64 {
        peaks.least(self.cost) / self.seconds.max(1e-9)
    }

    /// Description, time and share, on one line.
    fn line(&self, peaks: &Peaks) -> String {
        let ms = 1e3 * self.seconds;
        let digits = (2.0 - ms.max(1e-9).log10().floor()).clamp(0.0, 4.0) as usize;
        format!("{}, {ms:.digits$} ms, {:.0} % of its roof", self.what, 100.0 * self.share(peaks))
    }
}

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 400.0;
/// Space around the axes: left, top, right, bottom.
const MARGIN: [f64; 4] = [46.0, 26.0, 14.0, 42.0];
/// Range of the horizontal axis, as powers of ten of FLOP/B.
const X: [f64; 2] = [-1.5, 2.7];
/// Number of powers of ten on the vertical axis.
const DECADES: f64 = 4.0;
/// Sum of the areas of all parts.
const AREA: f64 = 1500.0;

/// Colours of work that arithmetic limits, and of work that memory traffic limits, on light and dark ground.
const COLOURS: [&str; 2] = ["#c2562d", "#3f7fd0"];

/// Draws `points` under `peaks`, as an `<svg>` element for a page: as wide as there is room, in the colour of the text.
pub fn plot(peaks: &Peaks, points: &[Point]) -> String {
    element(peaks, points, "width=\"100%\"")
}

/// Draws `points` under `peaks`, as an SVG file with a title, and with a list of the points that have a label.
pub fn document(title: &str, peaks: &Peaks, points: &[Point]) -> String {
    let [width, height] = [1120, 560];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         color=\"#222\" fill=\"currentColor\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    write_text(&mut svg, [20.0, 24.0], "start", "font-size=\"15\"", title);
    let roof = format!(
        "roof {:.0} GFLOP/s and {:.1} GB/s, measured in the same run; area is proportional to time",
        peaks.gflops, peaks.gbytes
    );
    write_text(&mut svg, [20.0, 42.0], "start", "opacity=\"0.7\"", &roof);
    svg += &element(peaks, points, "x=\"10\" y=\"52\" width=\"600\" height=\"500\"");
    for (i, point) in points.iter().filter(|point| !point.label.is_empty()).enumerate() {
        let y = 78.0 + 18.0 * i as f64;
        write_text(&mut svg, [654.0, y], "end", "", &point.label);
        write_text(&mut svg, [664.0, y], "start", "", &point.line(peaks));
    }
    svg + "</svg>\n"
}

/// The plot as an element with these attributes.
fn element(peaks: &Peaks, points: &[Point], attributes: &str) -> String {
    let [left, top, right, bottom] = MARGIN;
    let highest = peaks.gflops.max(1e-9).log10().ceil();
    let x_of = |intensity: f64| {
        left + (intensity.max(1e-9).log10().clamp(X[0], X[1]) - X[0]) / (X[1] - X[0]) * (WIDTH - left - right)
    };
    let y_of = |gflops: f64| {
        let below = highest - gflops.max(1e-9).log10().clamp(highest - DECADES, highest);
        top + below / DECADES * (HEIGHT - top - bottom)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" {attributes} viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Roofline: arithmetic rate over arithmetic intensity\" fill=\"currentColor\" font-size=\"11\">\n"
    );
    for power in X[0].ceil() as i32..=X[1].floor() as i32 {
        let x = x_of(10f64.powi(power));
        write_grid(&mut svg, [x, top, x, HEIGHT - bottom]);
        write_text(&mut svg, [x, HEIGHT - bottom + 15.0], "middle", "", &10f64.powi(power).to_string());
    }
    for power in (highest - DECADES) as i32..=highest as i32 {
        let y = y_of(10f64.powi(power));
        write_grid(&mut svg, [left, y, WIDTH - right, y]);
        write_text(&mut svg, [left - 5.0, y + 4.0], "end", "", &10f64.powi(power).to_string());
    }
    write_text(&mut svg, [WIDTH / 2.0, HEIGHT - 8.0], "middle", "", "arithmetic intensity, FLOP/B");
    write_text(&mut svg, [6.0, 14.0], "start", "", "GFLOP/s");

    let ridge = peaks.gflops / peaks.gbytes;
    let low = 10f64.powf(X[0]);
    let [start, bend, end] =
        [(x_of(low), low * peaks.gbytes), (x_of(ridge), peaks.gflops), (WIDTH - right, peaks.gflops)]
            .map(|(x, gflops)| format!("{x:.1},{:.1}", y_of(gflops)));
    svg += &format!(
        "<polyline fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" points=\"{start} {bend} {end}\"/>\n"
    );

    let total: f64 = points.iter().filter(|point| point.part).map(|point| point.seconds).sum();
    for point in points {
        let (x, y) = (x_of(point.intensity()), y_of(point.gflops()));
        let colour = COLOURS[usize::from(point.intensity() <= ridge)];
        let (radius, paint) = match point.part {
            true => {
                let area = AREA * point.seconds / total.max(1e-12);
                ((area / std::f64::consts::PI).sqrt().max(2.0), format!("fill=\"{colour}\" fill-opacity=\"0.5\""))
            }
            false => (7.0, format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" pointer-events=\"all\"")),
        };
        let line = escaped(&point.line(peaks));
        svg +=
            &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" {paint}><title>{line}</title></circle>\n");
        write_text(&mut svg, [x, y + 3.5], "middle", "font-size=\"10\" pointer-events=\"none\"", &point.label);
    }
    svg + "</svg>\n"
}

fn write_grid(svg: &mut String, [x1, y1, x2, y2]: [f64; 4]) {
    *svg += &format!(
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"currentColor\" stroke-opacity=\"0.15\"/>\n"
    );
}

fn write_text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, attributes: &str, text: &str) {
    if !text.is_empty() {
        let text = escaped(text);
        *svg += &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {attributes}>{text}</text>\n");
    }
}

/// `text` as XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEAKS: Peaks = Peaks { gflops: 100.0, gbytes: 10.0 };

    fn point(flops: u64, bytes: u64, seconds: f64, part: bool) -> Point {
        Point { label: "1".into(), what: "a < b".into(), cost: Cost { flops, bytes }, seconds, part }
    }

    #[test]
    fn shares_are_those_of_the_lower_roof() {
        let product = point(2_000_000_000, 1_000_000, 0.04, true);
        assert_eq!((product.gflops(), product.intensity()), (50.0, 2000.0));
        assert!((product.share(&PEAKS) - 0.5).abs() < 1e-9);
        let copy = point(1_000_000, 1_000_000_000, 0.2, true);
        assert!((copy.gbytes() - 5.0).abs() < 1e-9 && (copy.share(&PEAKS) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn areas_are_proportional_to_time_and_every_point_is_drawn() {
        let points = [point(1000, 1, 0.3, true), point(1000, 1, 0.1, true), point(1, 1000, 1.0, false)];
        let svg = plot(&PEAKS, &points);
        let radii: Vec<f64> =
            svg.split(" r=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect();
        assert_eq!(radii.len(), 3);
        assert!((radii[0].powi(2) / radii[1].powi(2) - 3.0).abs() < 0.1, "{radii:?}");
        assert!(svg.contains("a &lt; b") && !svg.contains("a < b"));
        let document = document("R&D", &PEAKS, &points);
        assert!(document.contains("R&amp;D") && document.contains(&svg[svg.find("<polyline").unwrap()..]));
    }
}
