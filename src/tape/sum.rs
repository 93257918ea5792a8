use super::{Call, Op, Result, Shape, Tensor, Var};

/// y = x₁ + x₂ + …, all of one shape; ∂y/∂xᵢ = 1. The one operation the reverse walk itself needs: a value used in
/// several places gets the sum of its gradients.
#[derive(Debug)]
pub struct Sum;

impl Op for Sum {
    fn name(&self) -> &'static str {
        "add"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match inputs {
            [first, rest @ ..] if rest.iter().all(|s| s == first) => Ok((*first).clone()),
            [] => Err("there is nothing to add".into()),
            _ => Err("terms must have one shape".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        Ok(vec![Some(gradient); call.inputs.len()])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        (0..output.elements()).map(|i| inputs.iter().map(|x| x.data[i]).sum()).collect()
    }
}
