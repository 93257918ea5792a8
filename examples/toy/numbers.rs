//! Numbers about a map of the plane.

use crate::plane::{EXTENT, NEAR, Plane, distance, lengths};
use ign::error::Error;
use ign::metrics::{Features, energy_distance};
use ign::toy::grid;

/// Numbers about f, from [`COUNT`] points of the data x and as many of noise z.
#[derive(Clone, Copy)]
pub struct Numbers {
    /// The energy distance of f(z) and x: 0 on average where both have the same distribution.
    pub energy: f64,
    /// The mean |f(f(z)) − f(z)|.
    pub idempotence: f64,
    /// The mean |f(x) − x|.
    pub reconstruction: f64,
    /// The share of the area of the picture where |f(x) − x| < ε = [`NEAR`].
    pub area: f64,
    /// The share of f(z) within [`TOUCHING`] of a point of the data.
    pub precision: f64,
    /// The share of the data with more than [`THIN`] of their density of f(z).
    pub coverage: f64,
    /// The density of f(z), relative to that of the data, which 99 % of the data do not exceed.
    pub peak: f64,
}

/// Number of points.
const COUNT: usize = 4000;
/// Number of cells along one side for the share of the area.
const CELLS: usize = 160;
/// Distance at which a point lies on the data, whose deviation from their curve is 0.02.
const TOUCHING: f32 = 0.06;
/// Radius of the discs in which densities are compared.
const DISC: f32 = 0.1;
/// The density of f(z), relative to that of the data, below which a part of the data is not covered.
const THIN: f64 = 0.1;

impl Numbers {
    /// The names of the numbers, as the head of a table.
    pub const NAMES: &str = "energy_distance,idempotence,reconstruction,area,precision,coverage,peak";

    /// Measures f.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn of(plane: &dyn Plane) -> Result<Self, Error> {
        let (x, z) = (plane.data(COUNT), plane.noise(COUNT)?);
        let y = plane.apply(&z)?;
        let field = lengths(plane, &grid(CELLS, EXTENT))?;
        let touching = y.iter().filter(|y| x.iter().any(|x| distance(x, y) < TOUCHING)).count();
        let mut ratios: Vec<f64> = x.iter().map(|at| within(at, &y) / within(at, &x)).collect();
        ratios.sort_by(f64::total_cmp);
        Ok(Self {
            energy: energy_distance(&Features::new(y.as_flattened(), 2)?, &Features::new(x.as_flattened(), 2)?)?,
            idempotence: mean(&lengths(plane, &y)?),
            reconstruction: mean(&lengths(plane, &x)?),
            area: field.iter().filter(|length| **length < NEAR).count() as f64 / field.len() as f64,
            precision: touching as f64 / COUNT as f64,
            coverage: ratios.iter().filter(|ratio| **ratio > THIN).count() as f64 / COUNT as f64,
            peak: ratios[COUNT * 99 / 100],
        })
    }

    /// The numbers as a row of a table, separated by commas.
    pub fn row(&self) -> String {
        let Self { energy, idempotence, reconstruction, area, precision, coverage, peak } = self;
        format!("{energy:.5},{idempotence:.5},{reconstruction:.5},{area:.4},{precision:.4},{coverage:.4},{peak:.2}")
    }
}

/// The number of points in the disc about `centre`.
fn within(centre: &[f32; 2], points: &[[f32; 2]]) -> f64 {
    points.iter().filter(|point| distance(centre, point) < DISC).count() as f64
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}
