use crate::error::Error;
use crate::random::{Stream, stream};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use std::f32::consts::{PI, TAU};

/// A distribution of points in about [-1, 1]².
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Two interleaved half circles (two moons).
    Moons,
    /// Two concentric circles, with radii 0.9 and 0.4.
    Rings,
    /// An Archimedean spiral of one and a half turns.
    Spiral,
    /// These points, all equally likely.
    Points(Vec<[f32; 2]>),
}

/// The standard deviation of the points about their curve.
const DEVIATION: f32 = 0.02;

impl Data {
    /// The named distributions.
    pub const NAMED: [Self; 3] = [Self::Moons, Self::Rings, Self::Spiral];

    /// The display name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Moons => "moons",
            Self::Rings => "rings",
            Self::Spiral => "spiral",
            Self::Points(_) => "points",
        }
    }

    /// Draws `count` points from the random stream given by `seed`, `kind` and `counter`. Curves are uniform in arc length,
    /// with Gaussian noise of standard deviation 0.02; an empty list gives no points.
    pub fn draw(&self, seed: u64, kind: Stream, counter: u64, count: usize) -> Vec<[f32; 2]> {
        let mut rng = stream(seed, kind, counter);
        match self {
            Self::Points(points) if points.is_empty() => vec![],
            Self::Points(points) => (0..count).map(|_| points[rng.random_range(0..points.len())]).collect(),
            curve => (0..count).map(|_| curve.near(&mut rng)).collect(),
        }
    }

    /// Draws a point near the curve.
    fn near(&self, rng: &mut impl Rng) -> [f32; 2] {
        let on = self.on(rng.random(), rng.random());
        on.map(|x| {
            let normal: f32 = StandardNormal.sample(rng);
            x + DEVIATION * normal
        })
    }

    /// The point of the curve at `along`, with `part` to choose one of several curves, both in [0, 1).
    fn on(&self, along: f32, part: f32) -> [f32; 2] {
        let polar = |radius: f32, angle: f32| [radius * angle.cos(), radius * angle.sin()];
        match self {
            Self::Moons => {
                let [x, y] = polar(0.6, PI * along);
                if part < 0.5 { [x - 0.3, y - 0.15] } else { [0.3 - x, 0.15 - y] }
            }
            // Each circle has the share of its length.
            Self::Rings => polar(if part < 0.9 / 1.3 { 0.9 } else { 0.4 }, TAU * along),
            // The length of the arc grows nearly as the square of the radius.
            _ => {
                let radius = (0.04 + 0.77 * along).sqrt();
                polar(radius, 1.5 * TAU * radius / 0.9)
            }
        }
    }

    /// Checks that there are points, and that all are finite.
    pub(super) fn check(&self) -> Result<(), Error> {
        let unsuited = |text: String| Err(Error::Unsuited(text));
        match self {
            Self::Points(points) if points.is_empty() => unsuited("there is no point to learn from".into()),
            Self::Points(points) => match points.iter().find(|[x, y]| !(x.is_finite() && y.is_finite())) {
                Some([x, y]) => unsuited(format!("the point ({x}, {y}) is not finite")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The mean over `points` of the distance to the nearest point of `set`.
pub fn mean_nearest_distance(points: &[[f32; 2]], set: &[[f32; 2]]) -> f32 {
    let nearest = |[x, y]: &[f32; 2]| set.iter().map(|[a, b]| (x - a).hypot(y - b)).fold(f32::INFINITY, f32::min);
    points.iter().map(nearest).sum::<f32>() / points.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_near_their_curve_in_the_unit_square() {
        for data in Data::NAMED {
            let points = data.draw(1, Stream::Order, 0, 2000);
            assert!(points.iter().flatten().all(|x| x.abs() < 1.0), "{data:?}");
            assert_eq!(points, data.draw(1, Stream::Order, 0, 2000));
            assert_ne!(points, data.draw(1, Stream::Order, 1, 2000));
            let curve: Vec<_> = (0..4000).map(|i| data.on((i / 2) as f32 / 2000.0, (i % 2) as f32 * 0.99)).collect();
            // The distance from a curve is |N(0, 0.02²)|.
            let distance = mean_nearest_distance(&points, &curve);
            assert!((distance - 0.016).abs() < 0.002, "{data:?} {distance}");
            // Every part of the curve has points.
            assert!(mean_nearest_distance(&curve, &points) < 0.03, "{data:?}");
        }
    }

    #[test]
    fn given_points_are_drawn_equally_often() {
        let points = [[0.0, 0.5], [0.25, -0.5]];
        let drawn = Data::Points(points.to_vec()).draw(1, Stream::Order, 0, 1000);
        let first = drawn.iter().filter(|&&p| p == points[0]).count();
        assert!((420..580).contains(&first), "{first}");
        assert!(drawn.iter().all(|p| points.contains(p)));
    }

    #[test]
    fn distances_are_to_the_nearest() {
        assert_eq!(mean_nearest_distance(&[[0.0, 0.0], [3.0, 4.0]], &[[0.0, 1.0], [0.0, -2.0], [3.0, 4.0]]), 0.5);
    }
}
