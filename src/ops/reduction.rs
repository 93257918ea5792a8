use super::channel_sums::{ChannelSums, Extents, Operand};
use super::lower::{Lower, Lowering};
use super::{broadcast, broadcast_channels, scale};
use crate::gpu::{Constant, Source};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// y = Σ x, of shape `[1]`. ∂L/∂xᵢ = ∂L/∂y
pub fn sum(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Reduction { over: Over::All }, &[x])
}

/// y = Σ x / n, of shape `[1]`. ∂L/∂xᵢ = ∂L/∂y / n
pub fn mean(x: Var<'_>) -> Result<Var<'_>> {
    scale(1.0 / x.shape().elements() as f32, sum(x)?)
}

/// yₙ = Σ xₙ, of shape `[N]`: the sum over all extents but the batch. ∂L/∂xₙᵢ = ∂L/∂yₙ
pub fn sum_per_sample(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Reduction { over: Over::Sample }, &[x])
}

/// yₙ = Σ xₙ / n, of shape `[N]`: the mean over all extents but the batch. ∂L/∂xₙᵢ = ∂L/∂yₙ / n
pub fn mean_per_sample(x: Var<'_>) -> Result<Var<'_>> {
    scale(1.0 / x.shape().per_sample() as f32, sum_per_sample(x)?)
}

/// y_c = Σ x\[n, c, …\], of shape `[C]`: the sum over all extents but the channel. ∂L/∂x\[n, c, …\] = ∂L/∂y_c
pub fn sum_channels(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Reduction { over: Over::Channel }, &[x])
}

#[derive(Clone, Copy, Debug)]
enum Over {
    All,
    Sample,
    Channel,
}

#[derive(Debug)]
pub(super) struct Reduction {
    over: Over,
}

impl Reduction {
    /// The channels to be summed over, as which everything else counts too.
    fn extents(&self, x: &Shape) -> Extents {
        let dims = x.dims();
        match self.over {
            Over::All => Extents::rows(1, x.elements()),
            Over::Sample => Extents::rows(x.batch(), x.per_sample()),
            Over::Channel => Extents { images: dims[0], channels: dims[1], pixels: dims[2..].iter().product() },
        }
    }
}

impl Op for Reduction {
    fn name(&self) -> &'static str {
        match self.over {
            Over::All => "sum",
            Over::Sample => "sum_per_sample",
            Over::Channel => "sum_channels",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let x = inputs[0];
        match self.over {
            _ if x.elements() == 0 => Err("there is nothing to reduce".into()),
            Over::All => Ok([1].into()),
            Over::Sample => Ok([x.batch()].into()),
            Over::Channel if x.dims().len() < 2 => Err("the input must be [N, C, …]".into()),
            Over::Channel => Ok([x.dims()[1]].into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let shape = call.inputs[0].shape();
        let spread = || match self.over {
            Over::Channel => broadcast_channels(g, shape),
            _ => broadcast(g, shape),
        };
        Ok(vec![call.when(0, spread)?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let extents = self.extents(inputs[0].shape);
        let mut y = vec![0.0; output.elements()];
        inputs[0].data.iter().enumerate().for_each(|(i, x)| y[extents.channel_of(i)] += x);
        y
    }
}

impl Lower for Reduction {
    fn lower(&self, at: &mut Lowering<'_>) {
        let extents = self.extents(&at.shapes[0]);
        one_sum(at, extents, shader!("reduction.wgsl"), &[], &[(["x", "x4"], at.inputs[0])], 1.0);
    }
}

params! {
    struct Params { images: i32, channels: i32, pixels: i32, parts: i32, scale: f32 }
}

/// y\[c\] = scale·Σ over channel c, what is summed being up to `source`.
pub(super) fn one_sum(
    at: &mut Lowering<'_>,
    extents: Extents,
    source: Source,
    constants: &[Constant],
    operands: &[Operand],
    scale: f32,
) {
    let sources = [shader!("shared/one_sum.wgsl"), source];
    let sums = ChannelSums::new(at.caps, extents, &sources, constants);
    let params = Params {
        images: extents.images as i32,
        channels: extents.channels as i32,
        pixels: extents.pixels as i32,
        parts: sums.parts() as i32,
        scale,
    };
    let parts = sums.partial(at, operands, &[], params, at.shapes[0].elements());
    sums.finish(at, "sum_of_parts", &[("parts", parts), ("y", at.output)], params);
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
        fn any_shape((n, c, h) in (1usize..80, 1usize..5, 1usize..15), seed: u64) {
            for function in [sum, mean, sum_per_sample, mean_per_sample, sum_channels] {
                let tape = Tape::new();
                let x = tape.input("x", [n, c, h, 2]);
                let y = function(x)?;
                differentiates(&tape, y, &[x], seed)?;
                agrees(&tape, seed)?;
            }
        }
    }

    #[test]
    fn long_sums_take_several_parts() {
        let tape = Tape::new();
        let x = tape.input("x", [3, 1, 100_003]);
        sum(x).unwrap();
        sum_per_sample(x).unwrap();
        sum_channels(x).unwrap();
        agrees(&tape, 1).unwrap();
    }

    #[test]
    fn nothing_cannot_be_reduced() {
        let tape = Tape::new();
        assert!(sum(tape.input("x", [0, 3])).unwrap_err().to_string().contains("nothing to reduce"));
    }
}
