use super::{Convolution, Geometry, Operands, Sizes, WeightGradient, check};
use crate::gpu::Dispatch;
use crate::ops::lower::{Lower, Lowering};
use crate::ops::matmul::lower_product;
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};
use crate::{params, shader};

/// big = weightᵀ ∗ small + bias, the adjoint of the convolution in its image. Inputs: small, weight `[O, C, kh, kw]`,
/// and optionally bias `[C]`.
///
/// ∂L/∂small is the convolution of ∂L/∂big with the same weights. ∂L/∂weight is the weight gradient of ∂L/∂big and
/// small. ∂L/∂bias is the sum of ∂L/∂big over batch and pixels.
#[derive(Debug)]
pub(in crate::ops) struct TransposedConvolution {
    stride: usize,
    padding: usize,
    size: OutputSize,
}

/// Size of the big image. Up to `stride` sizes of the big image give the same small image, so the size of the small
/// image does not determine it.
#[derive(Debug)]
enum OutputSize {
    Padding(usize),
    Is([usize; 2]),
}

impl TransposedConvolution {
    /// The layer: a big image with `output_padding` more rows and columns than the smallest possible one.
    pub fn with_output_padding(stride: usize, padding: usize, output_padding: usize) -> Self {
        Self { stride, padding, size: OutputSize::Padding(output_padding) }
    }

    /// The input gradient of a convolution of an image of shape `big`.
    pub fn onto(stride: usize, padding: usize, big: &Shape) -> Self {
        let [_, _, h, w] = big.nchw().expect("the image of a convolution has four extents");
        Self { stride, padding, size: OutputSize::Is([h, w]) }
    }
}

impl Op for TransposedConvolution {
    fn name(&self) -> &'static str {
        "transposed_convolution"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let ([n, _, h, w], [_, c, kh, kw]) = check(inputs[0], inputs[1], inputs.get(2).copied(), self.stride, [0, 1])?;
        let output_padding = match self.size {
            OutputSize::Is([height, width]) => return Ok([n, c, height, width].into()),
            OutputSize::Padding(more) => more,
        };
        if output_padding >= self.stride {
            return Err(format!("output padding {output_padding} must be smaller than the stride {}", self.stride));
        }
        let big = |size: usize, kernel: usize| {
            let more = kernel.checked_add(output_padding);
            let whole = size.checked_sub(1).and_then(|s| s.checked_mul(self.stride)?.checked_add(more?));
            let big = whole.and_then(|s| s.checked_sub(self.padding.checked_mul(2)?)).filter(|&b| b > 0 && kernel > 0);
            big.ok_or_else(|| format!("no output for {size} pixels, kernel {kernel}, padding {}", self.padding))
        };
        Ok([n, c, big(h, kh)?, big(w, kw)?].into())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let (small, weight, tape) = (call.inputs[0], call.inputs[1], g.tape());
        let adjoint = Convolution { stride: self.stride, padding: self.padding };
        let weights = WeightGradient::of(self.stride, self.padding, &weight.shape());
        let mut gradients = vec![
            call.when(0, || tape.record(adjoint, &[g, weight])),
            call.when(1, || tape.record(weights, &[g, small])),
        ];
        if call.inputs.len() == 3 {
            gradients.push(call.when(2, || g.sum_channels()));
        }
        Some(gradients)
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let geometry = Geometry::new(output, inputs[0].shape, inputs[1].shape, self.stride, self.padding);
        let [channels, h, w] = geometry.big;
        let bias = |i: usize| inputs.get(2).map_or(0.0, |bias| bias.data[i / (h * w) % channels]);
        let mut big: Vec<f64> = (0..output.elements()).map(bias).collect();
        geometry.visit(|b, s, w| big[b] += inputs[0].data[s] * inputs[1].data[w]);
        big
    }
}

impl Lower for TransposedConvolution {
    fn lower(&self, at: &mut Lowering<'_>) {
        let geometry = Geometry::new(&at.shape, &at.shapes[0], &at.shapes[1], self.stride, self.padding);
        let [_, h, w] = geometry.big;
        if geometry.small[1..] == [1, 1] && geometry.kernel == [h, w] && geometry.padding == 0 {
            by_matmul(geometry, at);
        } else if geometry.big[0] <= FEW && fold_turns(geometry) <= Dispatch::MAX_TURNS as usize {
            by_taps(geometry, at);
        } else {
            by_remainders(geometry, at);
        }
    }
}

