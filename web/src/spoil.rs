//! The library's degradations, each with an amount.

use super::{Result, js};
use ign::method::Degradation;
use ign::random::{Stream, stream};
use wasm_bindgen::prelude::*;

/// A way to spoil an image, by an amount from `least` to `most` in steps of `step`. At 0 it does nothing.
#[wasm_bindgen(getter_with_clone)]
pub struct Spoiling {
    pub name: String,
    pub least: f32,
    pub most: f32,
    pub step: f32,
}

/// Name, range, step, and the degradations of an amount, in the order in which they are applied.
type Way = (&'static str, [f32; 3], fn(f32) -> Vec<Degradation>);

const WAYS: [Way; 8] = [
    ("rotation, degrees", [-45.0, 45.0, 1.0], |degrees| vec![Degradation::Rotation(degrees)]),
    ("thicker strokes", [0.0, 3.0, 1.0], |times| vec![Degradation::ThickStrokes; times as usize]),
    ("thinner strokes", [0.0, 3.0, 1.0], |times| vec![Degradation::ThinStrokes; times as usize]),
    ("black and white", [0.0, 1.0, 1.0], |_| vec![Degradation::Drawing]),
    ("sketch", [0.0, 1.0, 1.0], |_| vec![Degradation::Sketch]),
    ("blur, pixels", [0.0, 3.0, 0.1], |deviation| vec![Degradation::Blur(deviation)]),
    ("missing patches", [0.0, 8.0, 1.0], |count| vec![Degradation::MissingPatches(count as usize)]),
    ("noise, deviation", [0.0, 1.5, 0.05], |deviation| vec![Degradation::Noise(deviation)]),
];

/// All ways to spoil an image, in the order in which [`spoiled`] takes their amounts.
#[wasm_bindgen]
pub fn spoilings() -> Vec<Spoiling> {
    let spoiling = |&(name, [least, most, step], _): &Way| Spoiling { name: name.into(), least, most, step };
    WAYS.iter().map(spoiling).collect()
}

/// A square grey image, spoiled by these amounts.
///
/// # Errors
/// If the image is not square.
#[wasm_bindgen]
pub fn spoiled(image: &[f32], amounts: &[f32], seed: u32) -> Result<Vec<f32>> {
    let side = image.len().isqrt();
    let mut rng = stream(seed.into(), Stream::Degradation, 0);
    let mut image = image.to_vec();
    for ((_, _, degradations), amount) in WAYS.iter().zip(amounts).filter(|(_, amount)| **amount != 0.0) {
        for degradation in degradations(*amount) {
            image = degradation.apply(&image, [1, side, side], &mut rng).map_err(js)?;
        }
    }
    Ok(image)
}
