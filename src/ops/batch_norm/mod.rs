//! Batch normalisation (Ioffe & Szegedy 2015): one reduction and one elementwise pass in each direction.
//!
//! With n elements per channel, mean μ and biased variance σ² of the channel, and x̂ = (x − μ)/√(σ² + ε):
//!
//! v = γ·x̂ + β, and y = v where v ≥ 0, slope·v elsewhere
//!
//! ∂L/∂v = ∂L/∂y where v > 0, slope·∂L/∂y elsewhere
//!
//! ∂L/∂β = Σ ∂L/∂v, ∂L/∂γ = Σ ∂L/∂v·x̂, ∂L/∂x = γ/√(σ² + ε)·(∂L/∂v − (∂L/∂β + x̂·∂L/∂γ)/n)
//!
//! ∂L/∂x includes the gradient through the statistics. With constant statistics, ∂L/∂x = γ/√(σ² + ε)·∂L/∂v. The
//! activation is part of the operation to save a separate pass over memory in each direction.

mod normalise;
mod running;
mod sums;

use super::activation::sloped;
use super::channel_sums::Extents;
use super::{Case, Example};
use crate::tape::{Shape, Tensor, Var, operands};
pub(super) use normalise::{BatchNorm, InputGradient};
pub(super) use running::UpdateRunning;
pub(super) use sums::{BatchStatistics, GradientSums};

/// The constants of batch norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// The constant ε that is added to the variance.
    pub epsilon: f32,
    /// The slope of the activation below zero: 1 for no activation, 0 for ReLU, in between for leaky ReLU.
    pub slope: f32,
}

/// The result of [`Var::batch_norm`].
#[derive(Clone, Copy, Debug)]
pub struct Normalised<'t> {
    /// The output, with the shape of x.
    pub y: Var<'t>,
    /// Mean and biased variance of each channel of x, as the rows of `[2, C]`.
    pub statistics: Var<'t>,
}

impl<'t> Var<'t> {
    /// Mean and biased variance of each channel of x `[N, C, …]`, as the rows of `[2, C]`.
    #[track_caller]
    pub fn batch_statistics(self) -> Self {
        self.tape().record(BatchStatistics, &[self])
    }

    /// y = activation(γ·(x − μ)/√(σ² + ε) + β) per channel of x `[N, C, …]`, with γ and β `[C]`, and with the mean μ
    /// and the biased variance σ² of the channel over the batch. ∂L/∂x includes the gradient through μ and σ². The
    /// returned statistics have no gradient rule.
    #[track_caller]
    pub fn batch_norm(self, gamma: Self, beta: Self, norm: Norm) -> Normalised<'t> {
        let statistics = self.batch_statistics();
        let y = self.tape().record(BatchNorm { norm, fixed: false }, &[self, statistics, gamma, beta]);
        Normalised { y, statistics }
    }

    /// y = activation(γ·(x − μ)/√(σ² + ε) + β) per channel of x `[N, C, …]`, with γ and β `[C]`, and with `mean` μ
    /// `[C]` and `variance` σ² `[C]` as constants.
    #[track_caller]
    pub fn batch_norm_fixed(self, [mean, variance]: [Self; 2], gamma: Self, beta: Self, norm: Norm) -> Self {
        let [mean, variance] = [mean.as_row(), variance.as_row()];
        let statistics = self.tape().concat(&[mean, variance]);
        self.tape().record(BatchNorm { norm, fixed: true }, &[self, statistics, gamma, beta])
    }

    #[track_caller]
    fn as_row(self) -> Self {
        self.reshape([1, self.shape().elements()])
    }
}

