use super::{Model, NETWORK, network};
use crate::descent::Recorded;
use crate::nn::{Mode, Sequential};
use crate::tape::{Result, Var};

/// The model of [`Kind::Vae`](super::Kind::Vae).
pub(super) struct Vae {
    decoder: Sequential,
    /// The encoder without its last layer.
    encoder: Sequential,
    /// Two copies of the encoder's last layer, for means and log variances.
    heads: [Sequential; 2],
    variance: f32,
}

/// Number of latents per image.
const LATENTS: usize = 64;

impl Vae {
    pub fn new(w: usize, variance: f32) -> Self {
        let mut encoder = NETWORK.encoder(w, LATENTS);
        let head = vec![encoder.pop().expect("an encoder has layers")];
        Self {
            decoder: network("decoder.", NETWORK.decoder(LATENTS, w)),
            encoder: network("encoder.", encoder),
            heads: ["mean.", "log_variance."].map(|name| network(name, head.clone())),
            variance,
        }
    }
}

impl Model for Vae {
    fn latents(&self) -> usize {
        LATENTS
    }

    fn networks(&self) -> Vec<&Sequential> {
        let [mean, log_variance] = &self.heads;
        vec![&self.decoder, &self.encoder, mean, log_variance]
    }

    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Recorded<'t>> {
        let tape = x.tape();
        let seen = self.encoder.apply(x, Mode::Batch);
        let [mean, log_variance] = &self.heads;
        let (mean, log_variance) = (mean.apply(seen, Mode::Batch), log_variance.apply(seen, Mode::Batch));
        let deviation = (0.5 * log_variance).exp();
        let latents = mean + deviation * z;
        let made = self.decoder.apply(latents, Mode::Train { prefixes: &[""], dropout: None });

        let reconstruction = reconstruction(x, made, self.variance);
        let divergence = divergence(mean, deviation, log_variance);
        let parameters: Vec<_> = self.networks().iter().flat_map(|n| n.on(tape)).collect();
        let gradients = tape.gradient(reconstruction + divergence, &parameters)?;
        let losses = vec![("reconstruction", reconstruction), ("divergence", divergence)];
        Ok(Recorded { losses, parameters, gradients })
    }
}

/// The mean over the batch of Σ (x − x̂)²/(2σ²), of shape `[1]`.
fn reconstruction<'t>(x: Var<'t>, made: Var<'t>, variance: f32) -> Var<'t> {
    x.shape().per_sample() as f32 / (2.0 * variance) * made.mse(x)
}

/// The mean over the batch of ½·Σ (μ² + s² − ln s² − 1), of shape `[1]`.
fn divergence<'t>(mean: Var<'t>, deviation: Var<'t>, log_variance: Var<'t>) -> Var<'t> {
    let one = mean.tape().constant(1.0, mean.shape());
    let each = [(0.5, mean * mean), (0.5, deviation * deviation), (-0.5, log_variance), (-0.5, one)];
    mean.tape().linear_combination(&each).sum_per_sample().mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use std::f64::consts::PI;

    /// The divergence ∫ q·ln(q/p) of q = N(μ, s²) from p = N(0, 1), by numerical integration.
    fn integral(mean: f64, deviation: f64) -> f64 {
        let log = |x: f64, m: f64, s: f64| -((x - m) / s).powi(2) / 2.0 - (s * (2.0 * PI).sqrt()).ln();
        let h = 1e-3;
        let at = |i: i32| {
            let x = mean + f64::from(i) * h * deviation;
            let q = log(x, mean, deviation);
            q.exp() * (q - log(x, 0.0, 1.0)) * h * deviation
        };
        (-12_000..=12_000).map(at).sum()
    }

    #[test]
    fn the_divergence_is_that_of_normal_distributions() {
        let tape = Tape::new();
        let [mean, deviation, log_variance] = ["mean", "deviation", "log"].map(|name| tape.input(name, [2, 3, 1, 1]));
        let loss = divergence(mean, deviation, log_variance);
        let (m, s) = ([0.0, 1.0, -2.0, 0.3, 0.0, 0.5], [1.0, 2.0, 0.1, 0.7, 1.5, 1.0]);
        let log = s.map(|s: f64| 2.0 * s.ln());
        let values = tape.interpret(&[(mean, &m), (deviation, &s), (log_variance, &log)]).unwrap();
        let expected = m.iter().zip(s).map(|(&m, s)| integral(m, s)).sum::<f64>() / 2.0;
        assert!((values.get(loss)[0] - expected).abs() < 1e-6, "{} {expected}", values.get(loss)[0]);
    }

    #[test]
    fn the_reconstruction_sums_over_pixels_and_averages_over_images() {
        let tape = Tape::new();
        let [x, made] = ["x", "made"].map(|name| tape.input(name, [2, 1, 1, 3]));
        let loss = reconstruction(x, made, 0.25);
        let values = tape.interpret(&[(x, &[0.0, 0.5, 1.0, 1.0, -1.0, 0.0]), (made, &[0.0; 6])]).unwrap();
        assert!((values.get(loss)[0] - (1.25 + 2.0) / 0.5 / 2.0).abs() < 1e-12);
    }

    /// Gradients flow through the latents μ + s·ε to both heads and the encoder.
    #[test]
    fn latents_are_reparametrised() {
        let (model, tape) = (Vae::new(1, 0.1), Tape::new());
        let (x, z) = (tape.input("x", [2, 1, 28, 28]), tape.input("z", [2, LATENTS, 1, 1]));
        let step = model.record(x, z).unwrap();
        let total = step.losses[0].1 + step.losses[1].1;
        let of = |name: &str| *step.parameters.iter().find(|p| p.name() == name).unwrap();
        let heads = [of("mean.0.weight"), of("log_variance.0.weight"), of("encoder.0.weight")];
        differentiates(&tape, total, &heads, 3).unwrap();
        agrees(&tape, 3).unwrap();
    }
}
