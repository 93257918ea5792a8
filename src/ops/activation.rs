//! Activations and other functions of one variable. The derivative needs only the output, so that the input need not be kept.

use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::gpu::Wgsl;
use crate::shader;
use crate::tape::{Call, Gradients, Op, Shape, Tape, Tensor, Var};
use std::fmt;

impl<'t> Var<'t> {
    /// y = max(x, 0). ∂L/∂x = ∂L/∂y where y > 0, else 0.
    #[track_caller]
    pub fn relu(self) -> Self {
        self.tape().record(Activation { function: &RELU, slope: 0.0 }, &[self])
    }

    /// y = x where x > 0, else slope·x, with slope ≥ 0. ∂L/∂x = ∂L/∂y where y > 0, else
    /// slope·∂L/∂y (Maas et al. 2013).
    #[track_caller]
    pub fn leaky_relu(self, slope: f32) -> Self {
        self.tape().record(Activation { function: &LEAKY_RELU, slope }, &[self])
    }

    /// y = tanh x. ∂L/∂x = ∂L/∂y·(1 − y²)
    #[track_caller]
    pub fn tanh(self) -> Self {
        self.tape().record(Activation { function: &TANH, slope: 0.0 }, &[self])
    }

    /// y = 1/(1 + e⁻ˣ). ∂L/∂x = ∂L/∂y·y·(1 − y)
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.tape().record(Activation { function: &SIGMOID, slope: 0.0 }, &[self])
    }

    /// y = eˣ. ∂L/∂x = ∂L/∂y·y
    #[track_caller]
    pub fn exp(self) -> Self {
        self.tape().record(Activation { function: &EXP, slope: 0.0 }, &[self])
    }

    /// y = √x, which is NaN for x < 0. ∂L/∂x = ∂L/∂y/(2y), which is infinite at 0.
    #[track_caller]
    pub fn sqrt(self) -> Self {
        self.tape().record(Activation { function: &SQRT, slope: 0.0 }, &[self])
    }
}

/// The definition of an activation. Only the leaky ReLU uses the argument `slope`.
struct Function {
    /// The names of the operation and of its gradient.
    names: [&'static str; 2],
    /// The formulas of y(x) and of the gradient.
    shader: Wgsl,
    value: fn(x: f64, slope: f64) -> f64,
    /// dy/dx as a function of y.
    derivative: fn(y: f64, slope: f64) -> f64,
    /// The derivative of `derivative` with respect to y, for second derivatives. `None` if it is zero.
    second: for<'t> fn(y: Var<'t>) -> Option<Var<'t>>,
}

/// The name alone, without the text of the shader.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.names[0])
    }
}

static RELU: Function = Function { names: ["relu", "relu_gradient"], ..LEAKY_RELU };

static LEAKY_RELU: Function = Function {
    names: ["leaky_relu", "leaky_relu_gradient"],
    shader: shader!("leaky_relu.wgsl"),
    value: |x, slope| if x < 0.0 { sloped(slope, x) } else { x },
    derivative: |y, slope| if y > 0.0 { 1.0 } else { slope },
    second: |_| None,
};

static TANH: Function = Function {
    names: ["tanh", "tanh_gradient"],
    shader: shader!("tanh.wgsl"),
    value: |x, _| x.tanh(),
    derivative: |y, _| 1.0 - y * y,
    second: |y| Some(-2.0 * y),
};

static SIGMOID: Function = Function {
    names: ["sigmoid", "sigmoid_gradient"],
    shader: shader!("sigmoid.wgsl"),
    value: |x, _| 1.0 / (1.0 + (-x).exp()),
    derivative: |y, _| y * (1.0 - y),
    second: |y| Some(1.0 - 2.0 * y),
};

static EXP: Function = Function {
    names: ["exp", "exp_gradient"],
    shader: shader!("exp.wgsl"),
    value: |x, _| x.exp(),
    derivative: |y, _| y,
    second: |y| Some(y.tape().constant(1.0, y.shape())),
};

static SQRT: Function = Function {
    names: ["sqrt", "sqrt_gradient"],
    shader: shader!("sqrt.wgsl"),
    value: |x, _| x.sqrt(),
    derivative: |y, _| 0.5 / y,
    second: |y| Some(-0.5 / (y * y)),
};

/// slope·x, where the slope 0 gives 0 for infinities too.
pub(super) fn sloped(slope: f64, x: f64) -> f64 {
    if slope == 0.0 { 0.0 } else { slope * x }
}

/// y = function(x).
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation {
    function: &'static Function,
    slope: f32,
}

impl Op for Activation {
    fn name(&self) -> &'static str {
        self.function.names[0]
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        // The derivative depends on the sign of the output, which must be the sign of the input.
        match self.slope >= 0.0 {
            true => Ok(inputs[0].clone()),
            false => Err(format!("the slope is {}, and must not be negative", self.slope)),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![call.when(0, || g.tape().record(ActivationGradient(*self), &[call.output, g]))])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs[0].data.iter().map(|&x| (self.function.value)(x, self.slope.into())).collect()
    }
}

/// ∂L/∂x from the output y and ∂L/∂y.
#[derive(Debug)]
pub(super) struct ActivationGradient(Activation);

