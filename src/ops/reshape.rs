use super::lower::{Lower, Lowering};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};

/// The same elements in the same order under another shape. ∂L/∂x is ∂L/∂y under the shape of x.
pub fn reshape(x: Var<'_>, shape: impl Into<Shape>) -> Result<Var<'_>> {
    x.tape().record(Reshape(shape.into()), &[x])
}

#[derive(Debug)]
pub(super) struct Reshape(Shape);

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match inputs[0].elements() == self.0.elements() {
            true => Ok(self.0.clone()),
            false => Err(format!("{} elements do not fit into {}", inputs[0].elements(), self.0)),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        Ok(vec![call.when(0, || reshape(g, call.inputs[0].shape()))?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs[0].data.to_vec()
    }
}

impl Lower for Reshape {
    fn lower(&self, _: &mut Lowering<'_>) {}

    fn alias(&self) -> Option<usize> {
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{mul, sum_per_sample};
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};

    #[test]
    fn elements_keep_their_order() {
        let tape = Tape::new();
        let x = tape.input("x", [2, 6]);
        let y = sum_per_sample(reshape(mul(x, x).unwrap(), [3, 4]).unwrap()).unwrap();
        differentiates(&tape, y, &[x], 1).unwrap();
        agrees(&tape, 1).unwrap();
        let error = reshape(x, [5]).unwrap_err().to_string();
        assert!(error.contains("12 elements") && error.contains("[5]"), "{error}");
    }
}
