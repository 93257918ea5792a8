use super::{Model, NETWORK, network};
use crate::descent::Recorded;
use crate::nn::{Mode, Sequential};
use crate::tape::{Result, Var};

/// The model of [`Kind::Rae`](super::Kind::Rae).
pub(super) struct Rae {
    decoder: Sequential,
    encoder: Sequential,
}

/// Number of codes per image.
const CODES: usize = 64;
/// Weight of ½·Σ c².
const CODE_WEIGHT: f32 = 1e-2;
/// Weight of Σ θ².
const DECODER_WEIGHT: f32 = 1e-3;

impl Rae {
    pub fn new(w: usize) -> Self {
        Self {
            decoder: network("decoder.", NETWORK.decoder(CODES, w)),
            encoder: network("encoder.", NETWORK.encoder(w, CODES)),
        }
    }
}

impl Model for Rae {
    fn latents(&self) -> usize {
        CODES
    }

    fn networks(&self) -> Vec<&Sequential> {
        vec![&self.decoder, &self.encoder]
    }

    fn record<'t>(&self, x: Var<'t>, _: Var<'t>) -> Result<Recorded<'t>> {
        let tape = x.tape();
        let train = Mode::Train { prefixes: &[""], dropout: None };
        let codes = self.encoder.apply(x, train);
        let made = self.decoder.apply(codes, train);
        let reconstruction = x.shape().per_sample() as f32 * made.mse(x);
        let codes = CODE_WEIGHT / 2.0 * squares(codes).mean();
        let [decoder, encoder] = [self.decoder.on(tape), self.encoder.on(tape)];
        let terms: Vec<_> = decoder.iter().map(|&p| (DECODER_WEIGHT, (p * p).sum())).collect();
        let weights = tape.linear_combination(&terms);

        let parameters = [decoder, encoder].concat();
        let gradients = tape.gradient(reconstruction + codes + weights, &parameters)?;
        let losses = vec![("reconstruction", reconstruction), ("codes", codes), ("weights", weights)];
        Ok(Recorded { losses, parameters, gradients })
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(&self.encoder)
    }
}

/// Σ x² per sample, of shape `[N]`.
fn squares(x: Var<'_>) -> Var<'_> {
    (x * x).sum_per_sample()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{differentiates, feeds};

    /// Each term from the values of the tape, and the gradient of their sum.
    #[test]
    fn the_loss_is_the_sum_of_its_terms() {
        let (model, tape) = (Rae::new(1), Tape::new());
        let (x, z) = (tape.input("x", [2, 1, 28, 28]), tape.input("z", [2, CODES, 1, 1]));
        let step = model.record(x, z).unwrap();
        let codes = model.encoder.apply(x, Mode::Batch);
        let made = model.decoder.apply(codes, Mode::Batch);
        let fed = feeds(&tape, 2);
        let slices: Vec<_> = fed.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        let values = tape.interpret(&slices).unwrap();
        let squares = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let error: Vec<f64> = values.get(x).iter().zip(values.get(made)).map(|(a, b)| a - b).collect();
        let decoder: f64 = model.decoder.on(&tape).iter().map(|p| squares(values.get(*p))).sum();
        let expected = [squares(&error) / 2.0, 0.01 * squares(values.get(codes)) / 4.0, 0.001 * decoder];
        for ((name, loss), expected) in step.losses.iter().zip(expected) {
            let found = values.get(*loss)[0];
            assert!((found - expected).abs() < 1e-6 * (1.0 + expected), "{name} {found} {expected}");
        }
        let total = step.losses[0].1 + step.losses[1].1 + step.losses[2].1;
        let of = |name: &str| *step.parameters.iter().find(|p| p.name() == name).unwrap();
        differentiates(&tape, total, &[of("decoder.0.weight"), of("encoder.0.weight")], 3).unwrap();
    }
}
