//! Images as the page handles them: one channel, values in [-1, 1], row by row.

use wasm_bindgen::prelude::*;

/// The root of the mean squared difference of two images.
#[wasm_bindgen]
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    (squares.sum::<f64>() / a.len().max(1) as f64).sqrt()
}

/// By how many pixels to the right and down a square drawing must move for its centre of mass to lie in the middle, as the
/// digits of MNIST have it.
#[wasm_bindgen]
pub fn off_centre(image: &[f32]) -> Vec<i32> {
    let side = image.len().isqrt();
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (i, value) in image.iter().enumerate() {
        let ink = f64::from(value + 1.0);
        mass += ink;
        x += ink * (i % side) as f64;
        y += ink * (i / side) as f64;
    }
    let shift = |sum: f64| if mass < 1e-6 { 0 } else { ((side as f64 - 1.0) / 2.0 - sum / mass).round() as i32 };
    vec![shift(x), shift(y)]
}

/// A square image, moved by some pixels to the right and down. Black comes in, and ink that leaves the image is lost.
#[wasm_bindgen]
pub fn shifted(image: &[f32], right: i32, down: i32) -> Vec<f32> {
    let side = image.len().isqrt();
    let from = |i: usize| {
        let x = (i % side).checked_add_signed(-right as isize).filter(|x| *x < side)?;
        let y = (i / side).checked_add_signed(-down as isize).filter(|y| *y < side)?;
        Some(image[y * side + x])
    };
    (0..image.len()).map(|i| from(i).unwrap_or(-1.0)).collect()
}

/// A grey image from the bytes red, green, blue and opacity of each pixel, over white. Dark strokes on a bright ground become
/// bright ones on a dark ground, as the digits of MNIST are.
#[wasm_bindgen]
pub fn grey(rgba: &[u8]) -> Vec<f32> {
    let brightness = |&[r, g, b, a]: &[u8; 4]| {
        let [r, g, b, a] = [r, g, b, a].map(f32::from);
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        (luma * a + 255.0 * (255.0 - a)) / (255.0 * 127.5) - 1.0
    };
    let image: Vec<f32> = rgba.as_chunks().0.iter().map(brightness).collect();
    let bright = image.iter().sum::<f32>() > 0.0;
    if bright { image.into_iter().map(|value| -value).collect() } else { image }
}

/// a − b + c for three noises, scaled to their variance, since they are independent.
#[wasm_bindgen]
pub fn analogy(a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
    a.iter().zip(b).zip(c).map(|((a, b), c)| (a - b + c) / 3f32.sqrt()).collect()
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
