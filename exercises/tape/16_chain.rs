// Puzzle 16: a chain.
//
// A list of lines, each computed from one earlier line. `values[i]` is the value of line i. Return `gradients`, where
// gradients[i] is the derivative of the last line with respect to line i. One pass from the end to the beginning is enough:
// when line i is reached, its gradient is complete, and the line hands it on to the line that it reads, times its own
// derivative.
//
//   Line::Input       its value is given
//   Line::Square(j)   the square of line j
//   Line::Sine(j)     the sine of line j
//   Line::Exp(j)      the exponential of line j
//
// In the engine: `accumulate` in src/tape/walk.rs.

use crate::tape::Line;

pub fn chain(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    // The walk is missing.
    let _ = values;
    gradients
}
