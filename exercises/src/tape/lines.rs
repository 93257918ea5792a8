//! Puzzles on a list of numbers: the reverse walk itself.

use super::differences::{compare, differences, numbers};
use Line::{Add, Input, Multiply, Sine, Tanh};

/// A line of a list: how its value follows from earlier lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A given number.
    Input,
    /// The sine of a line.
    Sine(usize),
    /// The hyperbolic tangent of a line.
    Tanh(usize),
    /// The sum of two lines.
    Add(usize, usize),
    /// The product of two lines.
    Multiply(usize, usize),
}

impl Line {
    /// The lines that this line reads, line `i` of a list with these values, each with the derivative of line `i` with
    /// respect to it.
    pub fn derivatives(&self, i: usize, values: &[f64]) -> Vec<(usize, f64)> {
        match *self {
            Self::Input => vec![],
            Self::Sine(a) => vec![(a, values[a].cos())],
            Self::Tanh(a) => vec![(a, 1.0 - values[i] * values[i])],
            Self::Add(a, b) => vec![(a, 1.0), (b, 1.0)],
            Self::Multiply(a, b) => vec![(a, values[b]), (b, values[a])],
        }
    }
}

/// The learner's function: the derivative of the last line with respect to each line, from the lines and their values.
pub type Walk = fn(&[Line], &[f64]) -> Vec<f64>;

/// Lists of which each line is read at most once.
const CHAINS: [&[Line]; 5] = [
    &[Input],
    &[Input, Sine(0)],
    &[Input, Tanh(0), Sine(1), Tanh(2)],
    &[Input, Input, Add(0, 1), Sine(2)],
    &[Input, Sine(0), Input, Tanh(2), Multiply(1, 3), Input, Add(5, 4), Tanh(6)],
];

/// Lists of which some lines are read several times.
const FANS: [&[Line]; 5] = [
    &[Input, Multiply(0, 0)],
    &[Input, Sine(0), Add(0, 1)],
    &[Input, Input, Multiply(0, 1), Add(2, 0), Sine(3)],
    &[Input, Tanh(0), Multiply(0, 1), Add(1, 2), Multiply(3, 3), Add(4, 0)],
    &[Input, Input, Add(0, 0), Multiply(2, 1), Multiply(3, 2), Sine(4), Tanh(4), Multiply(5, 6)],
];

/// Checks a walk on lists of which each line is read at most once.
///
/// # Errors
/// The first list with wrong derivatives.
pub fn chain(walk: Walk) -> Result<String, String> {
    check(walk, &CHAINS)
}

/// Checks a walk on lists of which some lines are read several times.
///
/// # Errors
/// The first list with wrong derivatives.
pub fn fan_out(walk: Walk) -> Result<String, String> {
    check(walk, &[CHAINS, FANS].concat())
}

fn check(walk: Walk, lists: &[&[Line]]) -> Result<String, String> {
    let mut elements = 0;
    for (seed, lines) in lists.iter().enumerate() {
        let numbered: Vec<_> = lines.iter().enumerate().map(|(i, line)| format!("{i}: {line:?}")).collect();
        let listed = |wrong: String| format!("{wrong}\n  lines     {}", numbered.join(", "));
        let (count, inputs) = (lines.len(), numbers(lines.len(), seed as u64));
        let still = vec![0.0; count];
        let found = walk(lines, &values(lines, &inputs, &still));
        if found.len() != count {
            return Err(listed(format!("{} gradients are returned for {count} lines", found.len())));
        }
        let last = |shifts: &[f64]| Ok::<_, String>(values(lines, &inputs, shifts)[count - 1]);
        let expected = differences(&still, last)?;
        elements += compare("`gradients`", "gradients", &[count], &found, &expected).map_err(listed)?;
    }
    Ok(format!("passed: {} lists, {elements} lines: all derivatives agree with central differences", lists.len()))
}

/// The value of each line, shifted by a number of its own: the derivative in this shift is that with respect to the line.
fn values(lines: &[Line], inputs: &[f64], shifts: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = vec![];
    for (i, line) in lines.iter().enumerate() {
        let value = match *line {
            Input => inputs[i],
            Sine(a) => values[a].sin(),
            Tanh(a) => values[a].tanh(),
            Add(a, b) => values[a] + values[b],
            Multiply(a, b) => values[a] * values[b],
        };
        values.push(value + shifts[i]);
    }
    values
}
