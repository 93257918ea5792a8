//! The transposed matrix, an operation that the engine does not need: its products read their operands either way.

use ign::tape::{Call, Gradients, Op, Shape, Tensor, Var};

/// yᵀ = x, for x `[M, N]`. ∂L/∂x = (∂L/∂y)ᵀ
#[track_caller]
pub fn transpose(x: Var<'_>) -> Var<'_> {
    x.tape().record(Transpose, &[x])
}

#[derive(Debug)]
struct Transpose;

impl Op for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0].dims() {
            [rows, columns] => Ok([*columns, *rows].into()),
            _ => Err("only a matrix has a transpose".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![call.when(0, || transpose(g))])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let [columns, rows] = [output.dims()[0], output.dims()[1]];
        (0..rows * columns).map(|i| inputs[0].data[i % rows * columns + i / rows]).collect()
    }
}
