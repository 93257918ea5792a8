use super::{Geometry, Operands, Sizes, TransposedConvolution, WeightGradient, check};
use crate::ops::lower::{Lower, Lowering};
use crate::shader;
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};

/// small = weight ∗ big + bias. Inputs: big, weight, and optionally bias.
///
/// ∂L/∂big is the transposed convolution of ∂L/∂small with the same weights. ∂L/∂weight is the weight gradient of big
/// and ∂L/∂small. ∂L/∂bias is the sum of ∂L/∂small over batch and pixels.
#[derive(Debug)]
pub(in crate::ops) struct Convolution {
    pub stride: usize,
    pub padding: usize,
}

impl Op for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let ([n, _, h, w], [o, _, kh, kw]) = check(inputs[0], inputs[1], inputs.get(2).copied(), self.stride, [1, 0])?;
        let small = |size: usize, kernel: usize| {
            let padded = self.padding.checked_mul(2).and_then(|padding| padding.checked_add(size));
            let room = padded.and_then(|padded| padded.checked_sub(kernel));
            let room = room.filter(|_| kernel > 0).ok_or_else(|| {
                format!("a kernel of {kernel} does not fit into {size} + 2·{} of padding", self.padding)
            })?;
            Ok::<_, String>(room / self.stride + 1)
        };
        Ok([n, o, small(h, kh)?, small(w, kw)?].into())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let (big, weight, tape) = (call.inputs[0], call.inputs[1], g.tape());
        let adjoint = TransposedConvolution::onto(self.stride, self.padding, &big.shape());
        let weights = WeightGradient::of(self.stride, self.padding, &weight.shape());
        let mut gradients =
            vec![call.when(0, || tape.record(adjoint, &[g, weight])), call.when(1, || tape.record(weights, &[big, g]))];
        if call.inputs.len() == 3 {
            gradients.push(call.when(2, || g.sum_channels()));
        }
        Some(gradients)
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let geometry = Geometry::new(inputs[0].shape, output, inputs[1].shape, self.stride, self.padding);
        let [outputs, h, w] = geometry.small;
        let bias = |i: usize| inputs.get(2).map_or(0.0, |bias| bias.data[i / (h * w) % outputs]);
        let mut small: Vec<f64> = (0..output.elements()).map(bias).collect();
        geometry.visit(|b, s, w| small[s] += inputs[0].data[b] * inputs[1].data[w]);
        small
    }
}

impl Lower for Convolution {
    fn lower(&self, at: &mut Lowering<'_>) {
        let geometry = Geometry::new(&at.shapes[0], &at.shape, &at.shapes[1], self.stride, self.padding);
        let [rows, h, w] = geometry.small;
        let steps = geometry.big[0] * geometry.kernel[0] * geometry.kernel[1];
        let sizes = Sizes { rows, columns: geometry.batch * h * w, steps, problems: 1, parts: 1 };
        let operands = Operands { a: at.inputs[1], b: at.inputs[0], c: at.output, bias: at.inputs.get(2).copied() };
        geometry.run(at, shader!("convolution_forward.wgsl"), sizes, operands);
    }
}
