//! Drawings of the guide: boxes, arrows, lines and axes on a light card, readable on white and on dark pages alike.

use std::fmt::Write;

/// Colours of the guide: ink, grey, forward (blue), backward (orange), a third (green) and a fourth (violet).
pub const INK: &str = "#222222";
pub const GREY: &str = "#8a8a86";
pub const BLUE: &str = "#2f6fbf";
pub const ORANGE: &str = "#c2562d";
pub const GREEN: &str = "#3c8a4e";
pub const VIOLET: &str = "#7a4fa3";
/// Fills of boxes in the colours above.
pub const WHITE: &str = "#ffffff";
pub const PALE_GREY: &str = "#ecebe6";
pub const PALE_BLUE: &str = "#e3edf9";
pub const PALE_ORANGE: &str = "#f9e7de";
pub const PALE_GREEN: &str = "#e2f1e5";
#[allow(dead_code)] // The pale form of each colour is here.
pub const PALE_VIOLET: &str = "#eee6f6";

/// Size of text in pixels.
pub const TEXT: f64 = 13.0;

type Point = [f64; 2];

/// A drawing in pixels, with the origin at the top left.
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// An empty drawing. `title` is its description for those who cannot see it.
    pub fn new(title: &str, width: f64, height: f64) -> Self {
        Self { width, height, title: title.into(), body: String::new() }
    }

    /// Text with its baseline at `at`.
    pub fn text(&mut self, at: Point, anchor: Anchor, colour: &str, text: &str) {
        self.styled(at, anchor, colour, "", text);
    }

    /// Text of a program: monospaced.
    pub fn code(&mut self, at: Point, anchor: Anchor, colour: &str, text: &str) {
        self.styled(
            at,
            anchor,
            colour,
            "font-family=\"Menlo, Consolas, DejaVu Sans Mono, monospace\" font-size=\"12\"",
            text,
        );
    }

    /// Bold text.
    pub fn heading(&mut self, at: Point, anchor: Anchor, colour: &str, text: &str) {
        self.styled(at, anchor, colour, "font-weight=\"bold\"", text);
    }

    /// Small text, such as the label of a tick.
    pub fn small(&mut self, at: Point, anchor: Anchor, colour: &str, text: &str) {
        self.styled(at, anchor, colour, "font-size=\"11\"", text);
    }

    fn styled(&mut self, [x, y]: Point, anchor: Anchor, colour: &str, style: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.add(format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" {style}>{text}</text>"
        ));
    }

    /// A rounded rectangle with its top left corner at `at`.
    pub fn rect(&mut self, [x, y]: Point, [width, height]: Point, fill: &str, stroke: &str) {
        self.add(format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"4\" fill=\"{fill}\" \
             stroke=\"{stroke}\"/>"
        ));
    }

    /// A rounded rectangle with lines of code in its middle.
    pub fn labelled(&mut self, at: Point, size: Point, fill: &str, stroke: &str, lines: &[&str]) {
        self.rect(at, size, fill, stroke);
        let middle = at[1] + size[1] / 2.0 - 8.0 * (lines.len() as f64 - 1.0);
        for (i, line) in lines.iter().enumerate() {
            self.code([at[0] + size[0] / 2.0, middle + 16.0 * i as f64 + 4.5], Anchor::Middle, INK, line);
        }
    }

    /// A filled circle.
    #[allow(dead_code)] // Not every set of chapters has a scatter plot.
    pub fn dot(&mut self, [x, y]: Point, radius: f64, colour: &str) {
        self.add(format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\"/>"));
    }

    /// A line through points.
    pub fn line(&mut self, points: &[Point], colour: &str, width: f64) {
        self.stroke(points, colour, width, "");
    }

    /// A dashed line through points.
    pub fn dashed(&mut self, points: &[Point], colour: &str, width: f64) {
        self.stroke(points, colour, width, "stroke-dasharray=\"4 3\"");
    }

    fn stroke(&mut self, points: &[Point], colour: &str, width: f64, style: &str) {
        let points: Vec<_> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        self.add(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" {style}/>",
            points.join(" ")
        ));
    }

    /// A line through points with a head at the last.
    pub fn arrow(&mut self, points: &[Point], colour: &str) {
        self.line(points, colour, 1.5);
        let [.., from, to] = points else { return };
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy).max(1e-9);
        let (ux, uy) = (dx / length, dy / length);
        let corner = |side: f64| (to[0] - 8.0 * ux - 3.5 * side * uy, to[1] - 8.0 * uy + 3.5 * side * ux);
        let [(ax, ay), (bx, by)] = [corner(1.0), corner(-1.0)];
        self.add(format!(
            "<polygon points=\"{:.1},{:.1} {ax:.1},{ay:.1} {bx:.1},{by:.1}\" fill=\"{colour}\"/>",
            to[0], to[1]
        ));
    }

    /// A smooth arrow from `from` to `to`, bent by `bend` pixels to the left of its way.
    pub fn curve(&mut self, from: Point, to: Point, bend: f64, colour: &str) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy).max(1e-9);
        let control =
            [(from[0] + to[0]) / 2.0 + 2.0 * bend * dy / length, (from[1] + to[1]) / 2.0 - 2.0 * bend * dx / length];
        let at =
            |t: f64| [0, 1].map(|i| (1.0 - t) * (1.0 - t) * from[i] + 2.0 * t * (1.0 - t) * control[i] + t * t * to[i]);
        let points: Vec<_> = (0..=16).map(|i| at(f64::from(i) / 16.0)).collect();
        self.arrow(&points, colour);
    }

    /// An SVG element of one's own.
    pub fn add(&mut self, element: String) {
        self.body += &element.replace(" />", "/>").replace(" >", ">");
        self.body.push('\n');
    }

    /// The file. It has no empty line, so that Markdown takes it as one HTML block.
    pub fn finish(self) -> String {
        let Self { width, height, title, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" style=\"max-width:100%;height:auto\" font-family=\"Helvetica, Arial, Liberation Sans, sans-serif\" \
             font-size=\"{TEXT}\">\n<title>{}</title>\n<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" \
             fill=\"#fbfaf7\" stroke=\"#dddbd3\"/>\n{body}</svg>\n",
            escaped(&title),
            width - 1.0,
            height - 1.0
        )
    }
}

