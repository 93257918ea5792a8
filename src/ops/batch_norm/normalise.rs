use super::{Extents, GradientSums, is_per_channel};
use crate::gpu::{Constant, Kernel, ValueId};
use crate::ops::lower::{GRID, Lower, Lowering, WORKGROUP};
use crate::ops::{reshape, slice};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// y = γ·(x − μ)/√(σ² + ε) + β. Inputs: x, statistics, γ, β.
#[derive(Debug)]
pub(in crate::ops) struct BatchNorm {
    pub epsilon: f32,
    /// Whether the statistics are constants; otherwise those of x.
    pub fixed: bool,
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        if self.fixed { "batch_norm_fixed" } else { "batch_norm" }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let channels = Extents::of(inputs[0])?.channels;
        let fits =
            is_per_channel(inputs[1], &[2], channels) && inputs[2..].iter().all(|s| is_per_channel(s, &[], channels));
        match fits {
            true => Ok(inputs[0].clone()),
            false => {
                Err(format!("x has {channels} channels: statistics must be [2, {channels}], γ and β [{channels}]"))
            }
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, dy: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let &[x, statistics, gamma, _] = call.inputs else { return Ok(vec![]) };
        let tape = dy.tape();
        if ![0, 2, 3].into_iter().any(|i| call.wants(i)) {
            return Ok(vec![None; 4]);
        }
        let sums = tape.record(GradientSums { epsilon: self.epsilon }, &[dy, x, statistics])?;
        let row = |i: usize| reshape(slice(sums, i, 1)?, gamma.shape());
        let op = InputGradient { epsilon: self.epsilon, fixed: self.fixed };
        Ok(vec![
            call.when(0, || tape.record(op, &[dy, x, statistics, gamma, sums]))?,
            None,
            call.when(2, || row(1))?,
            call.when(3, || row(0))?,
        ])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let Ok(extents) = Extents::of(inputs[0].shape) else { return vec![] };
        let [x, statistics, gamma, beta] = [0, 1, 2, 3].map(|i| inputs[i].data);
        let value = |i: usize| {
            let c = extents.channel_of(i);
            let deviation = (statistics[extents.channels + c] + f64::from(self.epsilon)).sqrt();
            gamma[c] * (x[i] - statistics[c]) / deviation + beta[c]
        };
        (0..x.len()).map(value).collect()
    }
}

/// ∂L/∂x. Inputs: ∂L/∂y, x, statistics, γ, and the [`GradientSums`].
#[derive(Debug)]
pub(in crate::ops) struct InputGradient {
    epsilon: f32,
    fixed: bool,
}

impl Op for InputGradient {
    fn name(&self) -> &'static str {
        "batch_norm_input_gradient"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        Ok(inputs[1].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let Ok(extents) = Extents::of(inputs[1].shape) else { return vec![] };
        let [dy, x, statistics, gamma, sums] = [0, 1, 2, 3, 4].map(|i| inputs[i].data);
        let share = if self.fixed { 0.0 } else { 1.0 / extents.count() as f64 };
        let value = |i: usize| {
            let c = extents.channel_of(i);
            let deviation = (statistics[extents.channels + c] + f64::from(self.epsilon)).sqrt();
            let normalised = (x[i] - statistics[c]) / deviation;
            gamma[c] / deviation * (dy[i] - share * (sums[c] + normalised * sums[extents.channels + c]))
        };
        (0..x.len()).map(value).collect()
    }
}

params! {
    struct Params { images: i32, channels: i32, pixels: i32, epsilon: f32, share: f32 }
}

/// Adds the elementwise pass over x: by planes on a software adapter, by elements on a GPU.
fn run(
    at: &mut Lowering<'_>,
    entries: [&'static str; 2],
    bindings: &[(&'static str, ValueId)],
    epsilon: f32,
    fixed: bool,
) {
    let Ok(extents) = Extents::of(&at.shape) else { return };
    let params = Params {
        images: extents.images as i32,
        channels: extents.channels as i32,
        pixels: extents.pixels as i32,
        epsilon,
        share: if fixed { 0.0 } else { 1.0 / extents.count() as f32 },
    };
    let elements = at.shape.elements();
    let (entry, invocations) = match at.caps.software {
        true => (entries[0], extents.images * extents.channels),
        false => (entries[1], elements),
    };
    let sources = [GRID, shader!("shared/element.wgsl"), shader!("shared/divide.wgsl"), shader!("batch_norm.wgsl")];
    let kernel = Kernel::new(&sources, entry, &[Constant::U32("WORKGROUP", WORKGROUP)]);
    at.run(kernel, bindings, params, invocations.div_ceil(WORKGROUP as usize), 2 * elements);
}

impl Lower for BatchNorm {
    fn lower(&self, at: &mut Lowering<'_>) {
        let [x, statistics, gamma, beta] = [0, 1, 2, 3].map(|i| at.inputs[i]);
        let bindings = [("x", x), ("statistics", statistics), ("gamma", gamma), ("beta", beta), ("result", at.output)];
        run(at, ["normalise_planes", "normalise_elements"], &bindings, self.epsilon, self.fixed);
    }
}

impl Lower for InputGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        let [dy, x, statistics, gamma, sums] = [0, 1, 2, 3, 4].map(|i| at.inputs[i]);
        let bindings =
            [("dy", dy), ("x", x), ("statistics", statistics), ("gamma", gamma), ("sums", sums), ("result", at.output)];
        run(at, ["gradient_planes", "gradient_elements"], &bindings, self.epsilon, self.fixed);
    }
}
