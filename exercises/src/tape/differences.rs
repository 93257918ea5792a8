//! Central differences, and the table of the elements that differ from them.

/// The step of central differences. Their error is of the order of its square.
const STEP: f64 = 1e-5;
/// Tolerated distance from a central difference, relative to it if it is greater than 1.
const TOLERANCE: f64 = 1e-5;
/// Number of wrong elements that are shown.
const SHOWN: usize = 8;

/// Random hundredths in [-2, 2), the same for the same seed (SplitMix64; Steele, Lea & Flood 2014).
pub fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed << 32;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % 400) as f64 / 100.0 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

/// The gradient of `f` by central differences (f(x + h) − f(x − h))/2h in each element of `x`.
///
/// # Errors
/// Those of `f`.
pub fn differences<E>(x: &[f64], f: impl Fn(&[f64]) -> Result<f64, E>) -> Result<Vec<f64>, E> {
    let mut moved = x.to_vec();
    let mut slope = |i: usize| {
        let mut value = |step: f64| {
            moved[i] = x[i] + step;
            f(&moved)
        };
        let slope = (value(STEP)? - value(-STEP)?) / (2.0 * STEP);
        moved[i] = x[i];
        Ok(slope)
    };
    (0..x.len()).map(&mut slope).collect()
}

/// Whether a gradient is that of central differences. NaN is not.
pub fn agree(yours: &[f64], expected: &[f64]) -> bool {
    yours.len() == expected.len() && yours.iter().zip(expected).all(|(y, e)| close(*y, *e))
}

fn close(yours: f64, expected: f64) -> bool {
    (yours - expected).abs() <= TOLERANCE * expected.abs().max(1.0)
}

/// Compares a `gradient`, as `∂L/∂x`, of the tensor `name` with central differences. Returns the number of elements.
///
/// # Errors
/// The wrong elements, as a table.
pub fn compare(gradient: &str, name: &str, dims: &[usize], yours: &[f64], expected: &[f64]) -> Result<usize, String> {
    let all = expected.len();
    let wrong: Vec<usize> = (0..all).filter(|&i| !close(yours[i], expected[i])).collect();
    if wrong.is_empty() {
        return Ok(all);
    }
    let mut text = format!("{gradient} is wrong in {} of {all} elements\n", wrong.len());
    text += &format!("  {:16}{:>12}{:>24}", "element", "yours", "by central differences");
    for &i in wrong.iter().take(SHOWN) {
        let element = if dims.is_empty() { name.into() } else { format!("{name}{:?}", index(i, dims)) };
        text += &format!("\n  {element:16}{:>12.6}{:>24.6}", yours[i], expected[i]);
    }
    if wrong.len() > SHOWN {
        text += "\n  …";
    }
    Err(text)
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
