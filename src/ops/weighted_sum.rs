use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};
use crate::{params, shader};

/// y = w₀·x₀ + w₁·x₁ + w₂·x₂, with weights w `[3]` on the tape and terms of one shape.
///
/// ∂L/∂xᵢ = wᵢ·∂L/∂y and ∂L/∂wᵢ = Σ ∂L/∂y·xᵢ
#[track_caller]
pub fn weighted_sum<'t>(weights: Var<'t>, x: [Var<'t>; 3]) -> Var<'t> {
    weights.tape().record(WeightedSum, &[weights, x[0], x[1], x[2]])
}

#[derive(Debug)]
pub(super) struct WeightedSum;

impl Op for WeightedSum {
    fn name(&self) -> &'static str {
        "weighted_sum"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0].dims() == [3] && inputs[1..].iter().all(|s| *s == inputs[1]) {
            true => Ok(inputs[1].clone()),
            false => Err("the weights must have shape [3], and the terms one shape".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let (weights, terms) = (call.inputs[0], &call.inputs[1..]);
        let weight = |i: usize| weights.slice(i, 1).broadcast(g.shape());
        let products = || g.tape().concat(&terms.iter().map(|&x| (g * x).sum()).collect::<Vec<_>>());
        Some(vec![
            call.when(0, products),
            call.when(1, || g * weight(0)),
            call.when(2, || g * weight(1)),
            call.when(3, || g * weight(2)),
        ])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let w = inputs[0].data;
        (0..output.elements()).map(|i| (0..3).map(|k| w[k] * inputs[k + 1].data[i]).sum()).collect()
    }
}

params! {
    struct Params { quads: u32 }
}

impl Lower for WeightedSum {
    fn lower(&self, at: &mut Lowering<'_>) {
        let [weights, x0, x1, x2] = at.operands();
        let bindings = [("weights", weights), ("x0", x0), ("x1", x1), ("x2", x2), ("y", at.output)];
        let params = Params { quads: at.quads() };
        at.by_quads(shader!("weighted_sum.wgsl"), "weighted_sum", &bindings, params);
    }
}

pub(super) const EXAMPLES: &[Example] = &[Example::new(
    "weighted_sum(w, [a, b, c])",
    "w₀·a + w₁·b + w₂·c",
    "a: w₀·g, …, w: [Σ g·a, …]",
    |tape| {
        let weights = tape.input("weights", [3]);
        let [a, b, c] = ["a", "b", "c"].map(|name| tape.input(name, [7]));
        Case { y: weighted_sum(weights, [a, b, c]), wrt: vec![weights, a, b, c] }
    },
)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn any_size(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let weights = tape.input("weights", [3]);
            let x = ["a", "b", "c"].map(|name| tape.input(name, [elements]));
            let y = weighted_sum(weights, x);
            differentiates(&tape, y, &[weights, x[0], x[1], x[2]], seed)?;
            agrees(&tape, seed)?;
        }
    }
}
