//! The objective on points of the plane, while it learns.

use super::{Engine, Result, js};
use ign::method::Weights;
use ign::toy::{Settings, Shape, Toy};
use wasm_bindgen::prelude::*;

/// Half the side of the square that is shown.
const SHOWN: f32 = 1.3;
/// Number of points of the grid along each side.
const GRID: usize = 21;
/// Number of samples that are shown.
const SAMPLES: usize = 400;

#[wasm_bindgen]
impl Engine {
    /// A new training on the set called `shape`, or on points of the page's own if no set has that name.
    pub async fn toy(&self, shape: &str, width: usize, batch: usize, seed: u32) -> Result<Plane> {
        let shape = Shape::named(shape).unwrap_or(Shape::Points(vec![]));
        let settings = Settings { shape, ..Settings::default() };
        let toy = Toy::new(&self.0, settings, [width, batch], seed.into()).await.map_err(js)?;
        Ok(Plane(toy))
    }
}

/// A training on points of the plane. Points are pairs of numbers, one after the other.
#[wasm_bindgen]
pub struct Plane(Toy);

/// What there is to see after a step.
#[wasm_bindgen(getter_with_clone)]
pub struct View {
    /// The losses rec, idem and tight.
    pub losses: Vec<f32>,
    /// The points of a grid.
    pub grid: Vec<f32>,
    /// f of these points.
    pub field: Vec<f32>,
    /// f(z).
    pub samples: Vec<f32>,
    /// f(f(z)).
    pub again: Vec<f32>,
}

#[wasm_bindgen]
impl Plane {
    /// Takes some steps, and computes what there is to see after them.
    pub async fn advance(&mut self, count: usize) -> Result<View> {
        self.0.advance(count).await.map_err(js)?;
        let losses = self.0.losses().await.map_err(js)?.to_vec();
        let side = |i: usize| SHOWN * (2.0 * i as f32 / (GRID - 1) as f32 - 1.0);
        let grid: Vec<f32> = (0..GRID * GRID).flat_map(|i| [side(i % GRID), side(i / GRID)]).collect();
        let z = self.0.noise(0, SAMPLES);
        let f = self.0.apply(&[&grid[..], &z[..]].concat(), 2).await.map_err(js)?;
        let (field, samples) = f[0].split_at(grid.len());
        let again = f[1][grid.len()..].to_vec();
        Ok(View { losses, field: field.to_vec(), samples: samples.to_vec(), again, grid })
    }

    /// The number of completed steps.
    pub fn step(&self) -> f64 {
        self.0.step() as f64
    }

    /// Half the side of the square that is shown.
    pub fn shown(&self) -> f32 {
        SHOWN
    }

    /// Points of the set to be learned.
    pub fn data(&self, count: usize) -> Vec<f32> {
        match &self.0.settings().shape {
            Shape::Points(points) => points.concat(),
            shape => shape.draw(1, 0, count),
        }
    }

    /// Adds a point to those that are to be learned, in place of another set.
    pub fn add(&mut self, x: f32, y: f32) {
        match &mut self.0.settings_mut().shape {
            Shape::Points(points) => points.push([x, y]),
            other => *other = Shape::Points(vec![[x, y]]),
        }
    }

    /// Sets the weights of the three losses, the learning rate, and the standard deviation of the noise.
    pub fn set(&mut self, rec: f32, idem: f32, tight: f32, learning_rate: f64, noise: f32) {
        let settings = self.0.settings_mut();
        settings.weights = Weights { rec, idem, tight };
        settings.learning_rate = learning_rate;
        settings.noise = noise;
    }

    /// The default of each setting of [`set`](Self::set).
    pub fn defaults(&self) -> Vec<f64> {
        let Settings { weights: Weights { rec, idem, tight }, learning_rate, noise, .. } = Settings::default();
        vec![rec.into(), idem.into(), tight.into(), learning_rate, noise.into()]
    }
}
