//! The objective on points of the plane, while it learns.

use super::{Engine, Result, js};
use ign::method::{Clamp, Objective, Weights};
use ign::toy::{Config, Data, Settings, Toy, grid};
use wasm_bindgen::prelude::*;

/// Half the side of the square that is shown.
const SHOWN: f32 = 1.4;
/// Number of points of the grid along each side.
const GRID: usize = 21;
/// Number of samples that are shown.
const SAMPLES: usize = 400;

/// The objective of the view.
pub(super) const OBJECTIVE: Objective = Objective { clamp: Clamp::Noise(1.5), ..Objective::PAPER };
/// The settings at the begin.
const START: (Weights, f64, f32) = (Weights { rec: 1.0, idem: 1.0, tight: 0.2 }, 2e-3, 1.0);

#[wasm_bindgen]
impl Engine {
    /// A new training on the data called `name`, or on points of the page's own if no data have that name.
    pub async fn toy(&self, name: &str, width: usize, batch: usize, seed: u32) -> Result<Plane> {
        let named = Data::NAMED.into_iter().find(|data| data.name() == name);
        let placed = named.is_none().then(Vec::new);
        let (weights, learning_rate, noise) = START;
        let settings = Settings { data: named.unwrap_or(Data::Moons), weights, learning_rate, noise };
        let config = Config { width, batch, objective: OBJECTIVE, seed: seed.into() };
        let toy = Toy::new(&self.0, config, settings).await.map_err(js)?;
        Ok(Plane { toy, placed })
    }
}

/// A training on points of the plane. Points are pairs of numbers, one after the other.
#[wasm_bindgen]
pub struct Plane {
    toy: Toy,
    /// The points that are placed, if these are the data. Without any, there is nothing to learn.
    placed: Option<Vec<[f32; 2]>>,
}

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
        for _ in 0..count {
            self.toy.advance().await.map_err(js)?;
        }
        let losses = self.toy.losses().await.map_err(js)?.into_iter().map(|(_, loss)| loss).collect();
        let grid = grid(GRID, SHOWN);
        let points = [&grid[..], &self.toy.noise(SAMPLES)].concat();
        let f = self.toy.repeat(&points, 2).await.map_err(js)?;
        let (field, samples) = f[0].split_at(grid.len());
        let [grid, field, samples, again] =
            [&grid[..], field, samples, &f[1][grid.len()..]].map(|p| p.as_flattened().to_vec());
        Ok(View { losses, grid, field, samples, again })
    }

    /// The number of completed steps.
    pub fn step(&self) -> f64 {
        self.toy.step() as f64
    }

    /// Half the side of the square that is shown.
    pub fn shown() -> f32 {
        SHOWN
    }

    /// Points of the data.
    pub fn data(&self, count: usize) -> Vec<f32> {
        match &self.placed {
            Some(points) => points.concat(),
            None => self.toy.data(count).concat(),
        }
    }

    /// Makes these points the data. Without any, there is nothing to learn.
    ///
    /// # Errors
    /// If a coordinate is not finite.
    pub fn place(&mut self, points: &[f32]) -> Result<()> {
        let points = points.as_chunks().0.to_vec();
        self.placed = Some(points.clone());
        if points.is_empty() {
            return Ok(());
        }
        self.toy.set(Settings { data: Data::Points(points), ..self.toy.settings().clone() }).map_err(js)
    }

    /// Sets the weights of the three losses, the learning rate, and the standard deviation of the noise.
    pub fn set(&mut self, rec: f32, idem: f32, tight: f32, learning_rate: f64, noise: f32) -> Result<()> {
        let data = self.toy.settings().data.clone();
        self.toy.set(Settings { data, weights: Weights { rec, idem, tight }, learning_rate, noise }).map_err(js)
    }

    /// The setting at the begin for each argument of [`set`](Self::set).
    pub fn defaults() -> Vec<f64> {
        let (Weights { rec, idem, tight }, learning_rate, noise) = START;
        vec![rec.into(), idem.into(), tight.into(), learning_rate, noise.into()]
    }
}
