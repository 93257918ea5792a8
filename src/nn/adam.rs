use crate::ops;
use crate::tape::{Result, Tape, Var};

/// Adam's hyper-parameters (Kingma & Ba 2014).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
}

impl Adam {
    /// The host's input that holds [`rates`](Adam::rates).
    pub const RATES: &'static str = "adam.rates";

    /// The names of the two moments of a parameter.
    pub fn moments(parameter: &str) -> [String; 2] {
        ["m", "v"].map(|moment| format!("adam.{moment}.{parameter}"))
    }

    /// The moments of `parameters` before the first step, by name: zeros.
    pub fn initial(parameters: &[Var<'_>]) -> impl Iterator<Item = (String, Vec<f32>)> {
        let zeros = |p: &Var<'_>| vec![0.0; p.shape().elements()];
        parameters.iter().flat_map(move |p| Self::moments(&p.name()).map(|name| (name, zeros(p))))
    }

    /// Records the update of each parameter by its gradient. Moments are state.
    pub fn record<'t>(&self, tape: &'t Tape, parameters: &[Var<'t>], gradients: &[Var<'t>]) -> Result<()> {
        let rates = tape.input(Self::RATES, [2]);
        for (&p, &gradient) in parameters.iter().zip(gradients) {
            let [m, v] = Self::moments(&p.name());
            let (m, v) = (tape.state(&m, p.shape())?, tape.state(&v, p.shape())?);
            ops::adam(p, gradient, m, v, rates, self.beta1, self.beta2, self.epsilon)?;
        }
        Ok(())
    }

    /// What the host writes before step `t`, counted from 1: (learning rate/(1 − β1ᵗ), 1/√(1 − β2ᵗ)).
    pub fn rates(&self, t: u64) -> [f32; 2] {
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(t as f64);
        [(self.learning_rate / correction(self.beta1)) as f32, (1.0 / correction(self.beta2).sqrt()) as f32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_correct_the_bias() {
        let adam = Adam { learning_rate: 0.1, beta1: 0.5, beta2: 0.75, epsilon: 1e-8 };
        assert_eq!(adam.rates(1), [0.2, 2.0]);
        let [first, second] = adam.rates(1_000_000);
        assert_eq!([first, second], [0.1, 1.0]);
    }
}
