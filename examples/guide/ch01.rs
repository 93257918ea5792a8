//! Chapter 1: the tape.

use crate::figures::{Figure, Result, fenced};
use crate::svg::{Anchor, BLUE, INK, PALE_BLUE, Svg, WHITE};
use ign::tape::Tape;

pub fn drawing() -> Result<String> {
    let mut svg = Svg::new("A tape", 640.0, 300.0);
    svg.labelled([40.0, 40.0], [200.0, 30.0], PALE_BLUE, BLUE, &["%0 = input x"]);
    svg.labelled([40.0, 100.0], [200.0, 30.0], WHITE, BLUE, &["%1 = multiply(x, x)"]);
    svg.arrow(&[[140.0, 70.0], [140.0, 100.0]], BLUE);
    svg.text([300.0, 60.0], Anchor::Start, INK, "x < y & y > x");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let _ = x * x;
    Ok(vec![("tape", fenced("text", &tape.to_string()))])
}
