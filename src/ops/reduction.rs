use super::channel_sums::{ChannelSums, Extents, Operand};
use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::gpu::{Specialisation, Wgsl};
use crate::tape::{Call, Gradients, Op, Shape, Tape, Tensor, Var};
use crate::{params, shader};

impl<'t> Var<'t> {
    /// y = Σ x, of shape `[1]`. ∂L/∂xᵢ = ∂L/∂y
    #[track_caller]
    pub fn sum(self) -> Self {
        self.tape().record(Reduction { over: Over::All }, &[self])
    }

    /// y = Σ x / n over all n elements, of shape `[1]`. ∂L/∂xᵢ = ∂L/∂y / n
    #[track_caller]
    pub fn mean(self) -> Self {
        self.sum() / self.shape().elements() as f32
    }

    /// yₙ = Σᵢ xₙᵢ, of shape `[N]`: the sum over all extents but the batch. ∂L/∂xₙᵢ = ∂L/∂yₙ
    #[track_caller]
    pub fn sum_per_sample(self) -> Self {
        self.tape().record(Reduction { over: Over::Sample }, &[self])
    }

    /// yₙ = Σᵢ xₙᵢ / m, of shape `[N]`: the mean over the m elements of each sample. ∂L/∂xₙᵢ = ∂L/∂yₙ / m
    #[track_caller]
    pub fn mean_per_sample(self) -> Self {
        self.sum_per_sample() / self.shape().per_sample() as f32
    }

    /// y_c = Σ x\[n, c, …\], of shape `[C]`: the sum over all extents but the channel. ∂L/∂x\[n, c, …\] = ∂L/∂y_c
    #[track_caller]
    pub fn sum_channels(self) -> Self {
        self.tape().record(Reduction { over: Over::Channel }, &[self])
    }
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
    /// Views any reduction as a sum over channels.
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

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = inputs[0];
        match self.over {
            _ if x.elements() == 0 => Err("there is nothing to reduce".into()),
            Over::All => Ok([1].into()),
            Over::Sample => Ok([x.batch()].into()),
            Over::Channel if x.dims().len() < 2 => Err("the input must be [N, C, …]".into()),
            Over::Channel => Ok([x.dims()[1]].into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let shape = call.inputs[0].shape();
        let spread = || match self.over {
            Over::Channel => g.broadcast_channels(shape),
            Over::All | Over::Sample => g.broadcast(shape),
        };
        Some(vec![call.when(0, spread)])
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

/// Adds the dispatches of y\[c\] = scale·Σ, the sum over channel c of the terms that `source` defines.
pub(super) fn one_sum(
    at: &mut Lowering<'_>,
    extents: Extents,
    source: Wgsl,
    constants: &[Specialisation],
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

fn of<'t>(tape: &'t Tape, reduction: fn(Var<'t>) -> Var<'t>) -> Case<'t> {
    let x = tape.input("x", [3, 2, 5]);
    Case { y: reduction(x), wrt: vec![x] }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("x.sum()", "Σ x", "g everywhere", |tape| of(tape, Var::sum)),
    Example::new("x.mean()", "Σ x/n", "g/n everywhere", |tape| of(tape, Var::mean)),
    Example::new("x.sum_per_sample()", "Σ x per sample", "g over each sample", |tape| of(tape, Var::sum_per_sample)),
    Example::new("x.mean_per_sample()", "Σ x/n per sample", "g/n over each sample", |tape| {
        of(tape, Var::mean_per_sample)
    }),
    Example::new("x.sum_channels()", "Σ x per channel", "g over each channel", |tape| of(tape, Var::sum_channels)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::moving_average;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_shape((n, c, h) in (1usize..80, 1usize..5, 1usize..15), seed: u64) {
            let tape = Tape::new();
            let x = tape.input("x", [n, c, h, 2]);
            for y in [x.sum(), x.mean(), x.sum_per_sample(), x.mean_per_sample(), x.sum_channels()] {
                differentiates(&tape, y, &[x], seed)?;
            }
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn long_sums_take_several_parts() {
        let tape = Tape::new();
        let x = tape.input("x", [3, 1, 100_003]);
        x.sum();
        x.sum_per_sample();
        x.sum_channels();
        agrees(&tape, 1).unwrap();
    }

    #[test]
    fn nothing_cannot_be_reduced() {
        let tape = Tape::new();
        let update = moving_average(tape.state("average", [3]), tape.input("x", [3]), tape.input("rate", [1]));
        update.sum();
        assert!(tape.check().unwrap_err().to_string().contains("nothing to reduce"));
    }
}
