use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::gpu::ValueId;
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var, operands};
use crate::{params, shader};

impl<'t> Var<'t> {
    /// The mean over the batch of −Σₖ tₖ·log softmax(x)ₖ, of shape `[1]`, for logits x `[N, K]` and `targets` t
    /// `[N, K]`. The targets are probabilities or one-hot classes, and count as constants. A term with tₖ = 0 is 0, also
    /// for a logit of −∞.
    ///
    /// ∂L/∂x = ∂L/∂y·(softmax(x)·Σₖ tₖ − t)/N
    #[track_caller]
    pub fn softmax_cross_entropy(self, targets: Self) -> Self {
        self.tape().record(CrossEntropy, &[self, targets]).mean()
    }
}

/// The cross-entropy of each sample, `[N]`.
#[derive(Debug)]
pub(super) struct CrossEntropy;

/// (M, Σ exp(x − M)) of one sample, with its greatest logit M.
fn totals(logits: &[f64]) -> (f64, f64) {
    let greatest = logits.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(x));
    (greatest, logits.iter().map(|x| (x - greatest).exp()).sum())
}

impl Op for CrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0].matrix() {
            Some([n, k]) if inputs[0] == inputs[1] && k > 0 => Ok([n].into()),
            _ => Err("logits and targets must both be [N, K]".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let [logits, targets] = operands(call.inputs);
        Some(vec![call.when(0, || g.tape().record(CrossEntropyGradient, &[logits, targets, g])), None])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let classes = inputs[0].data.len() / output.elements();
        let samples = inputs[0].data.chunks(classes).zip(inputs[1].data.chunks(classes));
        let loss = |(x, t): (&[f64], &[f64])| {
            let (greatest, sum) = totals(x);
            let term = |(x, t): (&f64, &f64)| if *t == 0.0 { 0.0 } else { t * (sum.ln() - (x - greatest)) };
            x.iter().zip(t).map(term).sum()
        };
        samples.map(loss).collect()
    }
}

/// ∂L/∂logits. Inputs: logits, targets, and ∂L/∂loss of each sample `[N]`.
#[derive(Debug)]
pub(super) struct CrossEntropyGradient;

impl Op for CrossEntropyGradient {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy_gradient"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let [x, t, g] = operands(inputs).map(|x| x.data);
        let classes = x.len() / g.len();
        let samples = x.chunks(classes).zip(t.chunks(classes)).zip(g);
        let gradient = |((x, t), g): ((&[f64], &[f64]), &f64)| {
            let ((greatest, sum), mass) = (totals(x), t.iter().sum::<f64>());
            x.iter().zip(t).map(|(x, t)| g * (mass * (x - greatest).exp() / sum - t)).collect::<Vec<_>>()
        };
        samples.flat_map(gradient).collect()
    }
}

params! {
    struct Params { samples: u32, classes: u32, parts: u32 }
}

/// Classes of a part: few enough for the rounding of their sum.
const CLASSES: usize = 1 << 9;
/// Most parts of a sample, over which each invocation loops.
const PARTS: usize = 1 << 12;

