//! Chapter 7: a matrix product.

use crate::figures::{Figure, Result, file};
use crate::svg::{Anchor, Axes, BLUE, GREEN, GREY, INK, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, Svg};

#[allow(dead_code)] // The lab uses all of it.
#[path = "../kernel_lab/steps.rs"]
mod steps;

use steps::STEPS;

/// Lanes of a subgroup of llvmpipe with vectors of 256 bits.
const LANES: u32 = 8;

/// A cell of the first table of a document whose row begins with `row`.
fn cell(document: &str, row: &str, column: usize) -> Result<f64> {
    let text = file(document)?;
    let line = text.lines().find(|l| l.starts_with(row)).ok_or_else(|| format!("{document} has no row {row:?}"))?;
    let cell = line.split('|').nth(column).unwrap_or_default();
    let number = cell.split_whitespace().next().unwrap_or_default();
    number.parse().map_err(|_| format!("{document}: {cell:?} in {line:?} is no number").into())
}

/// What a step of the lab does per multiply-add, and its share of the roof on Mesa 25.0.7.
struct Share {
    name: &'static str,
    loads: f64,
    workgroup: f64,
    shuffles: f64,
    /// 1/(1 + the cost of loads and shuffles).
    predicted: f64,
    measured: f64,
}

fn shares() -> Result<Vec<Share>> {
    let cost = |row: &str| cell("docs/kernels.md", &format!("| {row} "), 3);
    let load = cost("load of an `f32` from a storage buffer")?;
    let vector = cost("load of a `vec4<f32>` from a storage buffer")?;
    let workgroup = cost("load from workgroup memory")?;
    let shuffle = cost("subgroup shuffle or broadcast")?;
    let of = |(i, step): (usize, &steps::Step)| {
        let counts = (step.counts)(LANES);
        // Of the packed step, the loads of A are vectors. Each lane has four columns of B.
        let vectors = if step.packed { counts.loads - 4.0 } else { 0.0 };
        let units = load * (counts.loads - vectors)
            + vector * vectors
            + workgroup * counts.workgroup_loads
            + shuffle * counts.shuffles;
        Ok(Share {
            name: step.name,
            loads: counts.loads / counts.multiply_adds,
            workgroup: counts.workgroup_loads / counts.multiply_adds,
            shuffles: counts.shuffles / counts.multiply_adds,
            predicted: 100.0 / (1.0 + units / counts.multiply_adds),
            measured: cell("docs/measurements.md", &format!("| {} {} |", i + 1, step.name), 6)?,
        })
    };
    STEPS.iter().enumerate().map(of).collect()
}

pub fn drawing() -> Result<String> {
    let mut svg = Svg::new("Tiles of the five kernels, and the share of the roof that each reaches", 720.0, 400.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "A tile of r × c sums");
    // A tile: r rows of A, c columns of B, r·c sums.
    let (x, y, cell) = (96.0, 128.0, 16.0);
    for i in 0..8 {
        let along = cell * f64::from(i);
        svg.rect([x - 30.0, y + along], [cell - 3.0, cell - 3.0], PALE_BLUE, BLUE);
        svg.rect([x + along, y - 30.0], [cell - 3.0, cell - 3.0], PALE_ORANGE, ORANGE);
        for j in 0..8 {
            svg.rect([x + cell * f64::from(j), y + along], [cell - 3.0, cell - 3.0], PALE_GREEN, GREEN);
        }
    }
    svg.small([x - 36.0, y + 68.0], Anchor::End, BLUE, "A: r loads");
    svg.small([x + 62.0, y - 40.0], Anchor::Middle, ORANGE, "B: c loads");
    svg.small([x + 62.0, y + 146.0], Anchor::Middle, GREEN, "C: r·c multiply-adds");
    svg.text([24.0, 318.0], Anchor::Start, INK, "loads per multiply-add:");
    svg.code([24.0, 338.0], Anchor::Start, INK, "(r + c)/(r·c)");
    for (side, x) in [(1, 24.0), (8, 94.0), (64, 186.0)] {
        let loads = format!("{side} × {side}: {:.2}", 2.0 / f64::from(side));
        svg.small([x, 362.0], Anchor::Start, GREY, &loads);
    }

    let axes = Axes { area: [420.0, 70.0, 270.0, 260.0], x: [0.0, 50.0], y: [0.0, 5.0] };
    svg.heading([296.0, 30.0], Anchor::Start, INK, "Share of the multiply-add roof, Mesa 25.0.7");
    axes.draw(&mut svg, [&[0.0, 10.0, 20.0, 30.0, 40.0, 50.0], &[]], ["% of the roof", ""]);
    for (i, share) in shares()?.iter().enumerate() {
        let [left, top] = axes.at([0.0, 5.0 - i as f64]);
        svg.text([left - 10.0, top + 32.0], Anchor::End, INK, &format!("{} {}", i + 1, share.name));
        for (value, dy, fill, stroke) in
            [(share.predicted, 8.0, PALE_BLUE, BLUE), (share.measured, 27.0, PALE_ORANGE, ORANGE)]
        {
            let [right, _] = axes.at([value, 0.0]);
            svg.rect([left, top + dy], [right - left, 15.0], fill, stroke);
            svg.small([right + 5.0, top + dy + 12.0], Anchor::Start, stroke, &format!("{value:.1}"));
        }
    }
    svg.small([420.0, 58.0], Anchor::Start, BLUE, "predicted from its loads");
    svg.small([580.0, 58.0], Anchor::Start, ORANGE, "measured");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let mut table = String::from(
        "| step | loads | from workgroup memory | shuffles | predicted | measured |\n|---|---|---|---|---|---|\n",
    );
    for (i, share) in shares()?.iter().enumerate() {
        let Share { name, loads, workgroup, shuffles, predicted, measured } = share;
        table += &format!(
            "| {} {name} | {loads:.3} | {workgroup:.2} | {shuffles:.2} | {predicted:.0} % | {measured:.1} % |\n",
            i + 1
        );
    }
    let cost = |row: &str| Ok::<_, Box<dyn std::error::Error>>(cell("docs/kernels.md", row, 3)?.to_string());
    Ok(vec![
        ("table", table),
        ("load", cost("| load of an `f32` from a storage buffer ")?),
        ("vector", cost("| load of a `vec4<f32>` from a storage buffer ")?),
        ("workgroup", cost("| load from workgroup memory ")?),
        ("shuffle", cost("| subgroup shuffle or broadcast ")?),
    ])
}
