use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};

impl<'t> Var<'t> {
    /// The same elements in the same order, with another shape. ∂L/∂x is ∂L/∂y with the shape of x.
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Shape>) -> Self {
        self.tape().record(Reshape(shape.into()), &[self])
    }
}

#[derive(Debug)]
pub(super) struct Reshape(Shape);

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0].elements() == self.0.elements() {
            true => Ok(self.0.clone()),
            false => Err(format!("{} elements do not fit into {}", inputs[0].elements(), self.0)),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![call.when(0, || g.reshape(call.inputs[0].shape()))])
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

pub(super) const EXAMPLES: &[Example] =
    &[Example::new("x.reshape(shape)", "the same elements under another shape", "g under the shape of x", |tape| {
        let x = tape.input("x", [3, 4]);
        Case { y: x.reshape([2, 6]), wrt: vec![x] }
    })];

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};

    #[test]
    fn elements_keep_their_order() {
        let tape = Tape::new();
        let x = tape.input("x", [2, 6]);
        let y = (x * x).reshape([3, 4]).sum_per_sample();
        differentiates(&tape, y, &[x], 1).unwrap();
        agrees(&tape, 1).unwrap();
        x.reshape([5]);
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("12 elements") && error.contains("[5]"), "{error}");
    }
}
