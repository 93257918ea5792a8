//! Batch normalisation (Ioffe & Szegedy 2015): one reduction and one elementwise pass each way.
//!
//! With n elements a channel, μ and σ² the channel's mean and biased variance, x̂ = (x − μ)/√(σ² + ε):
//!
//! v = γ·x̂ + β, and y = v where v ≥ 0, slope·v elsewhere
//!
//! ∂L/∂v = ∂L/∂y where v > 0, slope·∂L/∂y elsewhere
//!
//! ∂L/∂β = Σ ∂L/∂v, ∂L/∂γ = Σ ∂L/∂v·x̂, ∂L/∂x = γ/√(σ² + ε)·(∂L/∂v − (∂L/∂β + x̂·∂L/∂γ)/n)
//!
//! the last of these through the statistics too. Where the statistics are constants its second half is missing. The
//! activation is part of the operation because it then costs no pass over memory of its own, in either direction.

mod normalise;
mod running;
mod sums;

use super::channel_sums::Extents;
use super::{concat, reshape};
use crate::tape::{Result, Shape, Tensor, Var};
pub(super) use normalise::{BatchNorm, InputGradient};
pub(super) use running::UpdateRunning;
pub(super) use sums::{GradientSums, Statistics};

/// Mean and biased variance of each channel of x `[N, C, …]`, as the rows of `[2, C]`.
pub fn batch_statistics(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Statistics, &[x])
}

/// The constants of batch norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// What is added to the variance.
    pub epsilon: f32,
    /// The slope below zero of the activation that follows: 1 for none, 0 for ReLU, 0.2 for a leaky one.
    pub slope: f32,
}

/// y = activation(γ·(x − μ)/√(σ² + ε) + β) for each channel of x `[N, C, …]`, with (μ, σ²) = `statistics` `[2, C]` those
/// of x itself, as [`batch_statistics`] gives them. The gradient of x is taken through them.
pub fn batch_norm<'t>(x: Var<'t>, statistics: Var<'t>, gamma: Var<'t>, beta: Var<'t>, norm: Norm) -> Result<Var<'t>> {
    x.tape().record(BatchNorm { norm, fixed: false }, &[x, statistics, gamma, beta])
}

/// The same with constant statistics, `mean` `[C]` and `variance` `[C]`.
pub fn batch_norm_fixed<'t>(
    x: Var<'t>,
    [mean, variance]: [Var<'t>; 2],
    gamma: Var<'t>,
    beta: Var<'t>,
    norm: Norm,
) -> Result<Var<'t>> {
    let row = |v: Var<'t>| reshape(v, [1, v.shape().elements()]);
    let statistics = concat(&[row(mean)?, row(variance)?])?;
    x.tape().record(BatchNorm { norm, fixed: true }, &[x, statistics, gamma, beta])
}

/// r ← (1 − momentum)·r + momentum·s in place, for running mean and variance `[C]`, from `statistics` `[2, C]` of `n`
/// elements a channel. The variance is made unbiased by n/(n − 1), as PyTorch does.
pub fn update_running<'t>(
    running_mean: Var<'t>,
    running_variance: Var<'t>,
    statistics: Var<'t>,
    n: usize,
    momentum: f32,
) -> Result<Var<'t>> {
    let op = UpdateRunning { momentum, unbiased: n as f32 / n.saturating_sub(1).max(1) as f32 };
    running_mean.tape().record(op, &[running_mean, running_variance, statistics])
}

/// One element as the f64 references see it.
struct Normalised {
    channel: usize,
    /// x̂
    x: f64,
    /// γ/√(σ² + ε)
    scale: f64,
    /// The output before its activation.
    v: f64,
    slope: f64,
}

impl Norm {
    /// Whether statistics, γ and β have the shapes that `channels` need.
    fn check(channels: usize, operands: &[&Shape]) -> std::result::Result<(), String> {
        let [statistics, gamma, beta] = [0, 1, 2].map(|i| operands[i]);
        let fits = statistics.dims() == [2, channels] && [gamma, beta].iter().all(|s| s.dims() == [channels]);
        let needs = || format!("x has {channels} channels: statistics must be [2, {channels}], γ and β [{channels}]");
        fits.then_some(()).ok_or_else(needs)
    }