/// Updates running averages in place: r ← (1 − momentum)·r + momentum·s, for the running mean and variance `[C]`. s is
/// the mean or variance in the `statistics` `[2, C]` over `n` elements per channel. The factor n/(n − 1) makes the
/// variance unbiased, as in PyTorch.
#[track_caller]
pub fn update_running<'t>([mean, variance]: [Var<'t>; 2], statistics: Var<'t>, n: usize, momentum: f32) -> Var<'t> {
    let op = UpdateRunning { momentum, unbiased: n as f32 / n.saturating_sub(1) as f32 };
    mean.tape().record(op, &[mean, variance, statistics])
}

/// One element in the f64 references.
struct Element {
    channel: usize,
    /// x̂
    x: f64,
    /// γ/√(σ² + ε)
    scale: f64,
    /// The value before the activation.
    v: f64,
    slope: f64,
}

impl Norm {
    /// Checks the shapes of statistics, γ and β for `channels` channels.
    fn check(channels: usize, of: &[&Shape]) -> Result<(), String> {
        let [statistics, gamma, beta]: [&Shape; 3] = operands(of);
        let fits = statistics.dims() == [2, channels] && [gamma, beta].iter().all(|s| s.dims() == [channels]);
        let needs = || format!("x has {channels} channels: statistics must be [2, {channels}], γ and β [{channels}]");
        fits.then_some(()).ok_or_else(needs)
    }

    /// Element `i` with the value `x`. `of` holds statistics, γ and β.
    fn at(self, extents: Extents, i: usize, x: f64, of: &[Tensor<'_>]) -> Element {
        let [statistics, gamma, beta] = operands(of).map(|x| x.data);
        let channel = extents.channel_of(i);
        let deviation = (statistics[extents.channels + channel] + f64::from(self.epsilon)).sqrt();
        let (x, scale) = ((x - statistics[channel]) / deviation, gamma[channel] / deviation);
        Element { channel, x, scale, v: gamma[channel] * x + beta[channel], slope: f64::from(self.slope) }
    }
}

impl Element {
    fn activated(&self) -> f64 {
        if self.v < 0.0 { sloped(self.slope, self.v) } else { self.v }
    }

