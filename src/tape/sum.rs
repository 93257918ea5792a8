use super::{Call, Gradients, Op, Shape, Tensor, Var};

/// y = x₁ + x₂ + … for terms of one shape. ∂L/∂xᵢ = ∂L/∂y.
///
/// The only operation that the reverse walk itself records: the gradient of a value with several uses is the sum of
/// the gradients of its uses.
#[derive(Debug)]
pub struct Sum;

impl Op for Sum {
    fn name(&self) -> &'static str {
        "add"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs {
            [first, rest @ ..] if rest.iter().all(|s| s == first) => Ok((*first).clone()),
            [] => Err("there is nothing to add".into()),
            _ => Err("terms must have one shape".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![Some(gradient); call.inputs.len()])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        (0..output.elements()).map(|i| inputs.iter().map(|x| x.data[i]).sum()).collect()
    }
}
