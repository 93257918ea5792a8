//! Puzzles on a list of numbers: the reverse walk itself.

use super::differences::{differences, numbers, table};

/// A line of a list: how its value follows from earlier lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A given number.
    Input,
    /// The square of a line.
    Square(usize),
    /// The sine of a line.
    Sine(usize),
    /// The exponential of a line.
    Exp(usize),
    /// The sum of two lines.
    Add(usize, usize),
    /// The product of two lines.
    Multiply(usize, usize),
}

/// A function of the learner's: the derivative of the last line with respect to each line.
pub type Walk = fn(&[Line], &[f64]) -> Vec<f64>;

/// Lists in which each line reads one line, and is read once.
pub const CHAINS: [&[Line]; 4] = [
    &[Line::Input, Line::Square(0)],
    &[Line::Input, Line::Sine(0), Line::Square(1)],
    &[Line::Input, Line::Exp(0), Line::Sine(1), Line::Exp(2)],
    &[Line::Input, Line::Sine(0), Line::Exp(1), Line::Square(2), Line::Sine(3)],
];

/// Lists whose lines are read several times, but for the first list.
pub const FANS: [&[Line]; 4] = [
    &[Line::Input, Line::Input, Line::Multiply(0, 1), Line::Sine(2)],
    &[Line::Input, Line::Multiply(0, 0)],
    &[Line::Input, Line::Input, Line::Multiply(0, 1), Line::Add(2, 0), Line::Sine(3)],
    &[Line::Input, Line::Sine(0), Line::Multiply(0, 1), Line::Add(1, 2), Line::Multiply(3, 3), Line::Add(4, 0)],
];

/// Checks a walk on these lists.
///
/// # Errors
/// A result of the wrong length; the first list with wrong derivatives.
pub fn check(walk: Walk, lists: &[&[Line]]) -> Result<String, String> {
    for lines in lists {
        let inputs = lines.iter().filter(|line| **line == Line::Input).count();
        let at = numbers(inputs, 5);
        let values = values(lines, &at);
        let found = walk(lines, &values);
        let shown = format!("for the lines {lines:?}");
        if found.len() != lines.len() {
            return Err(format!("{} gradients for {} lines, {shown}", found.len(), lines.len()));
        }
        // Inputs come first. The gradients of other lines have their part in these.
        let expected = differences(&at, |at| Ok::<_, String>(self::values(lines, at)[lines.len() - 1]))?;
        table("line", &[inputs], &found[..inputs], &expected).map_err(|wrong| format!("{shown}, {wrong}"))?;
    }
    Ok(format!("{} lists of lines: every derivative agrees with central differences", lists.len()))
}

/// The value of each line. The first lines are inputs.
fn values(lines: &[Line], inputs: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = vec![];
    for (i, line) in lines.iter().enumerate() {
        values.push(match *line {
            Line::Input => inputs[i],
            Line::Square(j) => values[j] * values[j],
            Line::Sine(j) => values[j].sin(),
            Line::Exp(j) => values[j].exp(),
            Line::Add(j, k) => values[j] + values[k],
            Line::Multiply(j, k) => values[j] * values[k],
        });
    }
    values
}
