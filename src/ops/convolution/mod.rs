//! Convolution, transposed convolution, and their weight gradient.
//!
//! A convolution maps a *big* image `[N, C, H, W]` to a *small* one `[N, O, h, w]` with weights `[O, C, kh, kw]`:
//!
//! small\[n, o, y, x\] = bias\[o\] + Σ big\[n, c, y·stride − padding + i, x·stride − padding + j\]·weight\[o, c, i, j\]
//!
//! with h = ⌊(H + 2·padding − kh)/stride⌋ + 1, and with zeros outside the big image. The zeros are multiplied too, so that
//! an infinite weight gives NaN at the border. The convolution is linear in each
//! of big image and weights. Three operations are therefore closed under differentiation: the convolution, its adjoint
//! in the big image (the transposed convolution), and its adjoint in the weights (the weight gradient). For
//! illustrations see Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016).

mod forward;
mod transposed;
mod weight_gradient;

use super::lower::Lowering;
use super::product::{Product, Tiles};
use super::{Case, Example};
use crate::gpu::{ValueId, Wgsl};
use crate::tape::{Shape, Var};
use crate::{params, shader};
pub(super) use forward::Convolution;
pub(super) use transposed::TransposedConvolution;
pub(super) use weight_gradient::WeightGradient;

impl<'t> Var<'t> {
    /// The convolution of x `[N, C, H, W]` with `weight` `[O, C, kh, kw]` and `bias` `[O]`: `[N, O, h, w]` with
    /// h = ⌊(H + 2·padding − kh)/stride⌋ + 1, and w likewise.
    ///
    /// ∂L/∂x is the transposed convolution of ∂L/∂y by the same weights, ∂L/∂bias the sum of ∂L/∂y per channel.
    #[track_caller]
    pub fn conv2d(self, weight: Self, bias: Option<Self>, stride: usize, padding: usize) -> Self {
        let inputs: Vec<_> = [self, weight].into_iter().chain(bias).collect();
        self.tape().record(Convolution { stride, padding }, &inputs)
    }

    /// The transposed convolution of x `[N, in, h, w]` with `weight` `[in, out, kh, kw]` and `bias` `[out]`:
    /// `[N, out, H, W]` with H = (h − 1)·stride − 2·padding + kh + output_padding, and W likewise. `output_padding`
    /// must be smaller than `stride`.
    ///
    /// ∂L/∂x is the convolution of ∂L/∂y with the same weights, ∂L/∂bias the sum of ∂L/∂y per channel.
    #[track_caller]
    pub fn conv_transpose2d(
        self,
        weight: Self,
        bias: Option<Self>,
        stride: usize,
        padding: usize,
        output_padding: usize,
    ) -> Self {
        let inputs: Vec<_> = [self, weight].into_iter().chain(bias).collect();
        self.tape().record(TransposedConvolution::with_output_padding(stride, padding, output_padding), &inputs)
    }
}

/// The extents of one convolution.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    batch: usize,
    /// `[C, H, W]`
    big: [usize; 3],
    /// `[O, h, w]`
    small: [usize; 3],
    /// `[kh, kw]`
    kernel: [usize; 2],
    stride: usize,
    padding: usize,
}

impl Geometry {
    /// The extents from the shapes of big image, small image and weights. Each must have four extents.
    fn new(big: &Shape, small: &Shape, weight: &Shape, stride: usize, padding: usize) -> Self {
        let nchw = |shape: &Shape| shape.nchw().expect("the shape rules accept four extents only");
        let [batch, c, h, w] = nchw(big);
        let [_, o, sh, sw] = nchw(small);
        let [.., kh, kw] = nchw(weight);
        // With a single small pixel the stride has no effect. With the kernel size as the stride, each problem of the
        // input gradient has a single tap, instead of kh·kw taps of which only one lies inside the image.
        let stride = if sh * sw == 1 { kh.max(kw) } else { stride };
        Self { batch, big: [c, h, w], small: [o, sh, sw], kernel: [kh, kw], stride, padding }
    }

    fn macs(&self) -> usize {
        let product = |extents: &[usize]| extents.iter().product::<usize>();
        self.batch * product(&self.small) * self.big[0] * product(&self.kernel)
    }

