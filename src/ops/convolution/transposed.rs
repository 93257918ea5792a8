use super::{Convolution, Geometry, Operands, Parts, WeightGradient, check};
use crate::ops::lower::{Lower, Lowering};
use crate::ops::sum_channels;
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// big = weightᵀ ∗ small + bias, the adjoint of the convolution in its image. Inputs: small, weight `[O, C, kh, kw]`,
/// and bias `[C]` if there is one.
///
/// ∂L/∂small is the convolution of ∂L/∂big with the same weights, ∂L/∂weight the weight gradient of ∂L/∂big and small,
/// and ∂L/∂bias the sum of ∂L/∂big over batch and pixels.
#[derive(Debug)]
pub(in crate::ops) struct TransposedConvolution {
    stride: usize,
    padding: usize,
    extent: Extent,
}

/// A convolution forgets up to stride − 1 rows and columns of the big image; its adjoint has to be told.
#[derive(Debug)]
enum Extent {
    OutputPadding(usize),
    Is([usize; 2]),
}

impl TransposedConvolution {
    /// As a layer: so many more rows and columns than the smallest big image.
    pub fn with_output_padding(stride: usize, padding: usize, output_padding: usize) -> Self {
        Self { stride, padding, extent: Extent::OutputPadding(output_padding) }
    }

    /// As the gradient of a convolution of an image of shape `big`.
    pub fn onto(stride: usize, padding: usize, big: &Shape) -> Self {
        let [_, _, h, w] = big.nchw().unwrap_or_default();
        Self { stride, padding, extent: Extent::Is([h, w]) }
    }
}

impl Op for TransposedConvolution {
    fn name(&self) -> &'static str {
        "transposed_convolution"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let ([n, _, h, w], [_, c, kh, kw]) = check(inputs[0], inputs[1], inputs.get(2).copied(), self.stride, [0, 1])?;
        let output_padding = match self.extent {
            Extent::Is([height, width]) => return Ok([n, c, height, width].into()),
            Extent::OutputPadding(more) => more,
        };
        if output_padding >= self.stride {
            return Err(format!("output padding {output_padding} must be smaller than the stride {}", self.stride));
        }
        let big = |size: usize, kernel: usize| {
            let whole = size.checked_sub(1).map(|s| s * self.stride + kernel + output_padding);
            let big = whole.and_then(|s| s.checked_sub(2 * self.padding)).filter(|&b| b > 0 && kernel > 0);
            big.ok_or_else(|| format!("nothing is left of {size} pixels, kernel {kernel}, padding {}", self.padding))
        };
        Ok([n, c, big(h, kh)?, big(w, kw)?].into())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let (small, weight, tape) = (call.inputs[0], call.inputs[1], g.tape());
        let adjoint = Convolution { stride: self.stride, padding: self.padding };
        let weights = WeightGradient::of(self.stride, self.padding, &weight.shape());
        let mut gradients = vec![
            call.when(0, || tape.record(adjoint, &[g, weight]))?,
            call.when(1, || tape.record(weights, &[g, small]))?,
        ];
        if call.inputs.len() == 3 {
            gradients.push(call.when(2, || sum_channels(g))?);
        }
        Ok(gradients)
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
        match geometry.big[0] {
            0..=FEW => by_taps(geometry, at),
            _ => by_remainders(geometry, at),
        }
    }
}

/// Channels that are too few to fill the rows of a tile.
const FEW: usize = 8;

/// Rows are channels, columns those pixels of the big image that meet the same taps: a problem for each remainder of
/// row and column modulo the stride.
fn by_remainders(geometry: Geometry, at: &mut Lowering<'_>) {
    let ([rows, h, w], stride) = (geometry.big, geometry.stride);
    let pixels = h.div_ceil(stride) * w.div_ceil(stride);
    let [down, across] = geometry.kernel.map(|k| k.div_ceil(stride));
    let steps = geometry.small[0] * down * across;
    let parts = Parts { rows, columns: geometry.batch * pixels, steps, problems: stride * stride };
    let operands = Operands { a: at.inputs[1], b: at.inputs[0], c: at.output, bias: at.inputs.get(2).copied() };
    geometry.run(at, shader!("convolution_input_gradient.wgsl"), parts, operands);
}

params! {
    struct FoldParams {
        elements: u32, channels: i32, height: i32, width: i32, small_height: i32, small_width: i32,
        kernel_height: i32, kernel_width: i32, stride: i32, padding: i32, columns: i32, biased: u32,
    }
}

/// Rows are channels and taps, columns the pixels of the small image; each pixel of the big one then adds up what its
/// taps hold.
fn by_taps(geometry: Geometry, at: &mut Lowering<'_>) {
    let ([channels, height, width], [steps, h, w], [kh, kw]) = (geometry.big, geometry.small, geometry.kernel);
    let (rows, columns) = (channels * kh * kw, geometry.batch * h * w);
    let taps = at.scratch(rows * columns);
    let operands = Operands { a: at.inputs[1], b: at.inputs[0], c: taps, bias: None };
    geometry.run(at, shader!("convolution_taps.wgsl"), Parts { rows, columns, steps, problems: 1 }, operands);

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
    // Without a bias its binding is never read, but has to be there.
    let bindings = [("taps", taps), ("bias", bias.unwrap_or(taps)), ("big", at.output)];
    at.elementwise(shader!("convolution_fold.wgsl"), "fold", &bindings, params);
}
