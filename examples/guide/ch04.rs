//! Chapter 4: a tensor operation and its adjoint.

use crate::figures::{Figure, Result, fenced, quoted};
use crate::svg::{Anchor, BLUE, GREY, INK, ORANGE, PALE_BLUE, PALE_ORANGE, Svg};
use ign::tape::Tape;

/// Pixels per row or column of a matrix.
const CELL: f64 = 15.0;

/// Draws a matrix with its name inside and its extents beside, its centre at `at`.
fn matrix(svg: &mut Svg, at: [f64; 2], extents: [usize; 2], name: &str, backward: bool) {
    let (fill, stroke) = if backward { (PALE_ORANGE, ORANGE) } else { (PALE_BLUE, BLUE) };
    let [height, width] = extents.map(|n| CELL * n as f64);
    let corner = [at[0] - width / 2.0, at[1] - height / 2.0];
    svg.rect(corner, [width, height], fill, stroke);
    svg.code([at[0], at[1] + 4.5], Anchor::Middle, INK, name);
    svg.small([at[0], corner[1] - 5.0], Anchor::Middle, GREY, &extents[1].to_string());
    svg.small([corner[0] - 5.0, at[1] + 4.0], Anchor::End, GREY, &extents[0].to_string());
}

pub fn drawing() -> Result<String> {
    let [m, k, n] = [3, 4, 6];
    let mut svg = Svg::new("A matrix product with its two gradients, and a broadcast with its sum", 740.0, 400.0);
    let rows: [(f64, [(&str, [usize; 2]); 3], &str); 3] = [
        (90.0, [("C", [m, n]), ("A", [m, k]), ("B", [k, n])], "forward"),
        (200.0, [("Ā", [m, k]), ("C̄", [m, n]), ("Bᵀ", [n, k])], "gradient of A"),
        (320.0, [("B̄", [k, n]), ("Aᵀ", [k, m]), ("C̄", [m, n])], "gradient of B"),
    ];
    svg.heading([24.0, 30.0], Anchor::Start, INK, "C = A·B");
    for (y, parts, what) in rows {
        let backward = what != "forward";
        svg.text([24.0, y + 4.0], Anchor::Start, if backward { ORANGE } else { BLUE }, what);
        for ((name, extents), x) in parts.into_iter().zip([180.0, 290.0, 400.0]) {
            matrix(&mut svg, [x, y], extents, name, name.contains('\u{304}'));
        }
        svg.text([236.0, y + 4.0], Anchor::Middle, INK, "=");
        svg.text([341.0, y + 4.0], Anchor::Middle, INK, "·");
    }
    svg.heading([490.0, 30.0], Anchor::Start, INK, "Repeat forward, add backward");
    matrix(&mut svg, [540.0, 110.0], [1, 6], "b", false);
    matrix(&mut svg, [660.0, 110.0], [4, 6], "y", false);
    svg.arrow(&[[590.0, 110.0], [598.0, 110.0]], BLUE);
    svg.small([600.0, 165.0], Anchor::Middle, BLUE, "y = broadcast_channels(b)");
    matrix(&mut svg, [540.0, 255.0], [1, 6], "", true);
    svg.code([540.0, 259.0], Anchor::Middle, INK, "b̄");
    matrix(&mut svg, [660.0, 255.0], [4, 6], "ȳ", true);
    svg.arrow(&[[598.0, 255.0], [590.0, 255.0]], ORANGE);
    svg.small([600.0, 310.0], Anchor::Middle, ORANGE, "b̄ = sum_channels(ȳ)");
    svg.small([490.0, 350.0], Anchor::Start, GREY, "Four copies of b, each with its own");
    svg.small([490.0, 366.0], Anchor::Start, GREY, "gradient: fan-out, so they add up.");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let a = tape.input("a", [2, 3]);
    let b = tape.input("b", [3, 4]);
    let g = tape.input("g", [2, 4]);
    tape.vjp(a.matmul(b), g, &[a, b])?;

    let layer = Tape::new();
    let x = layer.input("x", [5, 3]);
    let w = layer.state("w", [3, 2]);
    let b = layer.state("b", [2]);
    let y = x.matmul(w) + b.broadcast_channels([5, 2]);
    layer.gradient((y * y).sum(), &[w, b])?;
    Ok(vec![
        ("matmul", fenced("text", &tape.to_string())),
        ("layer", fenced("text", &layer.to_string())),
        ("rule", fenced("rs", &quoted("src/ops/matmul.rs", "fn vjp", "    }")?)),
    ])
}