impl Op for ActivationGradient {
    fn name(&self) -> &'static str {
        self.0.function.names[1]
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    /// With h = ∂L/∂output: ∂L/∂y = h·g·`second`(y), and ∂L/∂g is the same operation on y and h.
    fn vjp<'t>(&self, call: &Call<'t, '_>, h: Var<'t>) -> Option<Gradients<'t>> {
        let [y, g] = [call.inputs[0], call.inputs[1]];
        let by_y = if call.wants(0) { (self.0.function.second)(y).map(|second| h * g * second) } else { None };
        Some(vec![by_y, call.when(1, || h.tape().record(Self(self.0), &[y, h]))])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let derivative = |y: f64| (self.0.function.derivative)(y, self.0.slope.into());
        inputs[0].data.iter().zip(inputs[1].data).map(|(&y, &g)| sloped(derivative(y), g)).collect()
    }
}

impl Lower for Activation {
    fn lower(&self, at: &mut Lowering<'_>) {
        at.elementwise(self.function.shader, &at.operands::<1>(), &[self.slope]);
    }
}

impl Lower for ActivationGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        at.elementwise(self.0.function.shader, &at.operands::<2>(), &[self.0.slope]);
    }
}

fn of<'t>(tape: &'t Tape, function: fn(Var<'t>) -> Var<'t>) -> Case<'t> {
    let x = tape.input("x", [3, 5]);
    Case { y: function(x), wrt: vec![x] }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("x.relu()", "max(x, 0)", "g where y > 0, else 0", |tape| of(tape, Var::relu)),
    Example::new("x.leaky_relu(slope)", "x where x > 0, else slope·x", "g where y > 0, else slope·g", |tape| {
        of(tape, |x| x.leaky_relu(0.2))
    }),
    Example::new("x.tanh()", "tanh x", "g·(1 − y²)", |tape| of(tape, Var::tanh)),
    Example::new("x.sigmoid()", "1/(1 + e⁻ˣ)", "g·y·(1 − y)", |tape| of(tape, Var::sigmoid)),
    Example::new("x.exp()", "eˣ", "g·y", |tape| of(tape, Var::exp)),
    Example::new("x.sqrt()", "√x", "g/(2y)", |tape| of(tape, Var::sqrt)).on(|_, number| 1.5 + number),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{agrees, agrees_with, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_size(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let x = tape.input("x", [elements]);
            for y in [x.relu(), x.leaky_relu(0.2), x.tanh(), x.sigmoid(), x.exp(), (x * x + 0.1).sqrt()] {
                differentiates(&tape, y, &[x], seed)?;
            }
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn second_derivatives_are_those_of_the_functions() {
        let points = [-1.5, -0.25, 0.5, 2.0];
        let expected: [fn(f64) -> f64; 4] = [
            |x| -2.0 * x.tanh() * (1.0 - x.tanh().powi(2)),
            // y·(1 − y)·(1 − 2y) = −tanh(x/2)/(4·cosh²(x/2))
            |x| -(x / 2.0).tanh() / (4.0 * (x / 2.0).cosh().powi(2)),
            |x| x.exp(),
            // The second derivative of √(x² + 1).
            |x| (x * x + 1.0).powf(-1.5),
        ];
        for (i, expected) in expected.into_iter().enumerate() {
            let tape = Tape::new();
            let x = tape.input("x", [4]);
            let y = [x.tanh(), x.sigmoid(), x.exp(), (x * x + 1.0).sqrt()][i];
            let dy = tape.gradient(y.sum(), &[x]).unwrap()[0];
            let ddy = tape.gradient(dy.sum(), &[x]).unwrap()[0];
            let values = tape.interpret(&[(x, &points)]).unwrap();
            for (found, x) in values.get(ddy).iter().zip(points) {
                assert!((found - expected(x)).abs() < 1e-12, "{y:?}: {found}");
            }
            differentiates(&tape, dy, &[x], 5).unwrap();
            agrees(&tape, 6).unwrap();
        }
        // The gradient of a leaky ReLU is linear in g, and piecewise constant in x.
        let tape = Tape::new();
        let (x, g) = (tape.input("x", [4]), tape.input("g", [4]));
        let dy = tape.vjp(x.leaky_relu(0.2), g, &[x]).unwrap()[0];
        differentiates(&tape, dy, &[g], 5).unwrap();
        assert!(tape.vjp(dy, g, &[x]).unwrap_err().to_string().contains("does not influence"));
    }

    #[test]
    fn extremes_saturate() {
        let tape = Tape::new();
        let x = tape.input("x", [6]);
        x.tanh();
        x.sigmoid();
        let feeds = vec![(x, vec![-1e30, -100.0, -16.0, 16.0, 100.0, 1e30])];
        agrees_with(&tape, &feeds).unwrap();
    }

    #[test]
    fn powers_of_e_vanish_and_grow() {
        let tape = Tape::new();
        let x = tape.input("x", [4]);
        x.exp();
        for powers in [[-1e30, -100.0, -20.0, 0.0], [5.0, 10.0, 20.0, 40.0]] {
            agrees_with(&tape, &[(x, powers.to_vec())]).unwrap();
        }
    }

    #[test]
    fn a_negative_slope_is_refused() {
        let tape = Tape::new();
        tape.input("x", [2]).leaky_relu(-0.1);
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("-0.1"), "{error}");
    }
}
