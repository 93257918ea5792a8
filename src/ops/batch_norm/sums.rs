use super::{Extents, Norm};
use crate::gpu::{Caps, Constant, Kernel, Source, ValueId};
use crate::ops::lower::{GRID, Lower, Lowering, WORKGROUP};
use crate::tape::{Op, Shape, Tensor};
use crate::{params, shader};

/// Mean and biased variance of each channel: `[2, C]`.
#[derive(Debug)]
pub(in crate::ops) struct Statistics;

impl Op for Statistics {
    fn name(&self) -> &'static str {
        "batch_statistics"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        Ok([2, Extents::of(inputs[0])?.channels].into())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let Ok(extents) = Extents::of(inputs[0].shape) else { return vec![] };
        let count = extents.count() as f64;
        let mut mean = vec![0.0; extents.channels];
        let mut variance = mean.clone();
        for (i, x) in inputs[0].data.iter().enumerate() {
            mean[extents.channel_of(i)] += x / count;
        }
        for (i, x) in inputs[0].data.iter().enumerate() {
            let c = extents.channel_of(i);
            variance[c] += (x - mean[c]).powi(2) / count;
        }
        [mean, variance].concat()
    }
}

/// Σ ∂L/∂v and Σ ∂L/∂v·x̂ of each channel, `[2, C]`: the gradients of β and γ. Inputs: ∂L/∂y, x, statistics, γ, β.
#[derive(Debug)]
pub(in crate::ops) struct GradientSums(pub Norm);

impl Op for GradientSums {
    fn name(&self) -> &'static str {
        "batch_norm_gradient_sums"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let channels = Extents::of(inputs[1])?.channels;
        Norm::check(channels, &inputs[2..])?;
        match inputs[0] == inputs[1] {
            true => Ok([2, channels].into()),
            false => Err("the gradient must have the shape of x".into()),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let Ok(extents) = Extents::of(inputs[1].shape) else { return vec![] };
        let [dy, x] = [inputs[0].data, inputs[1].data];
        let mut sums = vec![0.0; output.elements()];
        for i in 0..x.len() {
            let at = self.0.at(extents, i, x[i], &inputs[2..]);
            let dv = at.before_activation(dy[i]);
            sums[at.channel] += dv;
            sums[extents.channels + at.channel] += dv * at.x;
        }
        sums
    }
}

const GRADIENT: Source = shader!("batch_norm_gradient_sums.wgsl");

params! {
    struct StatisticsParams { images: i32, channels: i32, pixels: i32, parts: i32 }
}

params! {
    struct GradientParams { images: i32, channels: i32, pixels: i32, parts: i32, epsilon: f32, slope: f32 }
}

impl Lower for Statistics {
    fn lower(&self, at: &mut Lowering<'_>) {
        let Ok(extents) = Extents::of(&at.shapes[0]) else { return };
        let (x, split) = (at.inputs[0], Split::choose(at.caps, extents));
        let sums = at.scratch(2 * extents.channels * split.parts);
        let params = StatisticsParams {
            images: extents.images as i32,
            channels: extents.channels as i32,
            pixels: extents.pixels as i32,
            parts: split.parts as i32,
        };
        let source = shader!("batch_norm_statistics.wgsl");
        let flops = 3 * at.shapes[0].elements();
        let tensors: &[_] = if split.vectors { &[("x", x), ("x4", x)] } else { &[("x", x)] };
        split.run(at, source, &[tensors, &[("sums", sums)]].concat(), params, flops);
        finish(at, source, "statistics_of_sums", &[("x", x), ("parts", sums), ("statistics", at.output)], params);
    }
}

