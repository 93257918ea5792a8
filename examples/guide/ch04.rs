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
    let mut svg = Svg::new("A matrix product with its two gradients, and a broadcast with its sum", 820.0, 400.0);
    // The height of each row, and its matrices: name, extents, and whether it is a gradient.
    type Part = (&'static str, [usize; 2], bool);
    let rows: [(f64, [Part; 3], &str); 3] = [
        (90.0, [("C", [m, n], false), ("A", [m, k], false), ("B", [k, n], false)], "forward"),
        (205.0, [("Ā", [m, k], true), ("C̄", [m, n], true), ("Bᵀ", [n, k], false)], "gradient of A"),
        (325.0, [("B̄", [k, n], true), ("Aᵀ", [k, m], false), ("C̄", [m, n], true)], "gradient of B"),
    ];
    svg.heading([24.0, 30.0], Anchor::Start, INK, "C = A·B");
    for (y, parts, what) in rows {
        svg.text([24.0, y + 4.0], Anchor::Start, if what == "forward" { BLUE } else { ORANGE }, what);
        for ((name, extents, gradient), x) in parts.into_iter().zip([190.0, 330.0, 470.0]) {
            matrix(&mut svg, [x, y], extents, name, gradient);
        }
        svg.heading([254.0, y + 4.0], Anchor::Middle, INK, "=");
        svg.heading([394.0, y + 4.0], Anchor::Middle, INK, "·");
    }
    svg.heading([570.0, 30.0], Anchor::Start, INK, "Repeat forward, add backward");
    for (y, names, colour, text) in [
        (110.0, ["b", "y"], BLUE, "y = broadcast_channels(b)"),
        (255.0, ["b̄", "ȳ"], ORANGE, "b̄ = sum_channels(ȳ)"),
    ] {
        matrix(&mut svg, [620.0, y], [1, n], "", colour == ORANGE);
        svg.code([620.0, y + 23.0], Anchor::Middle, INK, names[0]);
        matrix(&mut svg, [755.0, y], [4, n], names[1], colour == ORANGE);
        let ends = [[670.0, y], [692.0, y]];
        svg.arrow(&if colour == BLUE { ends } else { [ends[1], ends[0]] }, colour);
        svg.small([686.0, y + 54.0], Anchor::Middle, colour, text);
    }
    svg.small([570.0, 352.0], Anchor::Start, GREY, "Four copies of b, each with its own");
    svg.small([570.0, 368.0], Anchor::Start, GREY, "gradient: fan-out, so they add up.");
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