    /// Calls `visit` with the flat indices (big, small, weight) of every multiply-add.
    fn visit(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let ([c_, h, w], [o_, sh, sw], [kh, kw]) = (self.big, self.small, self.kernel);
        for n in 0..self.batch {
            for o in 0..o_ {
                for (y, x) in (0..sh).flat_map(|y| (0..sw).map(move |x| (y, x))) {
                    for c in 0..c_ {
                        for (i, j) in (0..kh).flat_map(|i| (0..kw).map(move |j| (i, j))) {
                            let row = (y * self.stride + i).wrapping_sub(self.padding);
                            let column = (x * self.stride + j).wrapping_sub(self.padding);
                            if row < h && column < w {
                                visit(
                                    ((n * c_ + c) * h + row) * w + column,
                                    ((n * o_ + o) * sh + y) * sw + x,
                                    ((o * c_ + c) * kh + i) * kw + j,
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    /// Adds the product of one convolution kernel. `index` is the WGSL that defines its rows, columns and steps.
    fn run(&self, at: &mut Lowering<'_>, index: Wgsl, sizes: Sizes, operands: Operands) {
        let product = Product {
            index: &[shader!("shared/convolution.wgsl"), index],
            rows: sizes.rows,
            columns: sizes.columns,
            steps: sizes.steps,
            problems: sizes.problems,
            parts: sizes.parts,
            macs: self.macs(),
            a: operands.a,
            b: operands.b,
            c: operands.c,
            bias: operands.bias,
        };
        let i = |x: usize| x as i32;
        product.run(at, |Tiles { tile_rows, tile_columns, problems, parts, steps, elements, biased }| Params {
            batch: i(self.batch),
            channels: i(self.big[0]),
            height: i(self.big[1]),
            width: i(self.big[2]),
            outputs: i(self.small[0]),
            small_height: i(self.small[1]),
            small_width: i(self.small[2]),
            kernel_height: i(self.kernel[0]),
            kernel_width: i(self.kernel[1]),
            stride: i(self.stride),
            padding: i(self.padding),
            tile_rows,
            tile_columns,
            problems,
            parts,
            steps,
            elements,
            biased,
        });
    }
}

/// The extents of a convolution kernel's product.
struct Sizes {
    rows: usize,
    columns: usize,
    /// Number of steps along the inner axis in the longest problem.
    steps: usize,
    problems: usize,
    /// Least number of parts that the inner axis is divided into.
    parts: usize,
}

/// The operands of a convolution kernel's product C = A·B + bias.
struct Operands {
    a: ValueId,
    b: ValueId,
    c: ValueId,
    bias: Option<ValueId>,
}

params! {
    struct Params {
        batch: i32,
        channels: i32, height: i32, width: i32,
        outputs: i32, small_height: i32, small_width: i32,
        kernel_height: i32, kernel_width: i32, stride: i32, padding: i32,
        tile_rows: u32, tile_columns: u32, problems: u32, parts: u32, steps: u32, elements: u32, biased: u32,
    }
}

/// Checks the shapes of image, weights and bias, and the stride, for both directions. `ends` are the axes of input and
/// output channels in the weights. Returns the extents of image and weights.
fn check(
    image: &Shape,
    weight: &Shape,
    bias: Option<&Shape>,
    stride: usize,
    ends: [usize; 2],
) -> Result<([usize; 4], [usize; 4]), String> {
    let image = image.nchw().ok_or("the input must be [N, C, H, W]")?;
    let weight = weight.nchw().ok_or("the weight must have four extents")?;
    let [input, output] = ends;
    if stride == 0 {
        return Err("the stride must be at least 1".into());
    }
    if image[1] != weight[input] {
        return Err(format!("the input has {} channels, the weight expects {}", image[1], weight[input]));
    }
    if let Some(bias) = bias.filter(|b| b.dims() != [weight[output]]) {
        return Err(format!("the bias has shape {bias}, the weight has {} output channels", weight[output]));
    }
    Ok((image, weight))
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new(
        "x.conv2d(w, bias, stride, padding)",
        "w ∗ x + bias",
        "x: transposed convolution of g by w, w: weight gradient, bias: Σ g per channel",
        |tape| {
            let (x, w, bias) = (tape.input("x", [2, 3, 6, 5]), tape.input("w", [4, 3, 3, 3]), tape.input("bias", [4]));
            Case { y: x.conv2d(w, Some(bias), 2, 1), wrt: vec![x, w, bias] }
        },
    ),
    Example::new(
        "x.conv_transpose2d(w, bias, stride, padding, output_padding)",
        "wᵀ ∗ x + bias",
        "x: convolution of g by w, w: weight gradient, bias: Σ g per channel",
        |tape| {
            let (x, w, bias) = (tape.input("x", [2, 4, 3, 2]), tape.input("w", [4, 9, 3, 3]), tape.input("bias", [9]));
            Case { y: x.conv_transpose2d(w, Some(bias), 2, 1, 1), wrt: vec![x, w, bias] }
        },
    ),
];

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    #[test]
    fn a_small_image_of_one_pixel() {
        for [kh, kw] in [[4, 4], [3, 5], [2, 1], [1, 1]] {
            let tape = Tape::new();
            let (x, w, b) = (tape.input("x", [3, 5, 1, 1]), tape.input("w", [5, 9, kh, kw]), tape.input("b", [9]));
            let y = x.conv_transpose2d(w, Some(b), 1, 0, 0);
            differentiates(&tape, y, &[x, w, b], 1).unwrap();
            x.conv_transpose2d(w, None, 1, 0, 0);
            agrees(&tape, 2).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_convolution(
            (batch, inputs, outputs) in (1usize..4, 1usize..10, 1usize..10),
            (height, width) in (1usize..10, 1usize..10),
            (kh, kw, stride, padding) in (1usize..6, 1usize..6, 1usize..4, 0usize..3),
            seed: u64,
        ) {
            prop_assume!(height + 2 * padding >= kh && width + 2 * padding >= kw);
            let tape = Tape::new();
            let x = tape.input("x", [batch, inputs, height, width]);
            let w = tape.input("w", [outputs, inputs, kh, kw]);
            let b = tape.input("b", [outputs]);
            let y = x.conv2d(w, Some(b), stride, padding);
            differentiates(&tape, y, &[x, w, b], seed)?;
            agrees(&tape, seed)?;
        }

        #[test]
        fn any_transposed_convolution(
            (batch, inputs, outputs) in (1usize..4, 1usize..10, 1usize..10),
            (height, width) in (1usize..7, 1usize..7),
            (kh, kw, stride, padding) in (1usize..6, 1usize..6, 1usize..4, 0usize..3),
            more in 0usize..3,
            seed: u64,
        ) {
            let big = |size: usize, k: usize| (size - 1) * stride + k + more % stride;
            prop_assume!(big(height, kh) > 2 * padding && big(width, kw) > 2 * padding);
            let tape = Tape::new();
            let x = tape.input("x", [batch, inputs, height, width]);
            let w = tape.input("w", [inputs, outputs, kh, kw]);
            let b = tape.input("b", [outputs]);
            let y = x.conv_transpose2d(w, Some(b), stride, padding, more % stride);
            differentiates(&tape, y, &[x, w, b], seed)?;
            agrees(&tape, seed)?;
        }
    }
}
