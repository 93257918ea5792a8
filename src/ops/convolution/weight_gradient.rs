use super::{Convolution, Geometry, Operands, Sizes, TransposedConvolution};
use crate::gpu::Caps;
use crate::ops::lower::{Lower, Lowering};
use crate::ops::product::Tiling;
use crate::shader;
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};

/// weight\[o, c, i, j\] = Σ big\[n, c, y·stride − padding + i, x·stride − padding + j\]·small\[n, o, y, x\], the
/// adjoint of the convolution in its weights. Inputs: big, small.
///
/// ∂L/∂big is the transposed convolution of small with ∂L/∂weight as weights. ∂L/∂small is the convolution of big with
/// ∂L/∂weight as weights.
#[derive(Debug)]
pub(in crate::ops) struct WeightGradient {
    stride: usize,
    padding: usize,
    kernel: [usize; 2],
}

impl WeightGradient {
    /// The weight gradient for weights of shape `weight`.
    pub fn of(stride: usize, padding: usize, weight: &Shape) -> Self {
        let [.., kh, kw] = weight.nchw().expect("the weights of a convolution have four extents");
        Self { stride, padding, kernel: [kh, kw] }
    }
}

impl Op for WeightGradient {
    fn name(&self) -> &'static str {
        "convolution_weight_gradient"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match (inputs[0].nchw(), inputs[1].nchw()) {
            (Some([n, c, ..]), Some([m, o, ..])) if n == m => Ok([o, c, self.kernel[0], self.kernel[1]].into()),
            _ => Err("both images must be [N, C, H, W] with one batch size".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let (big, small, tape) = (call.inputs[0], call.inputs[1], g.tape());
        let onto_big = TransposedConvolution::onto(self.stride, self.padding, &big.shape());
        let onto_small = Convolution { stride: self.stride, padding: self.padding };
        Some(vec![
            call.when(0, || tape.record(onto_big, &[small, g])),
            call.when(1, || tape.record(onto_small, &[big, g])),
        ])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let geometry = Geometry::new(inputs[0].shape, inputs[1].shape, output, self.stride, self.padding);
        let mut weight = vec![0.0; output.elements()];
        geometry.visit(|b, s, w| weight[w] += inputs[0].data[b] * inputs[1].data[s]);
        weight
    }
}

impl Lower for WeightGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        let geometry = Geometry::new(&at.shapes[0], &at.shapes[1], &at.shape, self.stride, self.padding);
        let (rows, columns) = (geometry.small[0], at.shape.elements() / geometry.small[0].max(1));
        let steps = geometry.batch * geometry.small[1] * geometry.small[2];
        let sizes = Sizes { rows, columns, steps, problems: 1, parts: parts(at.caps, rows, columns, steps) };
        let operands = Operands { a: at.inputs[1], b: at.inputs[0], c: at.output, bias: None };
        geometry.run(at, shader!("convolution_weight_gradient.wgsl"), sizes, operands);
    }
}

/// Number of parts of the inner axis of `pixels` steps. Too few tiles leave the adapter idle, and every part costs a
/// pass over the weights.
fn parts(caps: &Caps, rows: usize, columns: usize, pixels: usize) -> usize {
    let [tile_rows, tile_columns] = Tiling::choose(caps, rows, columns, 1).tile();
    let tiles = rows.div_ceil(tile_rows) * columns.div_ceil(tile_columns);
    let (busy, shortest): (usize, usize) = if caps.software { (8, 256) } else { (256, 128) };
    busy.div_ceil(tiles.max(1)).min(pixels / shortest).max(1)
}