impl Lower for GradientSums {
    fn lower(&self, at: &mut Lowering<'_>) {
        let Ok(extents) = Extents::of(&at.shapes[1]) else { return };
        let [dy, x, statistics, gamma, beta] = [0, 1, 2, 3, 4].map(|i| at.inputs[i]);
        let split = Split::choose(at.caps, extents);
        let sums = at.scratch(2 * extents.channels * split.parts);
        let params = GradientParams {
            images: extents.images as i32,
            channels: extents.channels as i32,
            pixels: extents.pixels as i32,
            parts: split.parts as i32,
            epsilon: self.0.epsilon,
            slope: self.0.slope,
        };
        let flops = 4 * at.shapes[1].elements();
        let tensors = if split.vectors { [("x4", x), ("dy4", dy)] } else { [("x", x), ("dy", dy)] };
        let others = [("statistics", statistics), ("gamma", gamma), ("beta", beta), ("sums", sums)];
        split.run(at, GRADIENT, &[&tensors[..], &others].concat(), params, flops);
        let bindings = [("parts", sums), ("statistics", statistics), ("result", at.output)];
        finish(at, GRADIENT, "gradient_of_sums", &bindings, params);
    }
}

/// How the sums over channels are divided.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Split {
    entry: &'static str,
    /// Whether tensors are read by vectors of four.
    vectors: bool,
    workgroup: u32,
    workgroups: usize,
    parts: usize,
}

impl Split {
    fn choose(caps: &Caps, extents: Extents) -> Self {
        let Extents { images, channels, .. } = extents;
        if caps.software {
            // Some invocations for every lane of every core.
            let parts = 512usize.div_ceil(channels).min(images);
            let workgroups = (channels * parts).div_ceil(WORKGROUP as usize);
            Self { entry: "sum_images", vectors: true, workgroup: WORKGROUP, workgroups, parts }
        } else {
            // Some workgroups for every core, each with some elements an invocation.
            let workgroup = 256;
            let parts = 256usize.div_ceil(channels).min(extents.count() / (4 * workgroup as usize)).max(1);
            let entry = if caps.subgroup.is_some() { "sum_pixels_by_subgroups" } else { "sum_pixels" };
            Self { entry, vectors: false, workgroup, workgroups: channels * parts, parts }
        }
    }

    fn run(
        self,
        at: &mut Lowering<'_>,
        source: Source,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<crate::gpu::Params>,
        flops: usize,
    ) {
        let kernel = kernel(source, self.entry, self.workgroup);
        at.run(kernel, bindings, params, self.workgroups, flops);
    }
}

fn finish(
    at: &mut Lowering<'_>,
    source: Source,
    entry: &'static str,
    bindings: &[(&'static str, ValueId)],
    params: impl Into<crate::gpu::Params>,
) {
    let channels = at.shape.dims()[1];
    at.run(kernel(source, entry, WORKGROUP), bindings, params, channels.div_ceil(WORKGROUP as usize), 0);
}

fn kernel(source: Source, entry: &'static str, workgroup: u32) -> Kernel {
    let shared = [GRID, shader!("shared/divide.wgsl"), shader!("shared/channel_sums.wgsl")];
    let channel: &[Source] = if source == GRADIENT { &[shader!("shared/batch_norm.wgsl")] } else { &[] };
    Kernel::new(&[&shared, channel, &[source]].concat(), entry, &[Constant::U32("WORKGROUP", workgroup)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_follows_the_adapter_and_the_shape() {
        let extents = |images, channels, pixels| Extents { images, channels, pixels };
        let parts = |caps: &Caps, e| Split::choose(caps, e).parts;
        let (software, gpu) = (Caps::software(8), Caps::minimal());
        assert_eq!(parts(&software, extents(64, 32, 196)), 16);
        assert_eq!(parts(&software, extents(1, 32, 196)), 1);
        assert_eq!(parts(&software, extents(64, 512, 4)), 1);
        assert_eq!(parts(&gpu, extents(64, 32, 196)), 8);
        assert_eq!(parts(&gpu, extents(64, 512, 4)), 1);
        assert_eq!(parts(&gpu, extents(2, 3, 4)), 1);
    }
}