/// A plot inside a drawing: it maps values to pixels.
#[derive(Clone, Copy)]
pub struct Axes {
    /// Left, top, width and height in pixels.
    pub area: [f64; 4],
    /// Range of x and of y.
    pub x: Point,
    pub y: Point,
}

impl Axes {
    /// The pixel of a point.
    pub fn at(&self, [x, y]: Point) -> Point {
        let [left, top, width, height] = self.area;
        let share = |v: f64, [low, high]: Point| (v - low) / (high - low);
        [left + share(x, self.x) * width, top + height - share(y, self.y) * height]
    }

    /// Draws the frame, the ticks with their labels, and the names of the axes.
    pub fn draw(&self, svg: &mut Svg, ticks: [&[f64]; 2], names: [&str; 2]) {
        let [left, top, width, height] = self.area;
        for &x in ticks[0] {
            let [px, _] = self.at([x, self.y[0]]);
            svg.line(&[[px, top], [px, top + height]], PALE_GREY, 1.0);
            svg.small([px, top + height + 15.0], Anchor::Middle, GREY, &number(x));
        }
        for &y in ticks[1] {
            let [_, py] = self.at([self.x[0], y]);
            svg.line(&[[left, py], [left + width, py]], PALE_GREY, 1.0);
            svg.small([left - 6.0, py + 4.0], Anchor::End, GREY, &number(y));
        }
        svg.line(&[[left, top], [left, top + height], [left + width, top + height]], GREY, 1.0);
        svg.small([left + width / 2.0, top + height + 32.0], Anchor::Middle, INK, names[0]);
        svg.small([left, top - 8.0], Anchor::Middle, INK, names[1]);
    }

    /// Draws a line through points.
    pub fn line(&self, svg: &mut Svg, points: &[Point], colour: &str) {
        let points: Vec<_> = points.iter().map(|p| self.at(*p)).collect();
        svg.line(&points, colour, 2.0);
    }
}

/// A number with a minus sign, and without digits that it does not need.
pub fn number(value: f64) -> String {
    let text = if value != 0.0 && value.abs() < 1e-3 { format!("{value:e}") } else { format!("{value}") };
    text.replace('-', "−")
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut all, c| {
        let _ = match c {
            '&' => write!(all, "&amp;"),
            '<' => write!(all, "&lt;"),
            '>' => write!(all, "&gt;"),
            _ => write!(all, "{c}"),
        };
        all
    })
}
