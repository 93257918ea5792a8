use super::lower::{Lower, Lowering};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// y = max(x, 0). ∂L/∂x = ∂L/∂y where y > 0, else 0.
pub fn relu(x: Var<'_>) -> Result<Var<'_>> {
    leaky_relu(x, 0.0)
}

/// y = x where x > 0, else slope·x, with slope ≥ 0. ∂L/∂x = ∂L/∂y where y > 0, else slope·∂L/∂y (Maas et al. 2013).
pub fn leaky_relu(x: Var<'_>, slope: f32) -> Result<Var<'_>> {
    x.tape().record(Activation(Function::LeakyRelu(slope)), &[x])
}

/// y = tanh x. ∂L/∂x = ∂L/∂y·(1 − y²)
pub fn tanh(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Activation(Function::Tanh), &[x])
}

/// y = 1/(1 + e⁻ˣ). ∂L/∂x = ∂L/∂y·y·(1 − y)
pub fn sigmoid(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Activation(Function::Sigmoid), &[x])
}

/// y = eˣ. ∂L/∂x = ∂L/∂y·y
pub fn exp(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Activation(Function::Exp), &[x])
}

#[derive(Clone, Copy, Debug)]
enum Function {
    /// With slope 0 the ReLU.
    LeakyRelu(f32),
    Tanh,
    Sigmoid,
    Exp,
}

impl Function {
    fn value(self, x: f64) -> f64 {
        match self {
            Self::LeakyRelu(slope) if x < 0.0 => f64::from(slope) * x,
            Self::LeakyRelu(_) => x,
            Self::Tanh => x.tanh(),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Exp => x.exp(),
        }
    }

    /// The derivative, from the output.
    fn derivative(self, y: f64) -> f64 {
        match self {
            Self::LeakyRelu(_) if y > 0.0 => 1.0,
            Self::LeakyRelu(slope) => f64::from(slope),
            Self::Tanh => 1.0 - y * y,
            Self::Sigmoid => y * (1.0 - y),
            Self::Exp => y,
        }
    }

    fn params(self, quads: u32) -> Params {
        let slope = if let Self::LeakyRelu(slope) = self { slope } else { 0.0 };
        Params { quads, slope }
    }
}

#[derive(Debug)]
pub(super) struct Activation(Function);

impl Op for Activation {
    fn name(&self) -> &'static str {
        match self.0 {
            Function::LeakyRelu(0.0) => "relu",
            Function::LeakyRelu(_) => "leaky_relu",
            Function::Tanh => "tanh",
            Function::Sigmoid => "sigmoid",
            Function::Exp => "exp",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match self.0 {
            // The derivative is read off the sign of the output.
            Function::LeakyRelu(slope) if slope.is_nan() || slope < 0.0 => {
                Err(format!("the slope must not be negative, and is {slope}"))
            }
            _ => Ok(inputs[0].clone()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        Ok(vec![call.when(0, || gradient.tape().record(ActivationGradient(self.0), &[call.output, gradient]))?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs[0].data.iter().map(|&x| self.0.value(x)).collect()
    }
}

/// ∂L/∂x from the output y and ∂L/∂y.
#[derive(Debug)]
pub(super) struct ActivationGradient(Function);

impl Op for ActivationGradient {
    fn name(&self) -> &'static str {
        match self.0 {
            Function::LeakyRelu(0.0) => "relu_gradient",
            Function::LeakyRelu(_) => "leaky_relu_gradient",
            Function::Tanh => "tanh_gradient",
            Function::Sigmoid => "sigmoid_gradient",
            Function::Exp => "exp_gradient",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs[0].data.iter().zip(inputs[1].data).map(|(&y, g)| g * self.0.derivative(y)).collect()
    }
}

params! {
    struct Params { quads: u32, slope: f32 }
}

impl Lower for Activation {
    fn lower(&self, at: &mut Lowering<'_>) {
        let entry = match self.0 {
            Function::LeakyRelu(_) => "leaky_relu",
            Function::Tanh => "hyperbolic_tangent",
            Function::Sigmoid => "sigmoid",
            Function::Exp => "exponential",
        };
        let bindings = [("x", at.inputs[0]), ("result", at.output)];
        at.by_quads(shader!("activation.wgsl"), entry, &bindings, self.0.params(at.quads()));
    }
}

impl Lower for ActivationGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        let entry = match self.0 {
            Function::LeakyRelu(_) => "leaky_relu_gradient",
            Function::Tanh => "hyperbolic_tangent_gradient",
            Function::Sigmoid => "sigmoid_gradient",
            Function::Exp => "exponential_gradient",
        };
        let bindings = [("y", at.inputs[0]), ("gradient", at.inputs[1]), ("result", at.output)];
        at.by_quads(shader!("activation.wgsl"), entry, &bindings, self.0.params(at.quads()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, agrees_with, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_size(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let x = tape.input("x", [elements]);
            for y in [relu(x)?, leaky_relu(x, 0.2)?, tanh(x)?, sigmoid(x)?, exp(x)?] {
                differentiates(&tape, y, &[x], seed)?;
            }
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn extremes_saturate() {
        let tape = Tape::new();
        let x = tape.input("x", [6]);
        tanh(x).unwrap();
        sigmoid(x).unwrap();
        let feeds = vec![(x, vec![-1e30, -100.0, -16.0, 16.0, 100.0, 1e30])];
        agrees_with(&tape, &feeds).unwrap();
    }

    #[test]
    fn powers_of_e_vanish_and_grow() {
        let tape = Tape::new();
        let x = tape.input("x", [4]);
        exp(x).unwrap();
        for powers in [[-1e30, -100.0, -20.0, 0.0], [5.0, 10.0, 20.0, 40.0]] {
            agrees_with(&tape, &[(x, powers.to_vec())]).unwrap();
        }
    }

    #[test]
    fn a_negative_slope_is_refused() {
        let tape = Tape::new();
        let error = leaky_relu(tape.input("x", [2]), -0.1).unwrap_err().to_string();
        assert!(error.contains("-0.1"), "{error}");
    }
}
