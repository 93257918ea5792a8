use super::channel_sums::Extents;
use super::lower::{Lower, Lowering, WORKGROUP, element_kernel};
use super::reduction::one_sum;
use super::{Case, Example};
use crate::gpu::Specialisation;
use crate::tape::{Call, Gradients, Op, Shape, Tape, Tensor, Var, operands};
use crate::{params, shader};

impl<'t> Var<'t> {
    /// The mean squared error Σ(a − b)²/n over all n elements, of shape `[1]`.
    ///
    /// ∂y/∂a = 2(a − b)/n = −∂y/∂b
    #[track_caller]
    pub fn mse(self, b: Self) -> Self {
        self.tape().record(MeanDistance { kind: Kind::Squared, per_sample: false }, &[self, b])
    }

    /// The mean absolute error Σ|a − b|/n over all n elements, of shape `[1]`.
    ///
    /// ∂y/∂a = sign(a − b)/n = −∂y/∂b, with sign(0) = 0
    #[track_caller]
    pub fn l1(self, b: Self) -> Self {
        self.tape().record(MeanDistance { kind: Kind::Absolute, per_sample: false }, &[self, b])
    }

    /// The mean squared error Σ(a − b)²/n over the n elements of each sample, of shape `[N]`.
    ///
    /// ∂yₛ/∂aₛ = 2(aₛ − bₛ)/n = −∂yₛ/∂bₛ, for sample s
    #[track_caller]
    pub fn mse_per_sample(self, b: Self) -> Self {
        self.tape().record(MeanDistance { kind: Kind::Squared, per_sample: true }, &[self, b])
    }

    /// The mean absolute error Σ|a − b|/n over the n elements of each sample, of shape `[N]`.
    ///
    /// ∂yₛ/∂aₛ = sign(aₛ − bₛ)/n = −∂yₛ/∂bₛ, for sample s, with sign(0) = 0
    #[track_caller]
    pub fn l1_per_sample(self, b: Self) -> Self {
        self.tape().record(MeanDistance { kind: Kind::Absolute, per_sample: true }, &[self, b])
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Squared,
    Absolute,
}

#[derive(Debug)]
pub(super) struct MeanDistance {
    kind: Kind,
    per_sample: bool,
}

impl Op for MeanDistance {
    fn name(&self) -> &'static str {
        match (self.kind, self.per_sample) {
            (Kind::Squared, false) => "mse",
            (Kind::Squared, true) => "mse_per_sample",
            (Kind::Absolute, false) => "l1",
            (Kind::Absolute, true) => "l1_per_sample",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0] == inputs[1] && inputs[0].elements() > 0 {
            true => Ok([if self.per_sample { inputs[0].batch() } else { 1 }].into()),
            false => Err("both operands must have one shape with at least one element".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let [a, b] = operands(call.inputs);
        let da = g.tape().record(MeanDistanceGradient { kind: self.kind }, &[a, b, g]);
        Some(vec![call.wants(0).then_some(da), call.when(1, || -da)])
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

/// ∂L/∂a. Inputs: a, b, and ∂L/∂distance, `[1]` or `[N]`.
#[derive(Debug)]
pub(super) struct MeanDistanceGradient {
    kind: Kind,
}

impl Op for MeanDistanceGradient {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Squared => "mse_gradient",
            Kind::Absolute => "l1_gradient",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let [a, b, g] = operands(inputs).map(|x| x.data);
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

impl Lower for MeanDistance {
    fn lower(&self, at: &mut Lowering<'_>) {
        let rows = at.shape.elements();
        let inner = at.shapes[0].elements() / rows;
        let operands = [(["x", "x4"], at.inputs[0]), (["b", "b4"], at.inputs[1])];
        let squared = [Specialisation::Bool("SQUARED", matches!(self.kind, Kind::Squared))];
        let source = shader!("distance_sums.wgsl");
        one_sum(at, Extents::rows(rows, inner), source, &squared, &operands, 1.0 / inner as f32);
    }
}

impl Lower for MeanDistanceGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        let entry = match self.kind {
            Kind::Squared => "squared_gradient",
            Kind::Absolute => "absolute_gradient",
        };
        let run = at.shape.elements() / at.shapes[2].elements();
        let params = Params { elements: at.shape.elements() as u32, run: run as u32, scale: 1.0 / run as f32 };
        let bindings = [("a", at.inputs[0]), ("b", at.inputs[1]), ("gradient", at.inputs[2]), ("y", at.output)];
        // A specialisation constant rather than a branch at run time, since software adapters execute both sides.
        let per_sample = [Specialisation::Bool("PER_SAMPLE", at.shapes[2].elements() > 1)];
        let kernel = element_kernel(&[shader!("distance.wgsl")], entry, &per_sample);
        let workgroups = at.quads().div_ceil(WORKGROUP) as usize;
        at.run(kernel, &bindings, params, workgroups, at.shape.elements());
    }
}

fn of<'t>(tape: &'t Tape, distance: fn(Var<'t>, Var<'t>) -> Var<'t>) -> Case<'t> {
    let (a, b) = (tape.input("a", [3, 5]), tape.input("b", [3, 5]));
    Case { y: distance(a, b), wrt: vec![a, b] }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("a.mse(b)", "Σ(a − b)²/n", "a: 2(a − b)·g/n, b: its negative", |tape| of(tape, Var::mse)),
    Example::new("a.l1(b)", "Σ|a − b|/n", "a: sign(a − b)·g/n, b: its negative", |tape| of(tape, Var::l1)),
    Example::new("a.mse_per_sample(b)", "Σ(a − b)²/n per sample", "as for mse", |tape| {
        of(tape, Var::mse_per_sample)
    }),
    Example::new("a.l1_per_sample(b)", "Σ|a − b|/n per sample", "as for l1", |tape| of(tape, Var::l1_per_sample)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{agrees, agrees_with, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_shape((n, c, h) in (1usize..9, 1usize..4, 1usize..15), seed: u64) {
            let tape = Tape::new();
            let (a, b) = (tape.input("a", [n, c, h, 3]), tape.input("b", [n, c, h, 3]));
            for y in [a.mse(b), a.l1(b), a.mse_per_sample(b), a.l1_per_sample(b)] {
                differentiates(&tape, y, &[a, b], seed)?;
            }
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn the_absolute_error_has_slope_zero_where_both_are_equal() {
        let tape = Tape::new();
        let (a, b) = (tape.input("a", [3]), tape.input("b", [3]));
        let da = tape.gradient(a.l1(b), &[a]).unwrap()[0];
        let feeds = vec![(a, vec![1.0, 2.0, 3.0]), (b, vec![1.0, 1.0, 4.0])];
        agrees_with(&tape, &feeds).unwrap();
        let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
        assert_eq!(tape.interpret(&slices).unwrap().get(da), [0.0, 1.0 / 3.0, -1.0 / 3.0]);
    }
}
