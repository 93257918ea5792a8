//! Gradients beside central differences.

use ign::tape::{Tape, TapeError, Var};

/// The step of central differences. Their error is of the order of its square.
const STEP: f64 = 1e-5;
/// Tolerated distance from a central difference, relative to it if it is greater than 1.
const TOLERANCE: f64 = 1e-6;
/// Number of wrong elements that are shown.
const SHOWN: usize = 8;

/// Numbers in [-1, 1) without an order, the same at each call.
pub fn numbers(count: usize, offset: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * 7919 + offset * 613 + 100) % 2003) as f64 / 1001.5 - 1.0).collect()
}

/// Central differences of `f` with respect to each element of `at`.
///
/// # Errors
/// Those of `f`.
pub fn differences<E>(at: &[f64], f: impl Fn(&[f64]) -> Result<f64, E>) -> Result<Vec<f64>, E> {
    let mut moved = at.to_vec();
    let mut slope = |i: usize| {
        let mut value = |step: f64| {
            moved[i] = at[i] + step;
            f(&moved)
        };
        let slope = (value(STEP)? - value(-STEP)?) / (2.0 * STEP);
        moved[i] = at[i];
        Ok(slope)
    };
    (0..at.len()).map(&mut slope).collect()
}

/// A tensor that a loss depends on: its line, its elements, and the gradient that was found for it.
pub struct Found<'t> {
    pub of: Var<'t>,
    pub at: Vec<f64>,
    pub gradient: Var<'t>,
}

/// Compares gradients with central differences of `loss`. `feeds` holds the inputs and states besides those of `found`. Returns
/// the number of elements.
///
/// # Errors
/// A gradient of another shape; an error of the tape; the wrong elements, as a table.
pub fn compare<'t>(
    tape: &'t Tape,
    loss: Var<'t>,
    feeds: &[(Var<'t>, Vec<f64>)],
    found: &[Found<'t>],
) -> Result<usize, String> {
    let run = |changed: Option<(usize, &[f64])>, v: Var<'t>| -> Result<Vec<f64>, TapeError> {
        let own = found.iter().enumerate().map(|(i, found)| match changed {
            Some((j, data)) if i == j => (found.of, data),
            _ => (found.of, &found.at[..]),
        });
        let all: Vec<_> = feeds.iter().map(|(v, data)| (*v, &data[..])).chain(own).collect();
        Ok(tape.interpret(&all)?.get(v).to_vec())
    };
    let mut elements = 0;
    for (i, Found { of, at, gradient }) in found.iter().enumerate() {
        tape.check().map_err(|error| error.to_string())?;
        let (name, shape) = (of.name(), of.shape());
        if gradient.shape() != shape {
            return Err(format!(
                "the gradient of {name} has shape {}, expected that of {name}, {shape}",
                gradient.shape()
            ));
        }
        let yours = run(None, *gradient).map_err(|error| error.to_string())?;
        let expected = differences(at, |data| Ok::<_, TapeError>(run(Some((i, data)), loss)?[0]));
        let expected = expected.map_err(|error| error.to_string())?;
        table(&name, shape.dims(), &yours, &expected)?;
        elements += yours.len();
    }
    Ok(elements)
}

/// Compares the gradient of a tensor of this name and shape with central differences.
///
/// # Errors
/// The wrong elements, as a table.
pub fn table(name: &str, dims: &[usize], yours: &[f64], expected: &[f64]) -> Result<(), String> {
    let wrong: Vec<_> = (0..expected.len()).filter(|&i| off(yours[i], expected[i])).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut text = format!(
        "the gradient of {name} {dims:?}: {} of {} elements are wrong\n\n  {:16}{:>14}{:>24}\n",
        wrong.len(),
        expected.len(),
        "element",
        "yours",
        "by central differences"
    );
    for &i in wrong.iter().take(SHOWN) {
        let element = format!("{name}{:?}", index(i, dims));
        text += &format!("  {element:16}{:>14.6}{:>24.6}\n", yours[i], expected[i]);
    }
    if wrong.len() > SHOWN {
        text += "  …\n";
    }
    Err(text)
}

fn off(yours: f64, expected: f64) -> bool {
    let distance = (yours - expected).abs();
    distance.is_nan() || distance > TOLERANCE * expected.abs().max(1.0)
}

/// The index of element `i` along each axis.
fn index(mut i: usize, dims: &[usize]) -> Vec<usize> {
    let mut index = vec![0; dims.len()];
    for (at, extent) in index.iter_mut().zip(dims).rev() {
        *at = i % extent;
        i /= extent;
    }
    index
}
