use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::shader;
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};

impl<'t> Var<'t> {
    /// y = ln(1 + eˣ). ∂L/∂x = ∂L/∂y·sigmoid(x) (Dugas et al. 2000)
    #[track_caller]
    pub fn softplus(self) -> Self {
        self.tape().record(Softplus, &[self])
    }
}

#[derive(Debug)]
pub(super) struct Softplus;

impl Op for Softplus {
    fn name(&self) -> &'static str {
        "softplus"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![call.when(0, || g * call.inputs[0].sigmoid())])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs[0].data.iter().map(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()).collect()
    }
}

impl Lower for Softplus {
    fn lower(&self, at: &mut Lowering<'_>) {
        at.elementwise(shader!("softplus.wgsl"), &at.operands::<1>(), &[]);
    }
}

pub(super) const EXAMPLES: &[Example] = &[Example::new("x.softplus()", "ln(1 + eˣ)", "g·sigmoid(x)", |tape| {
    let x = tape.input("x", [3, 5]);
    Case { y: x.softplus(), wrt: vec![x] }
})];
