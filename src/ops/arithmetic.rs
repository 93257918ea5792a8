use super::lower::{Lower, Lowering};
use super::scale;
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// y = a·b, element by element. ∂L/∂a = ∂L/∂y·b and ∂L/∂b = ∂L/∂y·a
pub fn mul<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Arithmetic::Multiply, &[a, b])
}

/// y = a/b, element by element. ∂L/∂a = ∂L/∂y/b and ∂L/∂b = −∂L/∂y·y/b
pub fn div<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Arithmetic::Divide, &[a, b])
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

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match inputs[0] == inputs[1] {
            true => Ok(inputs[0].clone()),
            false => Err("both operands must have one shape; broadcast the smaller one".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let (a, b, y) = (call.inputs[0], call.inputs[1], call.output);
        Ok(match self {
            Self::Multiply => vec![call.when(0, || mul(g, b))?, call.when(1, || mul(g, a))?],
            Self::Divide => vec![call.when(0, || div(g, b))?, call.when(1, || scale(-1.0, div(mul(g, y)?, b)?))?],
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

params! {
    struct Params { quads: u32 }
}

impl Lower for Arithmetic {
    fn lower(&self, at: &mut Lowering<'_>) {
        let entry = match self {
            Self::Multiply => "product",
            Self::Divide => "quotient",
        };
        let bindings = [("a", at.inputs[0]), ("b", at.inputs[1]), ("y", at.output)];
        at.by_quads(shader!("arithmetic.wgsl"), entry, &bindings, Params { quads: at.quads() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{add, sigmoid};
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_size(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let (a, b) = (tape.input("a", [elements]), tape.input("b", [elements]));
            // A divisor between 1.27 and 1.73.
            let y = div(mul(a, b)?, add(sigmoid(b)?, tape.constant(1.0, [elements]))?)?;
            differentiates(&tape, y, &[a, b], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn shapes_must_be_equal() {
        let tape = Tape::new();
        let error = mul(tape.input("a", [2, 3]), tape.input("b", [3])).unwrap_err().to_string();
        assert!(error.starts_with("multiply of [2, 3] and [3]"), "{error}");
    }
}
