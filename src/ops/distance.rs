use super::channel_sums::Extents;
use super::lower::{Lower, Lowering, WORKGROUP, element_kernel};
use super::reduction::one_sum;
use super::scale;
use crate::gpu::Constant;
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// The mean squared error Σ(a − b)²/n over all n elements, of shape `[1]`. ∂/∂a = 2(a − b)/n = −∂/∂b
pub fn mse<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Distance { kind: Kind::Squared, per_sample: false }, &[a, b])
}

/// The mean absolute error Σ|a − b|/n over all n elements, of shape `[1]`. ∂/∂a = sign(a − b)/n = −∂/∂b, 0 where a = b
pub fn l1<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Distance { kind: Kind::Absolute, per_sample: false }, &[a, b])
}

/// The mean squared error of each sample, of shape `[N]`.
pub fn mse_per_sample<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Distance { kind: Kind::Squared, per_sample: true }, &[a, b])
}

/// The mean absolute error of each sample, of shape `[N]`.
pub fn l1_per_sample<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Distance { kind: Kind::Absolute, per_sample: true }, &[a, b])
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Squared,
    Absolute,
}

#[derive(Debug)]
pub(super) struct Distance {
    kind: Kind,
    per_sample: bool,
}

impl Op for Distance {
    fn name(&self) -> &'static str {
        match (self.kind, self.per_sample) {
            (Kind::Squared, false) => "mse",
            (Kind::Squared, true) => "mse_per_sample",
            (Kind::Absolute, false) => "l1",
            (Kind::Absolute, true) => "l1_per_sample",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match inputs[0] == inputs[1] && inputs[0].elements() > 0 {
            true => Ok([if self.per_sample { inputs[0].batch() } else { 1 }].into()),
            false => Err("both operands must have one shape, and elements".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let &[a, b] = call.inputs else { return Ok(vec![]) };
        let da = g.tape().record(DistanceGradient { kind: self.kind }, &[a, b, g])?;
        Ok(vec![call.wants(0).then_some(da), call.when(1, || scale(-1.0, da))?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let run = inputs[0].data.len() / output.elements();
        let mut y = vec![0.0; output.elements()];
        for (i, (a, b)) in inputs[0].data.iter().zip(inputs[1].data).enumerate() {
            y[i / run] += match self.kind {
                Kind::Squared => (a - b).powi(2),
                Kind::Absolute => (a - b).abs(),
            } / run as f64;
        }
        y
    }
}

/// ∂L/∂a from a, b and ∂L/∂distance.
#[derive(Debug)]
pub(super) struct DistanceGradient {
    kind: Kind,
}

impl Op for DistanceGradient {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Squared => "mse_gradient",
            Kind::Absolute => "l1_gradient",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let [a, b, g] = [inputs[0].data, inputs[1].data, inputs[2].data];
        let run = output.elements() / g.len();
        let slope = |d: f64| match self.kind {
            Kind::Squared => 2.0 * d,
            Kind::Absolute if d == 0.0 => 0.0,
            Kind::Absolute => d.signum(),
        };
        (0..a.len()).map(|i| g[i / run] * slope(a[i] - b[i]) / run as f64).collect()
    }
}

params! {
    struct Params { elements: u32, run: u32, scale: f32 }
}

impl Lower for Distance {
    fn lower(&self, at: &mut Lowering<'_>) {
        let rows = at.shape.elements();
        let inner = at.shapes[0].elements() / rows;
        let operands = [(["x", "x4"], at.inputs[0]), (["b", "b4"], at.inputs[1])];
        let squared = [Constant::Bool("SQUARED", matches!(self.kind, Kind::Squared))];
        let source = shader!("distance_sums.wgsl");
        one_sum(at, Extents::rows(rows, inner), source, &squared, &operands, 1.0 / inner as f32);
    }
}

impl Lower for DistanceGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        let entry = match self.kind {
            Kind::Squared => "squared_gradient",
            Kind::Absolute => "absolute_gradient",
        };
        let run = at.shape.elements() / at.shapes[2].elements();
        let params = Params { elements: at.shape.elements() as u32, run: run as u32, scale: 1.0 / run as f32 };
        let bindings = [("a", at.inputs[0]), ("b", at.inputs[1]), ("gradient", at.inputs[2]), ("y", at.output)];
        // Not a question for the kernel: software adapters run both branches.
        let per_sample = [Constant::Bool("PER_SAMPLE", at.shapes[2].elements() > 1)];
        let kernel = element_kernel(shader!("distance.wgsl"), entry, &per_sample);
        let workgroups = at.quads().div_ceil(WORKGROUP) as usize;
        at.run(kernel, &bindings, params, workgroups, at.shape.elements());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, agrees_with, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_shape((n, c, h) in (1usize..9, 1usize..4, 1usize..15), seed: u64) {
            for function in [mse, l1, mse_per_sample, l1_per_sample] {
                let tape = Tape::new();
                let (a, b) = (tape.input("a", [n, c, h, 3]), tape.input("b", [n, c, h, 3]));
                let y = function(a, b)?;
                differentiates(&tape, y, &[a, b], seed)?;
                agrees(&tape, seed)?;
            }
        }
    }

    #[test]
    fn the_absolute_error_has_slope_zero_where_both_are_equal() {
        let tape = Tape::new();
        let (a, b) = (tape.input("a", [3]), tape.input("b", [3]));
        let da = tape.gradient(l1(a, b).unwrap(), &[a]).unwrap()[0];
        let feeds = vec![(a, vec![1.0, 2.0, 3.0]), (b, vec![1.0, 1.0, 4.0])];
        agrees_with(&tape, &feeds).unwrap();
        let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
        assert_eq!(tape.interpret(&slices).unwrap().get(da), [0.0, 1.0 / 3.0, -1.0 / 3.0]);
    }
}
