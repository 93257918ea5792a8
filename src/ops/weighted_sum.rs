use super::lower::{Lower, Lowering};
use super::{broadcast, concat, mul, slice, sum};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// y = w₀·x₀ + w₁·x₁ + w₂·x₂ with weights `[3]` that the tape computes or the host writes.
///
/// ∂L/∂xᵢ = wᵢ·∂L/∂y and ∂L/∂wᵢ = Σ ∂L/∂y·xᵢ
pub fn weighted_sum<'t>(weights: Var<'t>, x: [Var<'t>; 3]) -> Result<Var<'t>> {
    weights.tape().record(WeightedSum, &[weights, x[0], x[1], x[2]])
}

#[derive(Debug)]
pub(super) struct WeightedSum;

impl Op for WeightedSum {
    fn name(&self) -> &'static str {
        "weighted_sum"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match inputs[0].dims() == [3] && inputs[1..].iter().all(|s| *s == inputs[1]) {
            true => Ok(inputs[1].clone()),
            false => Err("the weights must be [3], the terms of one shape".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let (weights, terms) = (call.inputs[0], &call.inputs[1..]);
        let weight = |i: usize| broadcast(slice(weights, i, 1)?, g.shape());
        let products = || -> Result<Var<'t>> {
            let each = terms.iter().map(|&x| sum(mul(g, x)?)).collect::<Result<Vec<_>>>()?;
            concat(&each)
        };
        Ok(vec![
            call.when(0, products)?,
            call.when(1, || mul(g, weight(0)?))?,
            call.when(2, || mul(g, weight(1)?))?,
            call.when(3, || mul(g, weight(2)?))?,
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
        let [weights, x0, x1, x2] = [0, 1, 2, 3].map(|i| at.inputs[i]);
        let bindings = [("weights", weights), ("x0", x0), ("x1", x1), ("x2", x2), ("y", at.output)];
        let params = Params { quads: at.quads() };
        at.by_quads(shader!("weighted_sum.wgsl"), "weighted_sum", &bindings, params);
    }
}

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
            let y = weighted_sum(weights, x)?;
            differentiates(&tape, y, &[weights, x[0], x[1], x[2]], seed)?;
            agrees(&tape, seed)?;
        }
    }
}