/// Adds the dispatches of the totals of each part and of the kernel `entry`, whose output [parts, …] is `y`.
fn lower(at: &mut Lowering<'_>, entry: &'static str, more: &[(&'static str, ValueId)], y: ValueId) {
    let [samples, classes, parts] = extents(at);
    let params = Params { samples: samples as u32, classes: classes as u32, parts: parts as u32 };
    let source = [shader!("cross_entropy.wgsl")];
    let totals = at.scratch(4 * samples * parts);
    let operands = [("logits", at.inputs[0]), ("targets", at.inputs[1])];
    let turns = (2 * classes.div_ceil(parts) + 2 * parts) as u64;

    let bindings = [&operands[..], &[("totals", totals)]].concat();
    let flops = 4 * samples * classes;
    at.over(samples * parts, flops, &source, "cross_entropy_totals", &bindings, params).turns = turns;
    let bindings = [&operands[..], &[("of_parts", totals), ("y", y)], more].concat();
    at.over(samples * parts, flops, &source, entry, &bindings, params).turns = turns;
}

/// Number of samples, of classes, and of parts of the classes.
fn extents(at: &Lowering<'_>) -> [usize; 3] {
    let [samples, classes] = at.shapes[0].matrix().expect("the shape rule accepts only matrices of logits");
    [samples, classes, parts(classes)]
}

/// Number of parts, of which none is empty.
fn parts(classes: usize) -> usize {
    let length = classes.div_ceil(classes.div_ceil(CLASSES).min(PARTS));
    classes.div_ceil(length)
}

impl Lower for CrossEntropy {
    fn lower(&self, at: &mut Lowering<'_>) {
        let [samples, _, parts] = extents(at);
        let y = if parts == 1 { at.output } else { at.scratch(samples * parts) };
        lower(at, "cross_entropy", &[], y);
        if parts > 1 {
            at.sum_parts(parts, y, at.output);
        }
    }
}

impl Lower for CrossEntropyGradient {
    fn lower(&self, at: &mut Lowering<'_>) {
        lower(at, "cross_entropy_gradient", &[("gradient", at.inputs[2])], at.output);
    }
}

pub(super) const EXAMPLES: &[Example] = &[Example::new(
    "x.softmax_cross_entropy(t)",
    "−mean over samples of Σ t·log softmax(x)",
    "x: (softmax(x)·Σ t − t)·g/N",
    |tape| {
        let (x, t) = (tape.input("x", [3, 5]), tape.input("t", [3, 5]));
        Case { y: x.softmax_cross_entropy(t), wrt: vec![x] }
    },
)];

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::testing::{agrees, agrees_with, differentiates, gpu, run};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_shape((n, k) in (1usize..70, 1usize..12), seed: u64) {
            let tape = Tape::new();
            let (x, t) = (tape.input("x", [n, k]), tape.input("t", [n, k]));
            let y = x.softmax_cross_entropy(t);
            differentiates(&tape, y, &[x], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn no_part_is_empty() {
        for classes in (1..5000).chain((1 << 21) - 5..(1 << 21) + 5000).chain([1 << 22, (1 << 22) + 3]) {
            let parts = super::parts(classes);
            let length = classes.div_ceil(parts);
            assert!((1..=super::PARTS).contains(&parts) && (parts - 1) * length < classes, "{classes}: {parts}");
        }
    }

    #[test]
    fn a_sample_does_not_depend_on_the_next_one() {
        let classes = (1 << 21) + 1;
        let tape = Tape::new();
        let (x, t) = (tape.input("x", [2, classes]), tape.input("t", [2, classes]));
        let loss = x.softmax_cross_entropy(t);
        let (mut logits, mut targets) = (vec![0.0; 2 * classes], vec![0.0; 2 * classes]);
        logits[classes] = 1e4;
        (targets[0], targets[classes]) = (1.0, 1.0);
        let found = run(&tape, &[(x, logits), (t, targets)], &[loss], gpu()).unwrap().0;
        let expected = (classes as f32).ln() / 2.0;
        assert!((found[0][0] - expected).abs() < 1e-4, "{} {expected}", found[0][0]);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let tape = Tape::new();
        let (x, t) = (tape.input("x", [1, 2]), tape.input("t", [1, 2]));
        let loss = x.softmax_cross_entropy(t);
        tape.gradient(loss, &[x]).unwrap();
        let feeds = vec![(x, vec![1000.0, 900.0]), (t, vec![0.0, 1.0])];
        agrees_with(&tape, &feeds).unwrap();
        let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
        assert_eq!(tape.interpret(&slices).unwrap().get(loss), [100.0]);
    }

    /// Loss and gradient for one sample.
    fn on_adapter(logits: [f64; 3], targets: [f64; 3]) -> [Vec<f32>; 2] {
        let tape = Tape::new();
        let (x, t) = (tape.input("x", [1, 3]), tape.input("t", [1, 3]));
        let loss = x.softmax_cross_entropy(t);
        let dx = tape.gradient(loss, &[x]).unwrap()[0];
        let feeds = vec![(x, logits.to_vec()), (t, targets.to_vec())];
        run(&tape, &feeds, &[loss, dx], gpu()).unwrap().0.try_into().unwrap()
    }

    #[test]
    fn a_number_that_is_added_to_all_logits_changes_nothing() {
        let at = |offset: f64| on_adapter([offset, offset - 8.0, offset + 16.0], [0.25, 0.5, 0.25]);
        for offset in [1e6, -1e6, 1e8, -1e8] {
            assert_eq!(at(offset), at(0.0), "{offset}");
        }
        let [loss, _] = on_adapter([1e8, 1e8, f64::NEG_INFINITY], [1.0, 0.0, 0.0]);
        assert!((loss[0] - 2f32.ln()).abs() < 1e-6, "{loss:?}");
    }

    #[test]
    fn an_impossible_class_that_is_not_expected_costs_nothing() {
        let [loss, dx] = on_adapter([0.0, 1.0, f64::NEG_INFINITY], [1.0, 0.0, 0.0]);
        assert!((loss[0] - 1.313_261_7).abs() < 1e-6, "{loss:?}");
        assert!((dx[0] + 0.731_058_6).abs() < 1e-6 && dx[2] == 0.0, "{dx:?}");
        // Where it is expected, the loss is infinite and the gradient is not.
        let [loss, dx] = on_adapter([0.0, 1.0, f64::NEG_INFINITY], [0.0, 0.0, 1.0]);
        assert!(loss[0] == f32::INFINITY && dx[2] == -1.0, "{loss:?} {dx:?}");
    }
}
