use crate::random::{Stream, stream};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use std::f32::consts::{PI, TAU};

/// A set of points in the plane, within about [-1, 1]².
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Two interleaved half circles.
    Moons,
    /// Two circles around the origin, of radius 0.4 and 0.9.
    Rings,
    /// A spiral with one and a half turns.
    Spiral,
    /// These points.
    Points(Vec<[f32; 2]>),
}

/// Standard deviation of the points around a curve.
const SPREAD: f32 = 0.02;

impl Shape {
    /// The names of the sets that are curves.
    pub const NAMES: [&str; 3] = ["moons", "rings", "spiral"];

    /// The set with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "moons" => Some(Self::Moons),
            "rings" => Some(Self::Rings),
            "spiral" => Some(Self::Spiral),
            _ => None,
        }
    }

    /// `count` points of the set, each as two numbers, determined by `seed` and `counter`.
    pub fn draw(&self, seed: u64, counter: u64, count: usize) -> Vec<f32> {
        let mut rng = stream(seed, Stream::Data, counter);
        let mut points = Vec::with_capacity(2 * count);
        for _ in 0..count {
            let (t, first): (f32, bool) = (rng.random(), rng.random());
            let [x, y] = match self {
                Self::Moons if first => [(PI * t).cos() * 0.6 - 0.3, (PI * t).sin() * 0.6 - 0.15],
                Self::Moons => [0.3 - (PI * t).cos() * 0.6, 0.15 - (PI * t).sin() * 0.6],
                Self::Rings => {
                    // Points are equally dense on both circles.
                    let radius = if t * 1.3 < 0.4 { 0.4 } else { 0.9 };
                    let angle = TAU * rng.random::<f32>();
                    [radius * angle.cos(), radius * angle.sin()]
                }
                Self::Spiral => {
                    // The length of the curve grows with the square of the angle.
                    let turn = t.sqrt();
                    let (radius, angle) = (0.15 + 0.8 * turn, 1.5 * TAU * turn);
                    [radius * angle.cos(), radius * angle.sin()]
                }
                Self::Points(given) if given.is_empty() => [0.0; 2],
                Self::Points(given) => given[rng.random_range(0..given.len())],
            };
            let mut near = |x: f32| x + SPREAD * Distribution::<f32>::sample(&StandardNormal, &mut rng);
            points.extend([near(x), near(y)]);
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_reproducible_and_lie_on_their_curves() {
        for shape in Shape::NAMES.map(|name| Shape::named(name).unwrap()) {
            let points = shape.draw(1, 0, 500);
            assert_eq!(points, shape.draw(1, 0, 500));
            assert_ne!(points, shape.draw(1, 1, 500));
            assert!(points.len() == 1000 && points.iter().all(|x| x.abs() < 1.1), "{shape:?}");
        }
        let radius = |p: &[f32]| p[0].hypot(p[1]);
        let rings = Shape::Rings.draw(3, 0, 500);
        assert!(rings.chunks(2).all(|p| (radius(p) - 0.4).abs().min((radius(p) - 0.9).abs()) < 0.1));
        let inner = rings.chunks(2).filter(|p| radius(p) < 0.65).count();
        assert!((100..210).contains(&inner), "{inner} of 500 points are on the inner circle");
        let given = Shape::Points(vec![[0.5, -0.5]]).draw(1, 0, 20);
        assert!(given.chunks(2).all(|p| (p[0] - 0.5).hypot(p[1] + 0.5) < 0.15));
        assert_eq!(Shape::named("square"), None);
    }
}
