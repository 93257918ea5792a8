use crate::ops::lower::{Lower, Lowering};
use crate::tape::{Op, Shape, Tensor};
use crate::{params, shader};

/// Updates the running averages with batch statistics. Inputs: running mean, running variance, statistics.
#[derive(Debug)]
pub(in crate::ops) struct UpdateRunning {
    pub momentum: f32,
    /// n/(n − 1), which turns a biased variance of n elements into an unbiased one.
    pub unbiased: f32,
}

impl Op for UpdateRunning {
    fn name(&self) -> &'static str {
        "update_running"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if !self.unbiased.is_finite() {
            return Err("batch statistics need at least two elements per channel".into());
        }
        let channels = inputs[0].elements();
        match inputs[0] == inputs[1] && inputs[2].dims() == [2, channels] {
            true => Ok(Shape::none()),
            false => Err("running averages must be [C], statistics [2, C]".into()),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let (mean, variance) = inputs[2].data.split_at(inputs[0].data.len());
        let momentum = f64::from(self.momentum);
        let average = |running: &[f64], new: &[f64], factor: f64| {
            running.iter().zip(new).map(|(r, s)| (1.0 - momentum) * r + momentum * factor * s).collect::<Vec<_>>()
        };
        let variance = average(inputs[1].data, variance, f64::from(self.unbiased));
        [average(inputs[0].data, mean, 1.0), variance].concat()
    }

    fn writes(&self) -> &[usize] {
        &[0, 1]
    }
}

params! {
    struct Params { channels: u32, momentum: f32, unbiased: f32 }
}

impl Lower for UpdateRunning {
    fn lower(&self, at: &mut Lowering<'_>) {
        let channels = at.shapes[0].elements();
        let Self { momentum, unbiased } = *self;
        let params = Params { channels: channels as u32, momentum, unbiased };
        let [mean, variance, statistics] = at.operands();
        let bindings = [("running_mean", mean), ("running_variance", variance), ("statistics", statistics)];
        let source = [shader!("running_averages.wgsl")];
        at.over(channels, 6 * channels, &source, "update_running", &bindings, params);
    }
}
