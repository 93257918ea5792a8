use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::shader;
use crate::tape::{Op, Shape, Tensor, Var};

impl<'t> Var<'t> {
    /// y = min(1, limit/√x), for x ≥ 0 and limit > 0: the factor that reduces a norm √x to `limit` at the most, as for
    /// [clipped gradients](crate::nn::clip). A square x beyond f32 gives ∞, and is thus noticed. Without a gradient.
    #[track_caller]
    pub fn clip_factor(self, limit: f32) -> Self {
        self.tape().record(ClipFactor { limit }, &[self])
    }
}

#[derive(Debug)]
pub(super) struct ClipFactor {
    limit: f32,
}

impl Op for ClipFactor {
    fn name(&self) -> &'static str {
        "clip_factor"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match self.limit > 0.0 && self.limit.is_finite() {
            true => Ok(inputs[0].clone()),
            false => Err(format!("the limit is {}, and must be positive and finite", self.limit)),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let limit = f64::from(self.limit);
        let factor = |x: f64| if x > f64::from(f32::MAX) { f64::INFINITY } else { limit / x.sqrt() };
        inputs[0].data.iter().map(|&x| if x <= limit * limit { 1.0 } else { factor(x) }).collect()
    }
}

impl Lower for ClipFactor {
    fn lower(&self, at: &mut Lowering<'_>) {
        at.elementwise(shader!("clip_factor.wgsl"), &at.operands::<1>(), &[self.limit]);
    }
}

pub(super) const EXAMPLES: &[Example] = &[Example::new("x.clip_factor(limit)", "min(1, limit/√x)", "none", |tape| {
    let x = tape.input("x", [3, 5]);
    Case { y: x.clip_factor(0.5), wrt: vec![] }
})
.on(|_, number| number.abs())];
