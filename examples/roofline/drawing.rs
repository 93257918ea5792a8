//! The roofline plot as SVG: arithmetic rate over arithmetic intensity, on logarithmic axes (Williams, Waterman &
//! Patterson 2009).

use super::Point;
use ign::native::roof::Roof;
use std::fmt::Write;

const WIDTH: f64 = 700.0;
/// Width of the list beside the plot.
const LIST: f64 = 420.0;
const HEIGHT: f64 = 560.0;
const MARGIN: f64 = 60.0;
/// Range of the horizontal axis, as powers of ten of FLOP/B.
const X: [f64; 2] = [-1.5, 2.7];
/// Number of operations in the list: those with the longest times.
const LISTED: usize = 24;

/// Draws `points` under `roof`. The area of a point is proportional to its time.
pub fn svg(title: &str, roof: &Roof, points: &[Point]) -> String {
    let top = roof.gflops.log10().ceil();
    let y_range = [top - 4.0, top];
    let x_of =
        |intensity: f64| MARGIN + (intensity.log10().clamp(X[0], X[1]) - X[0]) / (X[1] - X[0]) * (WIDTH - 2.0 * MARGIN);
    let y_of = |gflops: f64| {
        let share = (gflops.log10().clamp(y_range[0], y_range[1]) - y_range[0]) / (y_range[1] - y_range[0]);
        HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN)
    };
    let whole = WIDTH + LIST;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"{HEIGHT}\" viewBox=\"0 0 {whole} {HEIGHT}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"24\" font-size=\"15\">{title}</text>\n\
         <text x=\"{MARGIN}\" y=\"42\" fill=\"#666\">roof {:.0} GFLOP/s and {:.1} GB/s, measured in the same run; area is proportional to time</text>\n",
        roof.gflops, roof.gbytes
    );
    for power in X[0].ceil() as i32..=X[1].floor() as i32 {
        let x = x_of(10f64.powi(power));
        grid(&mut svg, [x, MARGIN, x, HEIGHT - MARGIN]);
        text(&mut svg, x, HEIGHT - MARGIN + 16.0, "middle", &format!("{}", 10f64.powi(power)));
    }
    for power in y_range[0] as i32..=y_range[1] as i32 {
        let y = y_of(10f64.powi(power));
        grid(&mut svg, [MARGIN, y, WIDTH - MARGIN, y]);
        text(&mut svg, MARGIN - 6.0, y + 4.0, "end", &format!("{}", 10f64.powi(power)));
    }
    text(&mut svg, WIDTH / 2.0, HEIGHT - 16.0, "middle", "arithmetic intensity, FLOP/B");
    text(&mut svg, MARGIN, MARGIN - 4.0, "middle", "GFLOP/s");

    let ridge = roof.gflops / roof.gbytes;
    let low = 10f64.powf(X[0]);
    writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"#222\" stroke-width=\"2\" points=\"{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}\"/>",
        x_of(low),
        y_of(low * roof.gbytes),
        x_of(ridge),
        y_of(roof.gflops),
        WIDTH - MARGIN,
        y_of(roof.gflops)
    )
    .ok();

    let total: f64 = points.iter().map(|p| p.ms).sum();
    // The largest points come first, so that they do not hide smaller ones.
    for (i, p) in points.iter().enumerate() {
        let (x, y) = (x_of(p.intensity.max(1e-9)), y_of(p.gflops.max(1e-9)));
        let radius = (3000.0 * p.ms / total / std::f64::consts::PI).sqrt().max(2.0);
        let colour = if p.intensity > ridge { "#c2562d" } else { "#2d6fc2" };
        let what = format!("{} {}, {:.1} ms, {:.0} % of its roof", p.op, p.shape, p.ms, 100.0 * p.share_of_roof);
        writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{colour}\" fill-opacity=\"0.45\">\
             <title>{what}</title></circle>"
        )
        .ok();
        if i < LISTED {
            text(&mut svg, x, y + 4.0, "middle", &(i + 1).to_string());
            text(&mut svg, WIDTH, MARGIN + 18.0 * i as f64, "start", &format!("{:>2}  {what}", i + 1));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String, [x1, y1, x2, y2]: [f64; 4]) {
    writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#e4e4e4\"/>").ok();
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>").ok();
}
