//! Chapter 1: the tape.

use crate::figures::{Figure, Result, fenced};
use crate::listing::{Column, listing};
use crate::svg::{Anchor, BLUE, GREY, INK, Svg};
use ign::tape::Tape;

pub fn drawing() -> Result<String> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let _ = x * x + 3.0 * x;
    let run = |value: f64, head: &str| Column::run(&tape, head, &[(x, value)]);
    let columns = [run(3.0, "x = 3")?, run(-1.0, "x = −1")?, run(0.5, "x = 0.5")?];

    let mut svg = Svg::new("A tape of four lines, recorded once and run for three values of x", 660.0, 235.0);
    svg.heading([90.0, 32.0], Anchor::Start, BLUE, "recorded once: y = x² + 3x");
    svg.heading([582.0, 32.0], Anchor::End, INK, "run three times");
    listing(&mut svg, &tape, [90.0, 75.0], 270.0, &columns);
    svg.small([90.0, 215.0], Anchor::Start, GREY, "An arc leads from each line to those that read it: always downwards.");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let _ = x * x + 3.0 * x;

    let powers = Tape::new();
    let mut y = powers.input("x", [1]);
    for _ in 0..3 {
        y = y * y;
    }

    let wrong = Tape::new();
    let a = wrong.input("a", [2, 3]);
    let b = wrong.input("b", [4, 5]);
    let _ = a.matmul(b).tanh().sum();
    let message = wrong.check().err().ok_or("the extents differ, and no error says so")?.to_string();
    Ok(vec![
        ("tape", fenced("text", &tape.to_string())),
        ("powers", fenced("text", &powers.to_string())),
        ("misfit", fenced("text", &message)),
    ])
}