params! {
    struct BiasParams { quads: u32, pixels: i32, channels: i32 }
}

/// Lowers a small image of one pixel, of which each tap makes one pixel of the big image: the product of small, `[N, O]`,
/// and weight, `[O, C·H·W]`. Neighbouring lanes then read and write neighbouring elements.
fn by_matmul(geometry: Geometry, at: &mut Lowering<'_>) {
    let ([channels, h, w], outputs) = (geometry.big, geometry.small[0]);
    let columns = channels * h * w;
    let (small, weight, bias) = (at.inputs[0], at.inputs[1], at.inputs.get(2).copied());
    lower_product(at, [geometry.batch, outputs, columns], (small, [outputs, 1]), (weight, [columns, 1]));
    if let Some(bias) = bias {
        let params = BiasParams { quads: at.quads(), pixels: (h * w) as i32, channels: channels as i32 };
        at.by_quads(shader!("add_bias.wgsl"), "add_bias", &[("bias", bias), ("y", at.output)], params);
    }
}

/// Largest number of channels for which [`by_taps`] is used: too few to fill the rows of a tile.
const FEW: usize = 8;

/// Upper bound of the loop turns of an invocation of the fold, which visits the taps of one remainder within the image.
fn fold_turns(geometry: Geometry) -> usize {
    let [_, height, width] = geometry.small;
    let [down, across] = geometry.kernel.map(|k| k.div_ceil(geometry.stride));
    down.min(height) * (across.min(width) + 1)
}

/// Lowers to a product per remainder of padded row and column modulo the stride. The rows are channels. The columns are
/// the pixels of the big image with this remainder, which all use the same taps.
fn by_remainders(geometry: Geometry, at: &mut Lowering<'_>) {
    let ([rows, h, w], stride) = (geometry.big, geometry.stride);
    let pixels = h.div_ceil(stride) * w.div_ceil(stride);
    let [down, across] = geometry.kernel.map(|k| k.div_ceil(stride));
    let steps = geometry.small[0] * down * across;
    let sizes = Sizes { rows, columns: geometry.batch * pixels, steps, problems: stride * stride, parts: 1 };
    let operands = Operands { a: at.inputs[1], b: at.inputs[0], c: at.output, bias: at.inputs.get(2).copied() };
    geometry.run(at, shader!("convolution_input_gradient.wgsl"), sizes, operands);
}

params! {
    struct FoldParams {
        elements: u32, channels: i32, height: i32, width: i32, small_height: i32, small_width: i32,
        kernel_height: i32, kernel_width: i32, stride: i32, padding: i32, columns: i32, biased: u32,
    }
}

/// Lowers to one product and a fold. The rows of the product are channels and taps, the columns the pixels of the small
/// image. The fold sums the taps of each pixel of the big image.
fn by_taps(geometry: Geometry, at: &mut Lowering<'_>) {
    let ([channels, height, width], [steps, h, w], [kh, kw]) = (geometry.big, geometry.small, geometry.kernel);
    let (rows, columns) = (channels * kh * kw, geometry.batch * h * w);
    let taps = at.scratch(rows * columns);
    let operands = Operands { a: at.inputs[1], b: at.inputs[0], c: taps, bias: None };
    let sizes = Sizes { rows, columns, steps, problems: 1, parts: 1 };
    geometry.run(at, shader!("convolution_taps.wgsl"), sizes, operands);

    let bias = at.inputs.get(2).copied();
    let params = FoldParams {
        elements: at.shape.elements() as u32,
        channels: channels as i32,
        height: height as i32,
        width: width as i32,
        small_height: h as i32,
        small_width: w as i32,
        kernel_height: kh as i32,
        kernel_width: kw as i32,
        stride: geometry.stride as i32,
        padding: geometry.padding as i32,
        columns: columns as i32,
        biased: bias.is_some().into(),
    };
    // Without a bias the kernel never reads its binding, but the binding must exist.
    let bindings = [("taps", taps), ("bias", bias.unwrap_or(taps)), ("big", at.output)];
    at.by_elements(shader!("convolution_fold.wgsl"), "fold", &bindings, params).turns = fold_turns(geometry) as u64;
}
