use super::lower::{Lower, Lowering};
use super::product::{Product, Tiles};
use super::{conv2d, reshape};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// C = A·B, with A `[M, K]` and B `[K, N]`.
///
/// ∂L/∂A = ∂L/∂C·Bᵀ and ∂L/∂B = Aᵀ·∂L/∂C
pub fn matmul<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    product(a, false, b, false)
}

/// y = x·wᵀ + bias, with x `[N, in]`, w `[out, in]` and bias `[out]`: the convolution of a 1 × 1 image.
pub fn linear<'t>(x: Var<'t>, w: Var<'t>, bias: Option<Var<'t>>) -> Result<Var<'t>> {
    let pixels = |v: Var<'t>| match v.shape().matrix() {
        Some([rows, columns]) => reshape(v, [rows, columns, 1, 1]),
        None => Err(crate::tape::TapeError::Shape {
            op: "linear",
            shapes: vec![x.shape(), w.shape()],
            message: "input must be [N, in] and weight [out, in]".into(),
        }),
    };
    let y = conv2d(pixels(x)?, pixels(w)?, bias, 1, 0)?;
    let [rows, columns, ..] = y.shape().nchw().unwrap_or_default();
    reshape(y, [rows, columns])
}

fn product<'t>(a: Var<'t>, a_transposed: bool, b: Var<'t>, b_transposed: bool) -> Result<Var<'t>> {
    a.tape().record(Matmul { a_transposed, b_transposed }, &[a, b])
}

/// C = op(A)·op(B), op being the identity or the transpose.
#[derive(Debug)]
pub(super) struct Matmul {
    a_transposed: bool,
    b_transposed: bool,
}

impl Matmul {
    /// `[M, K, N]`
    fn extents(&self, a: &Shape, b: &Shape) -> Option<[usize; 3]> {
        let turn = |[rows, columns]: [usize; 2], turned: bool| if turned { [columns, rows] } else { [rows, columns] };
        let [m, k] = turn(a.matrix()?, self.a_transposed);
        let [inner, n] = turn(b.matrix()?, self.b_transposed);
        (k == inner).then_some([m, k, n])
    }
}

impl Op for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let extents = self.extents(inputs[0], inputs[1]);
        extents.map(|[m, _, n]| [m, n].into()).ok_or_else(|| "inner extents of the two matrices must be equal".into())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let &[a, b] = call.inputs else { return Ok(vec![]) };
        let (ta, tb) = (self.a_transposed, self.b_transposed);
        let da = || if ta { product(b, tb, g, true) } else { product(g, false, b, !tb) };
        let db = || if tb { product(g, true, a, ta) } else { product(a, !ta, g, false) };
        Ok(vec![call.when(0, da)?, call.when(1, db)?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let Some([m, k, n]) = self.extents(inputs[0].shape, inputs[1].shape) else { return vec![] };
        let a = |i: usize, l: usize| inputs[0].data[if self.a_transposed { l * m + i } else { i * k + l }];
        let b = |l: usize, j: usize| inputs[1].data[if self.b_transposed { j * k + l } else { l * n + j }];
        (0..m * n).map(|at| (0..k).map(|l| a(at / n, l) * b(l, at % n)).sum()).collect()
    }
}

params! {
    struct Params {
        rows: i32, columns: i32, inner: i32,
        a_row: i32, a_inner: i32, b_inner: i32, b_column: i32,
        tile_rows: u32, tile_columns: u32, problems: u32, steps: u32, biased: u32,
    }
}

impl Lower for Matmul {
    fn lower(&self, at: &mut Lowering<'_>) {
        let Some([m, k, n]) = self.extents(&at.shapes[0], &at.shapes[1]) else { return };
        let [a_row, a_inner] = if self.a_transposed { [1, m] } else { [k, 1] };
        let [b_inner, b_column] = if self.b_transposed { [1, k] } else { [n, 1] };
        let product = Product {
            index: &[shader!("matmul.wgsl")],
            rows: m,
            columns: n,
            steps: k,
            problems: 1,
            macs: m * n * k,
            a: at.inputs[0],
            b: at.inputs[1],
            c: at.output,
            bias: None,
        };
        product.run(at, |Tiles { tile_rows, tile_columns, problems, steps, biased }| Params {
            rows: m as i32,
            columns: n as i32,
            inner: k as i32,
            a_row: a_row as i32,
            a_inner: a_inner as i32,
            b_inner: b_inner as i32,
            b_column: b_column as i32,
            tile_rows,
            tile_columns,
            problems,
            steps,
            biased,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_product((m, k, n) in (1usize..50, 1usize..50, 1usize..50), ta: bool, tb: bool, seed: u64) {
            let tape = Tape::new();
            let a = tape.input("a", if ta { [k, m] } else { [m, k] });
            let b = tape.input("b", if tb { [n, k] } else { [k, n] });
            let y = product(a, ta, b, tb)?;
            differentiates(&tape, y, &[a, b], seed)?;
            agrees(&tape, seed)?;
        }

        #[test]
        fn any_layer((n, inputs, outputs) in (1usize..20, 1usize..40, 1usize..40), seed: u64) {
            let tape = Tape::new();
            let (x, w) = (tape.input("x", [n, inputs]), tape.input("w", [outputs, inputs]));
            let b = tape.input("b", [outputs]);
            let y = linear(x, w, Some(b))?;
            differentiates(&tape, y, &[x, w, b], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn inner_extents_must_be_equal() {
        let tape = Tape::new();
        let error = matmul(tape.input("a", [2, 3]), tape.input("b", [4, 5])).unwrap_err().to_string();
        assert!(error.contains("[2, 3] and [4, 5]") && error.contains("inner"), "{error}");
    }
}
