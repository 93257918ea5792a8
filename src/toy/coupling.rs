//! Invertible maps of the plane.

use crate::nn::{Layer, Mode, Sequential};
use crate::random::{Stream, stream};
use crate::tape::Var;
use rand_distr::{Distribution, Normal};
use std::collections::BTreeMap;

/// An invertible map g: ℝ² → ℝ² of affine coupling layers (Dinh et al. 2016). A layer keeps one coordinate u, and scales and
/// shifts the other by functions of u:
///
/// v ↦ v·exp(s(u)) + t(u), with the inverse v ↦ (v − t(u))·exp(−s(u))
///
/// The layers keep the first and the second coordinate in turn. s and t are networks 1 → width → 1 with tanh; s is in
/// [−2, 2]. A coordinate of N points is a variable `[N, 1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flow {
    /// Number of layers.
    pub layers: usize,
    /// Number of hidden units of each s and each t.
    pub width: usize,
}

/// The greatest |s|.
const GREATEST: f32 = 2.0;
/// The deviation of the initial weights and biases of the hidden units. Their steps then lie all over the data.
const HIDDEN: f32 = 2.0;

impl Flow {
    /// Records y = g(x), and ln |det ∂g/∂x| = Σ s(u) per point, `[N, 1]`.
    #[track_caller]
    pub fn forward<'t>(&self, x: [Var<'t>; 2]) -> ([Var<'t>; 2], Var<'t>) {
        let mut y = x;
        let mut log_det = x[0].tape().constant(0.0, x[0].shape());
        for i in 0..self.layers {
            let (kept, moved) = (i % 2, 1 - i % 2);
            let [s, t] = self.scale_and_shift(i, y[kept]);
            y[moved] = y[moved] * s.exp() + t;
            log_det = log_det + s;
        }
        (y, log_det)
    }

    /// Records x = g⁻¹(y).
    #[track_caller]
    pub fn inverse<'t>(&self, y: [Var<'t>; 2]) -> [Var<'t>; 2] {
        let mut x = y;
        for i in (0..self.layers).rev() {
            let (kept, moved) = (i % 2, 1 - i % 2);
            let [s, t] = self.scale_and_shift(i, x[kept]);
            x[moved] = (x[moved] - t) * (-s).exp();
        }
        x
    }

    /// The networks of all layers, s before t.
    pub fn networks(&self) -> impl Iterator<Item = Sequential> {
        (0..self.layers).flat_map(|i| self.pair(i))
    }

    /// Initial parameters: hidden weights and biases ~ N(0, 2²), and the rest 0, so that g is the identity.
    pub fn initialise(&self, seed: u64) -> BTreeMap<String, Vec<f32>> {
        let normal = Normal::new(0.0, HIDDEN).expect("the deviation is finite and positive");
        let parameters = self.networks().flat_map(|network| network.parameters());
        let initial = |(i, parameter): (usize, crate::nn::Parameter)| {
            let mut rng = stream(seed, Stream::Initialisation, i as u64);
            let hidden = i % 4 < 2;
            let value = |_| if hidden { normal.sample(&mut rng) } else { 0.0 };
            (parameter.name, (0..parameter.shape.elements()).map(value).collect())
        };
        parameters.enumerate().map(initial).collect()
    }

    /// The networks s and t of a layer.
    fn pair(&self, layer: usize) -> [Sequential; 2] {
        let (inner, outer) =
            (Layer::Linear { inputs: 1, outputs: self.width }, Layer::Linear { inputs: self.width, outputs: 1 });
        let shift = vec![inner, Layer::Tanh, outer];
        let scale = [&shift[..], &[Layer::Tanh]].concat();
        [("scale", scale), ("shift", shift)]
            .map(|(what, layers)| Sequential { layers, name: format!("{layer}.{what}.") })
    }

    /// s(u) and t(u) of a layer.
    #[track_caller]
    fn scale_and_shift<'t>(&self, layer: usize, u: Var<'t>) -> [Var<'t>; 2] {
        let [s, t] = self.pair(layer).map(|network| network.apply(u, Mode::Batch));
        [GREATEST * s, t]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Source, Tape};

    const FLOW: Flow = Flow { layers: 5, width: 6 };
    const POINTS: [[f64; 2]; 3] = [[0.3, -0.7], [-1.2, 0.4], [0.0, 0.9]];

    /// g(x), g⁻¹(g(x)) and ln |det| of some points, in f64, with other parameters than the initial ones.
    fn interpreted(points: &[[f64; 2]]) -> [Vec<f64>; 5] {
        let tape = Tape::new();
        let x = ["x", "y"].map(|name| tape.input(name, [points.len(), 1]));
        let (y, log_det) = FLOW.forward(x);
        let back = FLOW.inverse(y);
        let fed = tape.all(|node| matches!(node.source, Source::Input(_) | Source::State(_)));
        let value = |v: &Var<'_>| -> Vec<f64> {
            match v.name().as_str() {
                "x" => points.iter().map(|p| p[0]).collect(),
                "y" => points.iter().map(|p| p[1]).collect(),
                _ => (0..v.shape().elements()).map(|i| ((7 * i + 3 * v.line()) as f64).sin()).collect(),
            }
        };
        let feeds: Vec<_> = fed.iter().map(|v| (*v, value(v))).collect();
        let feeds: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        let values = tape.interpret(&feeds).unwrap();
        [y[0], y[1], back[0], back[1], log_det].map(|v| values.get(v).to_vec())
    }

    #[test]
    fn the_inverse_leads_back() {
        let [y0, y1, x0, x1, _] = interpreted(&POINTS);
        for (i, [x, y]) in POINTS.iter().enumerate() {
            assert!((x0[i] - x).abs() < 1e-12 && (x1[i] - y).abs() < 1e-12, "{x0:?} {x1:?}");
            assert!((y0[i] - x).abs() + (y1[i] - y).abs() > 0.1, "g is the identity");
        }
    }

    #[test]
    fn log_det_is_that_of_the_derivative() {
        const H: f64 = 1e-5;
        let shifted = |by: [f64; 2]| interpreted(&POINTS.map(|[x, y]| [x + by[0], y + by[1]]));
        let ends = [[H, 0.0], [-H, 0.0], [0.0, H], [0.0, -H]].map(shifted);
        let log_det = &interpreted(&POINTS)[4];
        for i in 0..POINTS.len() {
            // ∂gⱼ/∂xₖ by a central difference.
            let slope = |j: usize, k: usize| (ends[2 * k][j][i] - ends[2 * k + 1][j][i]) / (2.0 * H);
            let determinant = slope(0, 0) * slope(1, 1) - slope(0, 1) * slope(1, 0);
            assert!((determinant.ln() - log_det[i]).abs() < 1e-6, "{} {}", determinant.ln(), log_det[i]);
        }
    }

    #[test]
    fn the_initial_map_is_the_identity() {
        let initial = FLOW.initialise(1);
        assert_eq!(initial.len(), 5 * 2 * 4);
        for (name, values) in initial {
            assert_eq!(values.iter().all(|v| *v == 0.0), name.contains(".2."), "{name}");
        }
    }
}
