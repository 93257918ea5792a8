//! Images as the page handles them: one channel, values in [-1, 1], row by row.

use super::Result;
use wasm_bindgen::prelude::*;

/// The root of the mean squared difference of two images.
#[wasm_bindgen]
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    (squares.sum::<f64>() / a.len().max(1) as f64).sqrt()
}

/// A drawing with its centre of mass in the middle, as the digits of MNIST have it. Ink that leaves the image is lost.
///
/// # Errors
/// If the length is no multiple of `width`.
#[wasm_bindgen]
pub fn recentred(image: &[f32], width: usize) -> Result<Vec<f32>> {
    if width == 0 || image.is_empty() || !image.len().is_multiple_of(width) {
        return Err(JsError::new("the drawing is no rectangle"));
    }
    let height = image.len() / width;
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (i, value) in image.iter().enumerate() {
        let ink = f64::from(value + 1.0);
        mass += ink;
        x += ink * (i % width) as f64;
        y += ink * (i / width) as f64;
    }
    if mass < 1e-6 {
        return Ok(image.to_vec());
    }
    let shift = |sum: f64, extent: usize| ((extent as f64 - 1.0) / 2.0 - sum / mass).round() as isize;
    let (right, down) = (shift(x, width), shift(y, height));
    let from = |i: usize| {
        let x = (i % width).checked_add_signed(-right).filter(|x| *x < width)?;
        let y = (i / width).checked_add_signed(-down).filter(|y| *y < height)?;
        Some(image[y * width + x])
    };
    Ok((0..image.len()).map(|i| from(i).unwrap_or(-1.0)).collect())
}

/// The mixture of four images with the weights of a point of the unit square: `corners` holds those of (0, 0), (1, 0), (0, 1)
/// and (1, 1). It has about the variance of the corners, since noises are independent.
#[wasm_bindgen]
pub fn mixed(corners: &[f32], x: f32, y: f32) -> Vec<f32> {
    let size = corners.len() / 4;
    let weights = [(1.0 - x) * (1.0 - y), x * (1.0 - y), (1.0 - x) * y, x * y];
    let norm = weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
    let at = |i: usize| weights.iter().enumerate().map(|(k, weight)| weight * corners[k * size + i]).sum::<f32>();
    (0..size).map(|i| at(i) / norm).collect()
}