    fn before_activation(&self, dy: f64) -> f64 {
        if self.v > 0.0 { dy } else { sloped(self.slope, dy) }
    }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("x.batch_statistics()", "mean and biased variance per channel", "none", |tape| Case {
        y: tape.input("x", [3, 2, 5]).batch_statistics(),
        wrt: vec![],
    }),
    Example::new(
        "x.batch_norm(γ, β, norm)",
        "activation(γ·(x − μ)/√(σ² + ε) + β)",
        "with h = g·activation′ and x̂ = (x − μ)/√(σ² + ε): x: γ/√(σ² + ε)·(h − mean h − x̂·mean h·x̂), γ: Σ h·x̂, β: Σ h",
        |tape| {
            let x = tape.input("x", [4, 2, 5]);
            let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [2]));
            let y = x.batch_norm(gamma, beta, Norm { epsilon: 1e-2, slope: 0.2 }).y;
            Case { y, wrt: vec![x, gamma, beta] }
        },
    ),
    Example::new(
        "x.batch_norm_fixed([μ, σ²], γ, β, norm)",
        "activation(γ·(x − μ)/√(σ² + ε) + β)",
        "as for batch_norm, but x: γ/√(σ² + ε)·h",
        |tape| {
            let x = tape.input("x", [4, 2, 5]);
            let [mean, variance, gamma, beta] = ["mean", "variance", "gamma", "beta"].map(|name| tape.input(name, [2]));
            let y = x.batch_norm_fixed([mean, variance], gamma, beta, Norm { epsilon: 1e-2, slope: 1.0 });
            Case { y, wrt: vec![x, gamma, beta] }
        },
    )
    .on(|name, number| if name == "variance" { 0.1 + number.abs() } else { number }),
    Example::new(
        "update_running([μ, σ²], statistics, n, momentum)",
        "r ← (1 − momentum)·r + momentum·s, with σ²·n/(n − 1) for the variance",
        "none",
        |tape| {
            let running = ["mean", "variance"].map(|name| tape.state(name, [3]));
            Case { y: update_running(running, tape.input("statistics", [2, 3]), 10, 0.1), wrt: vec![] }
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::blocking_variants;
    use crate::tape::Tape;
    use crate::testing::{agrees_with, differentiates, feeds, gpu, run};
    use proptest::prelude::*;

    /// Random feeds with positive variances, and with `x` shifted by `offset`.
    fn sensible(tape: &Tape, seed: u64, offset: f64) -> Vec<(Var<'_>, Vec<f64>)> {
        let mut feeds = feeds(tape, seed);
        for (var, data) in &mut feeds {
            match var.name().as_str() {
                name if name.contains("variance") => data.iter_mut().for_each(|x| *x = 0.1 + x.abs()),
                "x" => data.iter_mut().for_each(|x| *x = f64::from((*x + offset) as f32)),
                _ => {}
            }
        }
        feeds
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn batch_statistics_any_shape(
            (n, c, h, w) in (1usize..40, 1usize..10, 1usize..8, 1usize..8), seed: u64,
        ) {
            let plain = Norm { epsilon: 1e-2, slope: 1.0 };
            prop_assume!(n * h * w > 1);
            let tape = Tape::new();
            let x = tape.input("x", [n, c, h, w]);
            let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [c]));
            let Normalised { y, statistics } = x.batch_norm(gamma, beta, plain);
            let running = ["running_mean", "running_variance"].map(|name| tape.state(name, [c]));
            differentiates(&tape, y, &[x, gamma, beta], seed)?;
            update_running(running, statistics, n * h * w, 0.1);
            agrees_with(&tape, &sensible(&tape, seed, 0.0))?;
        }

        #[test]
        fn an_activation_in_the_same_pass(
            (n, c, h) in (2usize..9, 1usize..6, 1usize..6), slope in prop_oneof![Just(0.0f32), Just(0.2)], seed: u64,
        ) {
            let tape = Tape::new();
            let x = tape.input("x", [n, c, h, 3]);
            let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [c]));
            let norm = Norm { epsilon: 1e-2, slope };
            let v = x.batch_norm(gamma, beta, Norm { slope: 1.0, ..norm }).y;
            let y = x.batch_norm(gamma, beta, norm).y;
            let apart = v.leaky_relu(slope);
            differentiates(&tape, y, &[x, gamma, beta], seed)?;
            let feeds = feeds(&tape, seed);
            let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
            let values = tape.interpret(&slices)?;
            // Near the kink f32 and f64 may differ, and at the kink the derivative does not exist.
            prop_assume!(values.get(v).iter().all(|v| v.abs() > 1e-3));
            prop_assert_eq!(values.get(y), values.get(apart));
            agrees_with(&tape, &feeds)?;
        }

        #[test]
        fn fixed_statistics_any_shape((n, c, h) in (1usize..6, 1usize..10, 1usize..8), seed: u64) {
            let tape = Tape::new();
            let x = tape.input("x", [n, c, h, 1]);
            let [mean, variance, gamma, beta] = ["mean", "variance", "gamma", "beta"].map(|name| tape.input(name, [c]));
            // Keeps the variance positive for the finite differences too.
            let variance = variance.sigmoid();
            let y = x.batch_norm_fixed([mean, variance], gamma, beta, Norm { epsilon: 1e-5, slope: 1.0 });
            differentiates(&tape, y, &[x, gamma, beta], seed)?;
            agrees_with(&tape, &feeds(&tape, seed))?;
        }
    }

    #[test]
    fn vectors_are_images_of_one_pixel() {
        let tape = Tape::new();
        let x = tape.input("x", [65, 3]);
        let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [3]));
        let norm = Norm { epsilon: 1e-5, slope: 1.0 };
        let y = x.batch_norm(gamma, beta, norm).y;
        differentiates(&tape, y, &[x, gamma, beta], 5).unwrap();
        agrees_with(&tape, &feeds(&tape, 5)).unwrap();
    }

    #[test]
    fn sums_of_four_channels_at_a_time() {
        // Planes that are a whole number of vectors, and planes that are not.
        for width in [14, 15] {
            let tape = Tape::new();
            let x = tape.input("x", [5, 8, 14, width]);
            let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [8]));
            let norm = Norm { epsilon: 1e-2, slope: 1.0 };
            let y = x.batch_norm(gamma, beta, norm).y;
            let dy = tape.input("dy", x.shape());
            tape.vjp(y, dy, &[x, gamma, beta]).unwrap();
            agrees_with(&tape, &feeds(&tape, 7)).unwrap();
        }
    }

    #[test]
    fn a_large_mean_costs_the_variance_no_precision() {
        let tape = Tape::new();
        let x = tape.input("x", [16, 2, 20, 20]);
        let statistics = x.batch_statistics();
        let feeds = sensible(&tape, 3, 1000.0);
        agrees_with(&tape, &feeds).unwrap();
        let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
        let reference = tape.interpret(&slices).unwrap().get(statistics).to_vec();
        let found = &run(&tape, &feeds, &[statistics], gpu()).unwrap().0[0];
        for c in 2..4 {
            assert!((f64::from(found[c]) / reference[c] - 1.0).abs() < 1e-4, "{} {}", found[c], reference[c]);
        }
    }

    #[test]
    fn shapes_are_checked() {
        let tape = Tape::new();
        let x = tape.input("x", [4, 3, 2, 2]);
        x.batch_norm(tape.input("g", [2]), tape.input("b", [3]), Norm { epsilon: 1e-5, slope: 1.0 });
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("3 channels"), "{error}");
        let tape = Tape::new();
        tape.input("y", [4]).batch_statistics();
        assert!(tape.check().is_err());
    }

    #[test]
    fn running_averages_need_two_elements_per_channel() {
        for n in [0, 1] {
            let tape = Tape::new();
            let running = ["mean", "variance"].map(|name| tape.state(name, [3]));
            update_running(running, tape.input("statistics", [2, 3]), n, 0.1);
            assert!(tape.check().unwrap_err().to_string().contains("two elements per channel"));
        }
    }

    #[test]
    fn the_gradient_of_a_gradient_is_refused_by_name() {
        let tape = Tape::new();
        let x = tape.input("x", [4, 3, 2, 2]);
        let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [3]));
        let y = x.batch_norm(gamma, beta, Norm { epsilon: 1e-5, slope: 1.0 }).y;
        let dx = tape.gradient((y * y).sum(), &[x]).unwrap()[0];
        let error = tape.gradient((dx * dx).sum(), &[x]).unwrap_err().to_string();
        assert!(error.contains("batch_norm_input_gradient has no gradient rule"), "{error}");
    }

    #[test]
    fn an_outlier_anywhere_costs_the_variance_no_precision() {
        let n = 400_000;
        let noise = |i: usize| f64::from(((i * 7919 % 1009) as f32 / 1009.0 - 0.5) * 0.35);
        for outlier in [0, 1, n / 2, n - 1] {
            let x: Vec<f64> = (0..n).map(|i| if i == outlier { 1000.0 } else { noise(i) }).collect();
            let mean = x.iter().sum::<f64>() / n as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            let tape = Tape::new();
            let input = tape.input("x", [1, 1, n]);
            let statistics = input.batch_statistics();
            for (name, gpu) in blocking_variants(gpu()).unwrap() {
                let found = run(&tape, &[(input, x.clone())], &[statistics], &gpu).unwrap().0.remove(0);
                let off = (f64::from(found[1]) / variance - 1.0).abs();
                assert!(off < 1e-4, "{name}, outlier at {outlier}: {} instead of {variance}", found[1]);
            }
        }
    }
}
