use super::Norm;
use crate::ops::channel_sums::{ChannelSums, Extents};
use crate::ops::lower::{Lower, Lowering};
use crate::tape::{Op, Shape, Tensor};
use crate::{params, shader};

/// Mean and biased variance per channel, `[2, C]`.
#[derive(Debug)]
pub(in crate::ops) struct BatchStatistics;

impl Op for BatchStatistics {
    fn name(&self) -> &'static str {
        "batch_statistics"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok([2, Extents::of(inputs[0])?.channels].into())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let extents = Extents::accepted(inputs[0].shape);
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

/// Σ ∂L/∂v and Σ ∂L/∂v·x̂ per channel, `[2, C]`: the gradients of β and γ. Inputs: ∂L/∂y, x, statistics, γ, β.
#[derive(Debug)]
pub(in crate::ops) struct GradientSums(pub Norm);

impl Op for GradientSums {
    fn name(&self) -> &'static str {
        "batch_norm_gradient_sums"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let channels = Extents::of(inputs[1])?.channels;
        Norm::check(channels, &inputs[2..])?;
        match inputs[0] == inputs[1] {
            true => Ok([2, channels].into()),
            false => Err("the gradient must have the shape of x".into()),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let extents = Extents::accepted(inputs[1].shape);
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

params! {
    struct StatisticsParams { images: i32, channels: i32, pixels: i32, parts: i32 }
}

params! {
    struct GradientParams { images: i32, channels: i32, pixels: i32, parts: i32, epsilon: f32, slope: f32 }
}

impl Lower for BatchStatistics {
    fn lower(&self, at: &mut Lowering<'_>) {
        let extents = Extents::accepted(&at.shapes[0]);
        let [x] = at.operands();
        let sources = [shader!("batch_norm_statistics.wgsl")];
        let sums = ChannelSums::new(at.caps, extents, &sources, &[]);
        let params = StatisticsParams {
            images: extents.images as i32,
            channels: extents.channels as i32,
            pixels: extents.pixels as i32,
            parts: sums.parts() as i32,
        };
        let parts = sums.partial(at, &[(["x", "x4"], x)], &[("origin", x)], params, 3 * at.shapes[0].elements());
        let bindings = [("origin", x), ("parts", parts), ("statistics", at.output)];
        sums.finish(at, "statistics_of_sums", &bindings, params);
    }
}

impl Lower for GradientSums {
    fn lower(&self, at: &mut Lowering<'_>) {
        let extents = Extents::accepted(&at.shapes[1]);
        let [dy, x, statistics, gamma, beta] = at.operands();
        let sources = [shader!("shared/batch_norm.wgsl"), shader!("batch_norm_gradient_sums.wgsl")];
        let sums = ChannelSums::new(at.caps, extents, &sources, &[]);
        let params = GradientParams {
            images: extents.images as i32,
            channels: extents.channels as i32,
            pixels: extents.pixels as i32,
            parts: sums.parts() as i32,
            epsilon: self.0.epsilon,
            slope: self.0.slope,
        };
        let operands = [(["x", "x4"], x), (["dy", "dy4"], dy)];
        let others = [("statistics", statistics), ("gamma", gamma), ("beta", beta)];
        let parts = sums.partial(at, &operands, &others, params, 4 * at.shapes[1].elements());
        let bindings = [("parts", parts), ("statistics", statistics), ("result", at.output)];
        sums.finish(at, "gradient_of_sums", &bindings, params);
    }
}
