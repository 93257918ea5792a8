use super::{GradientSums, Norm};
use crate::gpu::{Kernel, Specialisation, ValueId};
use crate::ops::channel_sums::Extents;
use crate::ops::lower::{GRID, LANES, Lower, Lowering, PAGE, WORKGROUP};
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var, operands};
use crate::{params, shader};

/// y = activation(γ·(x − μ)/√(σ² + ε) + β). Inputs: x, statistics, γ, β.
#[derive(Debug)]
pub(in crate::ops) struct BatchNorm {
    pub norm: Norm,
    /// Whether the statistics are constants. Otherwise they are the batch statistics of x.
    pub fixed: bool,
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        if self.fixed { "batch_norm_fixed" } else { "batch_norm" }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Norm::check(Extents::of(inputs[0])?.channels, &inputs[1..])?;
        Ok(inputs[0].clone())
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, dy: Var<'t>) -> Option<Gradients<'t>> {
        let [x, statistics, gamma, beta] = operands(call.inputs);
        let tape = dy.tape();
        if ![0, 2, 3].into_iter().any(|i| call.wants(i)) {
            return Some(vec![None; 4]);
        }
        let sums = tape.record(GradientSums(self.norm), &[dy, x, statistics, gamma, beta]);
        let row = |i: usize| sums.slice(i, 1).reshape(gamma.shape());
        let op = InputGradient { norm: self.norm, fixed: self.fixed };
        Some(vec![
            call.when(0, || tape.record(op, &[dy, x, statistics, gamma, beta, sums])),
            None,
            call.when(2, || row(1)),
            call.when(3, || row(0)),
        ])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let extents = Extents::accepted(inputs[0].shape);
        let value = |(i, &x)| self.norm.at(extents, i, x, &inputs[1..]).activated();
        inputs[0].data.iter().enumerate().map(value).collect()
    }
}

/// ∂L/∂x. Inputs: ∂L/∂y, x, statistics, γ, β, and the [`GradientSums`].
#[derive(Debug)]
pub(in crate::ops) struct InputGradient {
    norm: Norm,
    fixed: bool,
}

impl Op for InputGradient {
    fn name(&self) -> &'static str {
        "batch_norm_input_gradient"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(inputs[1].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let extents = Extents::accepted(inputs[1].shape);
        let [dy, x, sums] = [0, 1, 5].map(|i| inputs[i].data);
        let share = if self.fixed { 0.0 } else { 1.0 / extents.count() as f64 };
        let value = |i: usize| {
            let at = self.norm.at(extents, i, x[i], &inputs[2..5]);
            let mean = share * (sums[at.channel] + at.x * sums[extents.channels + at.channel]);
            at.scale * (at.before_activation(dy[i]) - mean)
        };
        (0..x.len()).map(value).collect()
    }
}

params! {
    struct Params { images: i32, channels: i32, pixels: i32, epsilon: f32, slope: f32, run: i32, segments: i32, share: f32 }
}

/// Binding names of the tensors, for access by elements and by vectors of four elements.
const X: [&str; 2] = ["x", "x4"];
const DY: [&str; 2] = ["dy", "dy4"];
const RESULT: [&str; 2] = ["result", "result4"];

/// Most vectors of four planes that an invocation computes, which bounds the turns of its loops.
const SEGMENT: usize = 1 << 14;

/// Adds the elementwise pass: one invocation per run of planes on a software adapter, per element on a GPU.
fn run(
    at: &mut Lowering<'_>,
    [planes, elements]: [&'static str; 2],
    tensors: &[([&'static str; 2], ValueId)],
    channels: &[&'static str],
    norm: Norm,
    fixed: bool,
) {
    let extents = Extents::accepted(&at.shape);
    let (software, size) = (at.caps.software, at.shape.elements());
    let run = 4 * PAGE.div_ceil(4 * extents.pixels);
    let segments = extents.pixels.div_ceil(SEGMENT);
    let (entry, workgroup, invocations) = match software {
        true => (planes, LANES, (extents.images * extents.channels).div_ceil(run) * segments),
        false => (elements, WORKGROUP, size),
    };
    let params = Params {
        images: extents.images as i32,
        channels: extents.channels as i32,
        pixels: extents.pixels as i32,
        epsilon: norm.epsilon,
        slope: norm.slope,
        run: run as i32,
        segments: segments as i32,
        share: if fixed { 0.0 } else { 1.0 / extents.count() as f32 },
    };
    let per_channel = &at.inputs[at.inputs.len() - channels.len()..];
    let tensors = tensors.iter().map(|&([plain, vectors], v)| (if software { vectors } else { plain }, v));
    let bindings: Vec<_> = tensors.chain(channels.iter().copied().zip(per_channel.to_vec())).collect();
    let [divide, channel] = [shader!("shared/divide.wgsl"), shader!("shared/batch_norm.wgsl")];
    let sources = [GRID, shader!("shared/element.wgsl"), divide, channel, shader!("batch_norm.wgsl")];
    let kernel = Kernel::new(&sources, entry, &[Specialisation::U32("WORKGROUP", workgroup)]);
    let workgroups = invocations.div_ceil(workgroup as usize);
    // Four planes take a turn, four for their constants and four for their ends, and a turn per vector of each plane.
    let turns = run / 4 * (16 + extents.pixels.div_ceil(segments));
    at.run(kernel, &bindings, params, workgroups, 2 * size).turns = turns as u64;
}

impl Lower for BatchNorm {
    fn lower(&self, at: &mut Lowering<'_>) {
        let tensors = [(X, at.inputs[0]), (RESULT, at.output)];
        let entries = ["normalise_planes", "normalise_elements"];
        run(at, entries, &tensors, &["statistics", "gamma", "beta"], self.norm, self.fixed);
    }
}

impl Lower for InputGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        let tensors = [(DY, at.inputs[0]), (X, at.inputs[1]), (RESULT, at.output)];
        let entries = ["gradient_planes", "gradient_elements"];
        run(at, entries, &tensors, &["statistics", "gamma", "beta", "sums"], self.norm, self.fixed);
    }
}
