use crate::ops;
use crate::tape::{Tape, TapeError, Var};
use std::panic::Location;

/// The optimiser Adam (Kingma & Ba 2014) with its hyper-parameters. [`ops::adam()`] has the formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay rate β1 of the first moment.
    pub beta1: f32,
    /// Decay rate β2 of the second moment.
    pub beta2: f32,
    /// Constant ε that keeps the divisor positive.
    pub epsilon: f32,
}

impl Default for Adam {
    /// The settings that the paper suggests, which are PyTorch's too.
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adam {
    /// Name of the input `[2]` with the [`rates`](Adam::rates) of the step.
    pub const RATES: &'static str = "adam.rates";

    /// Names of the first and second moment of a parameter.
    pub fn moments(parameter: &str) -> [String; 2] {
        ["m", "v"].map(|moment| format!("adam.{moment}.{parameter}"))
    }

    /// Initial moments of `parameters`, with their names: zeros.
    pub fn initial(parameters: &[Var<'_>]) -> impl Iterator<Item = (String, Vec<f32>)> {
        let zeros = |p: &Var<'_>| vec![0.0; p.shape().elements()];
        parameters.iter().flat_map(move |p| Self::moments(&p.name()).map(|name| (name, zeros(p))))
    }

    /// Records the update of each parameter with its gradient, at the input [`RATES`](Adam::RATES). The moments are
    /// state.
    #[track_caller]
    pub fn record<'t>(&self, tape: &'t Tape, parameters: &[Var<'t>], gradients: &[Var<'t>]) {
        self.record_at(tape.input(Self::RATES, [2]), parameters, gradients);
    }

    /// [`record`](Adam::record) at `rates` `[2]`, for a tape with several updates.
    #[track_caller]
    pub fn record_at<'t>(&self, rates: Var<'t>, parameters: &[Var<'t>], gradients: &[Var<'t>]) {
        let tape = rates.tape();
        if parameters.len() != gradients.len() {
            let message = format!("there are {} parameters and {} gradients", parameters.len(), gradients.len());
            tape.refuse(TapeError::Shape { op: "adam", shapes: vec![], message, at: Location::caller() });
            return;
        }
        for (&p, &gradient) in parameters.iter().zip(gradients) {
            let [m, v] = Self::moments(&p.name());
            let (m, v) = (tape.state(&m, p.shape()), tape.state(&v, p.shape()));
            ops::adam([p, m, v], gradient, rates, [self.beta1, self.beta2], self.epsilon);
        }
    }

    /// Rates of step `t`, counted from 1: (learning rate/(1 − β1ᵗ), 1/√(1 − β2ᵗ)). The host writes them to the input
    /// [`RATES`](Self::RATES) before the step.
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
