use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::shader;
use crate::tape::{Call, Gradients, Op, Shape, Tape, Tensor, Var};
use std::ops::{Div, Mul};

/// y = a·b, element by element. ∂L/∂a = ∂L/∂y·b and ∂L/∂b = ∂L/∂y·a
impl<'t> Mul for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn mul(self, b: Self) -> Self {
        self.tape().record(Arithmetic::Multiply, &[self, b])
    }
}

/// y = a/b, element by element. ∂L/∂a = ∂L/∂y/b and ∂L/∂b = −∂L/∂y·y/b
impl<'t> Div for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn div(self, b: Self) -> Self {
        self.tape().record(Arithmetic::Divide, &[self, b])
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Arithmetic {
    Multiply,
    Divide,
}

impl Op for Arithmetic {
    fn name(&self) -> &'static str {
        match self {
            Self::Multiply => "multiply",
            Self::Divide => "divide",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0] == inputs[1] {
            true => Ok(inputs[0].clone()),
            false => Err("both operands must have one shape; broadcast the smaller one".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let (a, b, y) = (call.inputs[0], call.inputs[1], call.output);
        Some(match self {
            Self::Multiply => vec![call.when(0, || g * b), call.when(1, || g * a)],
            Self::Divide => vec![call.when(0, || g / b), call.when(1, || -(g * y / b))],
        })
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let pairs = inputs[0].data.iter().zip(inputs[1].data);
        match self {
            Self::Multiply => pairs.map(|(a, b)| a * b).collect(),
            Self::Divide => pairs.map(|(a, b)| a / b).collect(),
        }
    }
}

impl Lower for Arithmetic {
    fn lower(&self, at: &mut Lowering<'_>) {
        let source = match self {
            Self::Multiply => shader!("multiplication.wgsl"),
            Self::Divide => shader!("division.wgsl"),
        };
        at.elementwise(source, &at.operands::<2>(), &[]);
    }
}

fn of<'t>(tape: &'t Tape, operator: fn(Var<'t>, Var<'t>) -> Var<'t>) -> Case<'t> {
    let (a, b) = (tape.input("a", [3, 5]), tape.input("b", [3, 5]));
    Case { y: operator(a, b), wrt: vec![a, b] }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("a * b", "a·b", "a: g·b, b: g·a", |tape| of(tape, |a, b| a * b)),
    Example::new("a / b", "a/b", "a: g/b, b: −g·y/b", |tape| of(tape, |a, b| a / b))
        .on(|name, number| if name == "b" { 1.5 + number } else { number }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_size(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let (a, b) = (tape.input("a", [elements]), tape.input("b", [elements]));
            // A divisor between 1.27 and 1.73.
            let y = a * b / (b.sigmoid() + 1.0);
            differentiates(&tape, y, &[a, b], seed)?;
            let gradients = tape.gradient(y.sum(), &[a, b])?;
            differentiates(&tape, gradients[0] + gradients[1], &[a, b], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn shapes_must_be_equal() {
        let tape = Tape::new();
        let _ = tape.input("a", [2, 3]) * tape.input("b", [3]);
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains(": multiply of [2, 3] and [3]"), "{error}");
    }
}
