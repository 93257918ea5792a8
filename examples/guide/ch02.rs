//! Chapter 2: reverse mode.

use crate::figures::{Figure, Result, fenced, quoted};
use crate::listing::{Column, listing};
use crate::svg::{Anchor, BLUE, GREY, ORANGE, Svg};
use ign::tape::{Tape, Var};

pub fn drawing() -> Result<String> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x * x;
    let z = y * x;
    tape.gradient(z, &[x])?;
    let column = Column::run(&tape, "x = 3", &[(x, 3.0)])?;

    let mut svg = Svg::new("The tape of z = x²·x and the lines that its gradient appends", 690.0, 365.0);
    svg.heading([170.0, 32.0], Anchor::Start, BLUE, "recorded: y = x², z = y·x");
    listing(&mut svg, &tape, [170.0, 60.0], 280.0, &[column]);
    let notes =
        ["", "", "", "∂z/∂z", "∂z/∂y = x", "at x: y, from z = y·x", "at x: x, from y = x·x", "at x: x, again", "dz/dx = 3x²"];
    for (i, note) in notes.iter().enumerate().take(tape.nodes().len()) {
        svg.small([540.0, 60.0 + 30.0 * i as f64 + 16.0], Anchor::Start, ORANGE, note);
    }
    svg.small([170.0, 347.0], Anchor::Start, GREY, "Blue: forward. Orange: appended by tape.gradient(z, &[x]).");
    Ok(svg.finish())
}

/// Lines of p = x₁·x₂·…·xₙ, forward and backward.
fn product(count: usize) -> Result<[usize; 2]> {
    let tape = Tape::new();
    let xs: Vec<Var<'_>> = (0..count).map(|i| tape.input(&format!("x{i}"), [1])).collect();
    let p = xs[1..].iter().fold(xs[0], |p, x| p * *x);
    let forward = tape.nodes().len() - count;
    tape.gradient(p, &xs)?;
    Ok([forward, tape.nodes().len() - count - forward])
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let z = x * x * x;
    tape.gradient(z, &[x])?;

    let mut costs = String::from("| inputs n | operations forward | lines that all n gradients append | runs by differences |\n|---|---|---|---|\n");
    for count in [2, 10, 100, 1000] {
        let [forward, backward] = product(count)?;
        costs += &format!("| {count} | {forward} | {backward} | {} |\n", count + 1);
    }
    let walk = quoted("src/tape/walk.rs", "for id in (0..=y.id).rev()", "let gradient = |v")?;
    let (walk, _) = walk.rsplit_once("\n\n").ok_or("the loop of the walk has no end")?;
    Ok(vec![("tape", fenced("text", &tape.to_string())), ("costs", costs), ("walk", fenced("rs", walk))])
}
