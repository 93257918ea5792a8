use super::lower::{Lower, Lowering};
use super::product::{Product, Tiles};
use super::{Case, Example};
use crate::gpu::ValueId;
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var, operands};
use crate::{params, shader};

impl<'t> Var<'t> {
    /// C = A·B `[M, N]`, with A `[M, K]` and B `[K, N]`.
    ///
    /// ∂L/∂A = ∂L/∂C·Bᵀ and ∂L/∂B = Aᵀ·∂L/∂C
    #[track_caller]
    pub fn matmul(self, b: Self) -> Self {
        product(self, false, b, false)
    }

    /// y = x·wᵀ + bias `[N, out]`, with x `[N, in]`, w `[out, in]` and bias `[out]`, as a 1 × 1 convolution.
    ///
    /// ∂L/∂x = ∂L/∂y·w, ∂L/∂w = ∂L/∂yᵀ·x, and ∂L/∂bias is the sum of ∂L/∂y over the batch.
    #[track_caller]
    pub fn linear(self, w: Self, bias: Option<Self>) -> Self {
        let y = self.as_pixels().conv2d(w.as_pixels(), bias, 1, 0);
        y.reshape([y.shape().batch(), y.shape().per_sample()])
    }

    /// The rows of a matrix as one-pixel images `[rows, columns, 1, 1]`. Other shapes are unchanged, so that the shape
    /// rule of the convolution refuses them.
    #[track_caller]
    fn as_pixels(self) -> Self {
        match self.shape().matrix() {
            Some([rows, columns]) => self.reshape([rows, columns, 1, 1]),
            None => self,
        }
    }
}

#[track_caller]
fn product<'t>(a: Var<'t>, a_transposed: bool, b: Var<'t>, b_transposed: bool) -> Var<'t> {
    a.tape().record(Matmul { a_transposed, b_transposed }, &[a, b])
}

/// C = op(A)·op(B), where each op is the identity or the transpose.
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

/// The reason that operands on a tape always fit.
const FITS: &str = "the shape rule refuses matrices that do not fit";

impl Op for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let extents = self.extents(inputs[0], inputs[1]);
        extents.map(|[m, _, n]| [m, n].into()).ok_or_else(|| "inner extents of the two matrices must be equal".into())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let [a, b] = operands(call.inputs);
        let (ta, tb) = (self.a_transposed, self.b_transposed);
        let da = || if ta { product(b, tb, g, true) } else { product(g, false, b, !tb) };
        let db = || if tb { product(g, true, a, ta) } else { product(a, !ta, g, false) };
        Some(vec![call.when(0, da), call.when(1, db)])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let [m, k, n] = self.extents(inputs[0].shape, inputs[1].shape).expect(FITS);
        let a = |i: usize, l: usize| inputs[0].data[if self.a_transposed { l * m + i } else { i * k + l }];
        let b = |l: usize, j: usize| inputs[1].data[if self.b_transposed { j * k + l } else { l * n + j }];
        (0..m * n).map(|at| (0..k).map(|l| a(at / n, l) * b(l, at % n)).sum()).collect()
    }
}

params! {
    struct Params {
        rows: i32, columns: i32, inner: i32,
        a_row: i32, a_inner: i32, b_inner: i32, b_column: i32,
        tile_rows: u32, tile_columns: u32, problems: u32, parts: u32, steps: u32, elements: u32, biased: u32,
    }
}

impl Lower for Matmul {
    fn lower(&self, at: &mut Lowering<'_>) {
        let [m, k, n] = self.extents(&at.shapes[0], &at.shapes[1]).expect(FITS);
        let a_strides = if self.a_transposed { [1, m] } else { [k, 1] };
        let b_strides = if self.b_transposed { [1, k] } else { [n, 1] };
        lower_product(at, [m, k, n], (at.inputs[0], a_strides), (at.inputs[1], b_strides));
    }
}

/// Adds the product of a matrix `[m, k]` and a matrix `[k, n]`, each with the strides of its two axes, as the output.
pub(super) fn lower_product(
    at: &mut Lowering<'_>,
    [m, k, n]: [usize; 3],
    (a, [a_row, a_inner]): (ValueId, [usize; 2]),
    (b, [b_inner, b_column]): (ValueId, [usize; 2]),
) {
    let product = Product {
        index: &[shader!("matmul.wgsl")],
        rows: m,
        columns: n,
        steps: k,
        problems: 1,
        parts: 1,
        macs: m * n * k,
        a,
        b,
        c: at.output,
        bias: None,
    };
    product.run(at, |Tiles { tile_rows, tile_columns, problems, parts, steps, elements, biased }| Params {
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
        parts,
        steps,
        elements,
        biased,
    });
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("a.matmul(b)", "A·B", "A: g·Bᵀ, B: Aᵀ·g", |tape| {
        let (a, b) = (tape.input("a", [3, 4]), tape.input("b", [4, 5]));
        Case { y: a.matmul(b), wrt: vec![a, b] }
    }),
    Example::new("x.linear(w, bias)", "x·wᵀ + bias", "x: g·w, w: gᵀ·x, bias: Σ g", |tape| {
        let (x, w, bias) = (tape.input("x", [3, 4]), tape.input("w", [5, 4]), tape.input("bias", [5]));
        Case { y: x.linear(w, Some(bias)), wrt: vec![x, w, bias] }
    }),
];

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
            let y = product(a, ta, b, tb);
            differentiates(&tape, y, &[a, b], seed)?;
            agrees(&tape, seed)?;
        }

        #[test]
        fn any_layer((n, inputs, outputs) in (1usize..20, 1usize..40, 1usize..40), seed: u64) {
            let tape = Tape::new();
            let (x, w) = (tape.input("x", [n, inputs]), tape.input("w", [outputs, inputs]));
            let b = tape.input("b", [outputs]);
            let y = x.linear(w, Some(b));
            differentiates(&tape, y, &[x, w, b], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn inner_extents_must_be_equal() {
        let tape = Tape::new();
        tape.input("a", [2, 3]).matmul(tape.input("b", [4, 5]));
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("[2, 3] and [4, 5]") && error.contains("inner"), "{error}");
    }

    #[test]
    fn a_layer_takes_matrices_only() {
        let tape = Tape::new();
        tape.input("x", [2, 3, 4]).linear(tape.input("w", [5, 12]), None);
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("convolution of [2, 3, 4] and [5, 12, 1, 1]"), "{error}");
    }
}
