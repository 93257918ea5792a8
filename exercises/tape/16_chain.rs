// Puzzle 16: the reverse walk over a list.
//
// A program is a list of lines. A line is an input, or it is computed from earlier lines:
//
//   Line::Input            a given number; reads no line
//   Line::Sine(a)          sin of line a
//   Line::Tanh(a)          tanh of line a
//   Line::Add(a, b)        line a + line b
//   Line::Multiply(a, b)   line a · line b
//
// The list has run: `values[i]` is the value of line i. Return for each line i the derivative of the last line with respect
// to it. Here no line is read twice. One walk over the list is enough: at which end does it begin, and with which number?
//
// In the engine: `accumulate` in src/tape/walk.rs.

use crate::tape::Line;

pub fn chain(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients
}
