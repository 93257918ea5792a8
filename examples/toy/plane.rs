//! What is drawn and measured: a map of the plane, with data and noise.

use ign::error::Error;
use ign::toy::{Exact, Toy};

/// Half the side of the part of the plane that is shown.
pub const EXTENT: f32 = 1.4;
/// |f(x) − x| below which x is nearly a fixed point, ε.
pub const NEAR: f32 = 0.03;

/// A map f: ℝ² → ℝ² that turns noise into data.
pub trait Plane {
    /// f(x) for each of the points.
    fn apply(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error>;
    /// Draws points of the data, the same at each call.
    fn data(&self, count: usize) -> Vec<[f32; 2]>;
    /// Draws points of noise.
    fn noise(&self, count: usize) -> Result<Vec<[f32; 2]>, Error>;
}

impl Plane for Toy {
    fn apply(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        self.blocking_apply(points)
    }

    fn data(&self, count: usize) -> Vec<[f32; 2]> {
        self.data(count)
    }

    fn noise(&self, count: usize) -> Result<Vec<[f32; 2]>, Error> {
        Ok(self.noise(count))
    }
}

impl Plane for Exact {
    fn apply(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        self.apply(points)
    }

    fn data(&self, count: usize) -> Vec<[f32; 2]> {
        self.data(count)
    }

    fn noise(&self, count: usize) -> Result<Vec<[f32; 2]>, Error> {
        self.noise(count)
    }
}

/// |a − b|.
pub fn distance(a: &[f32; 2], b: &[f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// |f(x) − x| at each of the points.
pub fn lengths(plane: &dyn Plane, points: &[[f32; 2]]) -> Result<Vec<f32>, Error> {
    Ok(plane.apply(points)?.iter().zip(points).map(|(y, x)| distance(y, x)).collect())
}