    /// Element `i`, which is `x`, with statistics, γ and β.
    fn at(self, extents: Extents, i: usize, x: f64, operands: &[Tensor<'_>]) -> Normalised {
        let [statistics, gamma, beta] = [0, 1, 2].map(|i| operands[i].data);
        let channel = extents.channel_of(i);
        let deviation = (statistics[extents.channels + channel] + f64::from(self.epsilon)).sqrt();
        let (x, scale) = ((x - statistics[channel]) / deviation, gamma[channel] / deviation);
        Normalised { channel, x, scale, v: gamma[channel] * x + beta[channel], slope: f64::from(self.slope) }
    }
}

impl Normalised {
    fn activated(&self) -> f64 {
        if self.v < 0.0 { self.slope * self.v } else { self.v }
    }

    fn before_activation(&self, dy: f64) -> f64 {
        if self.v > 0.0 { dy } else { self.slope * dy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees_with, differentiates, feeds, gpu, run};
    use proptest::prelude::*;

    /// Random feeds, variances made positive and `x` moved by `offset`.
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
            let statistics = batch_statistics(x)?;
            let y = batch_norm(x, statistics, gamma, beta, plain)?;
            let [mean, variance] = ["running_mean", "running_variance"].map(|name| tape.state(name, [c]));
            differentiates(&tape, y, &[x, gamma, beta], seed)?;
            update_running(mean?, variance?, statistics, n * h * w, 0.1)?;
            agrees_with(&tape, &sensible(&tape, seed, 0.0))?;
        }

        #[test]
        fn an_activation_in_the_same_pass(
            (n, c, h) in (2usize..9, 1usize..6, 1usize..6), slope in prop_oneof![Just(0.0f32), Just(0.2)], seed: u64,
        ) {
            let tape = Tape::new();
            let x = tape.input("x", [n, c, h, 3]);
            let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [c]));
            let statistics = batch_statistics(x)?;
            let norm = Norm { epsilon: 1e-2, slope };
            let v = batch_norm(x, statistics, gamma, beta, Norm { slope: 1.0, ..norm })?;
            let y = batch_norm(x, statistics, gamma, beta, norm)?;
            let apart = crate::ops::leaky_relu(v, slope)?;
            differentiates(&tape, y, &[x, gamma, beta], seed)?;
            let feeds = feeds(&tape, seed);
            let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
            let values = tape.interpret(&slices)?;
            // At the kink f32 and f64 need not agree, and there is no derivative.
            prop_assume!(values.get(v).iter().all(|v| v.abs() > 1e-3));
            prop_assert_eq!(values.get(y), values.get(apart));
            agrees_with(&tape, &feeds)?;
        }

        #[test]
        fn fixed_statistics_any_shape((n, c, h) in (1usize..6, 1usize..10, 1usize..8), seed: u64) {
            let tape = Tape::new();
            let x = tape.input("x", [n, c, h, 1]);
            let [mean, variance, gamma, beta] = ["mean", "variance", "gamma", "beta"].map(|name| tape.input(name, [c]));
            // A positive variance also where the finite differences run.
            let variance = crate::ops::sigmoid(variance)?;
            let y = batch_norm_fixed(x, [mean, variance], gamma, beta, Norm { epsilon: 1e-5, slope: 1.0 })?;
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
        let y = batch_norm(x, batch_statistics(x).unwrap(), gamma, beta, norm).unwrap();
        differentiates(&tape, y, &[x, gamma, beta], 5).unwrap();
        agrees_with(&tape, &feeds(&tape, 5)).unwrap();
    }

    #[test]
    fn sums_of_four_channels_at_a_time() {
        // Planes of whole vectors, and others.
        for width in [14, 15] {
            let tape = Tape::new();
            let x = tape.input("x", [5, 8, 14, width]);
            let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [8]));
            let norm = Norm { epsilon: 1e-2, slope: 1.0 };
            let y = batch_norm(x, batch_statistics(x).unwrap(), gamma, beta, norm).unwrap();
            let dy = tape.input("dy", x.shape());
            tape.vjp(y, dy, &[x, gamma, beta]).unwrap();
            agrees_with(&tape, &feeds(&tape, 7)).unwrap();
        }
    }

    #[test]
    fn a_large_mean_costs_the_variance_no_precision() {
        let tape = Tape::new();
        let x = tape.input("x", [16, 2, 20, 20]);
        let statistics = batch_statistics(x).unwrap();
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
        let statistics = batch_statistics(x).unwrap();
        let norm = Norm { epsilon: 1e-5, slope: 1.0 };
        let error = batch_norm(x, statistics, tape.input("g", [2]), tape.input("b", [3]), norm).unwrap_err();
        assert!(error.to_string().contains("3 channels"), "{error}");
        assert!(batch_statistics(tape.input("y", [4])).is_err());
    }
}
