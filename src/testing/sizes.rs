//! Every operation, and every variant of its kernels, along each of its axes beyond the bounds at which adapters fail in
//! silence: 65,535 turns of loops in one invocation, and quotients of 2²², from which an estimate in f32 is off by more
//! than one.

use super::{agrees_on, feeds_in, gpu, run};
use crate::compile::lower;
use crate::gpu::Gpu;
use crate::ops::{
    Case, Norm, adam, blocking_variants, examples, lowering, moving_average, update_running, weighted_sum,
};
use crate::tape::{Source, Tape, Var};
use std::collections::BTreeSet;

/// One extent beyond the number of turns of loops, and one beyond 2²². Neither is a multiple of anything.
const EXTENTS: [usize; 2] = [70_001, (1 << 22) + 3];

type Record = for<'t> fn(&'t Tape, usize) -> Case<'t>;

/// A name, and what to record for an axis of an extent.
struct Subject(&'static str, Record);

fn case<'t>(y: Var<'t>, wrt: &[Var<'t>]) -> Case<'t> {
    Case { y, wrt: wrt.to_vec() }
}

/// Reductions, distances and broadcasts of a tensor [N, C, pixels].
fn reductions<'t>(tape: &'t Tape, shape: [usize; 3]) -> Case<'t> {
    let (a, b) = (tape.input("a", shape), tape.input("b", shape));
    let single = [a.mse(b), a.l1(b), a.sum(), a.mean()].into_iter().reduce(|a, b| a + b);
    let sample = [a.mse_per_sample(b), a.l1_per_sample(b), a.sum_per_sample(), a.mean_per_sample()];
    let sample = sample.into_iter().reduce(|a, b| a + b);
    let channels = a.sum_channels().broadcast_channels(shape);
    let (single, sample) = (single.expect("four terms"), sample.expect("four terms"));
    case(single.broadcast(shape) + sample.broadcast(shape) + channels, &[a, b])
}

fn normalised<'t>(tape: &'t Tape, shape: [usize; 3]) -> Case<'t> {
    // Without a kink, at which rounding decides between two gradients.
    let norm = Norm { epsilon: 0.5, slope: 1.0 };
    let x = tape.input("x", shape);
    let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [shape[1]]));
    case(x.batch_norm(gamma, beta, norm).y, &[x, gamma, beta])
}

fn convolved<'t>(tape: &'t Tape, x: [usize; 4], w: [usize; 4]) -> Case<'t> {
    let (x, bias, w) = (tape.input("x", x), tape.input("bias", [w[0]]), tape.input("w", w));
    case(x.conv2d(w, Some(bias), 1, 0), &[x, w, bias])
}

fn transposed<'t>(tape: &'t Tape, x: [usize; 4], w: [usize; 4], stride: usize) -> Case<'t> {
    let (x, bias, w) = (tape.input("x", x), tape.input("bias", [w[1]]), tape.input("w", w));
    case(x.conv_transpose2d(w, Some(bias), stride, 0, 0), &[x, w, bias])
}

fn multiplied<'t>(tape: &'t Tape, [m, k, n]: [usize; 3]) -> Case<'t> {
    let (a, b) = (tape.input("a", [m, k]), tape.input("b", [k, n]));
    case(a.matmul(b), &[a, b])
}

fn elementwise<'t>(tape: &'t Tape, n: usize) -> Case<'t> {
    let [a, b] = ["a", "b"].map(|name| tape.input(name, [n]));
    let y = a.relu() + a.leaky_relu(0.2).tanh() - (a.sigmoid() * b.exp().sqrt()) / b.softplus();
    let weights = tape.input("weights", [3]);
    let seed = tape.input("seed", [1]);
    let factor = tape.input("c", [n]).clip_factor(0.5);
    case(weighted_sum(weights, [y, -a, b * factor]).dropout(seed, 0.3, 7).reshape([1, n]), &[a, b])
}

fn updates<'t>(tape: &'t Tape, n: usize) -> Case<'t> {
    let [p, m, v] = ["p", "m", "v"].map(|name| tape.state(name, [n]));
    let g = tape.input("g", [n]);
    moving_average(tape.state("average", [n]), g, tape.input("rate", [1]));
    let running = ["mean", "variance"].map(|name| tape.state(name, [n]));
    update_running(running, tape.input("statistics", [2, n]), 10, 0.1);
    case(adam([p, m, v], g, tape.input("rates", [2]), [0.5, 0.999], 1e-8), &[])
}

const SUBJECTS: &[Subject] = &[
    Subject("elementwise", elementwise),
    Subject("updates of state", updates),
    Subject("reductions, N", |tape, n| reductions(tape, [n, 1, 3])),
    Subject("reductions, C", |tape, n| reductions(tape, [2, n, 1])),
    Subject("reductions, pixels", |tape, n| reductions(tape, [1, 2, n])),
    Subject("batch norm, N", |tape, n| normalised(tape, [n, 3, 1])),
    Subject("batch norm, C", |tape, n| normalised(tape, [2, n, 1])),
    Subject("batch norm, pixels", |tape, n| normalised(tape, [1, 2, n])),
    Subject("batch norm with fixed statistics", |tape, n| {
        let x = tape.input("x", [2, n, 1]);
        let [mean, variance, gamma, beta] = ["mean", "variance", "gamma", "beta"].map(|name| tape.input(name, [n]));
        let norm = Norm { epsilon: 0.5, slope: 1.0 };
        case(x.batch_norm_fixed([mean, variance], gamma, beta, norm), &[x, gamma, beta])
    }),
    Subject("cross-entropy, N", |tape, n| {
        let (x, t) = (tape.input("x", [n, 3]), tape.input("t", [n, 3]));
        case(x.softmax_cross_entropy(t), &[x])
    }),
    Subject("cross-entropy, K", |tape, n| {
        let (x, t) = (tape.input("x", [3, n]), tape.input("t", [3, n]));
        case(x.softmax_cross_entropy(t), &[x])
    }),
    Subject("samples", |tape, n| {
        let (a, b) = (tape.input("a", [n, 1]), tape.input("b", [3, 1]));
        case(tape.concat(&[b, a, b]).slice(1, n + 1), &[a, b])
    }),
    Subject("product, M", |tape, n| multiplied(tape, [n, 3, 2])),
    Subject("product, K", |tape, n| multiplied(tape, [2, n, 3])),
    Subject("product, N", |tape, n| multiplied(tape, [2, 3, n])),
    Subject("convolution, N", |tape, n| convolved(tape, [n, 1, 1, 3], [2, 1, 1, 1])),
    Subject("convolution, C", |tape, n| convolved(tape, [2, n, 1, 1], [2, n, 1, 1])),
    Subject("convolution, H", |tape, n| convolved(tape, [1, 2, n, 1], [2, 2, 3, 1])),
    Subject("convolution, W", |tape, n| convolved(tape, [1, 2, 1, n], [2, 2, 1, 3])),
    Subject("convolution, O", |tape, n| convolved(tape, [2, 2, 1, 1], [n, 2, 1, 1])),
    Subject("convolution, kernel height", |tape, n| convolved(tape, [1, 1, n + 1, 1], [2, 1, n, 1])),
    Subject("convolution, kernel width", |tape, n| convolved(tape, [1, 1, 1, n + 1], [2, 1, 1, n])),
    Subject("transposed convolution, N", |tape, n| transposed(tape, [n, 1, 1, 3], [1, 2, 1, 1], 1)),
    Subject("transposed convolution, C", |tape, n| transposed(tape, [2, n, 1, 1], [n, 2, 1, 1], 1)),
    Subject("transposed convolution, H", |tape, n| transposed(tape, [1, 2, n, 1], [2, 2, 3, 1], 2)),
    Subject("transposed convolution, W, of many channels", |tape, n| {
        // Nine channels of more pixels exceed the largest binding that every adapter has.
        transposed(tape, [1, 1, 1, n.min(1 << 20)], [1, 9, 1, 2], 2)
    }),
    Subject("transposed convolution, O", |tape, n| transposed(tape, [2, 2, 1, 1], [2, n, 1, 1], 1)),
    Subject("transposed convolution, kernel height", |tape, n| transposed(tape, [1, 1, 2, 1], [1, 2, n, 1], 1)),
    Subject("transposed convolution, kernel width", |tape, n| transposed(tape, [1, 1, 1, 2], [1, 2, 1, n], 1)),
];

/// The tape of a subject, with its gradients.
fn tape_of(Subject(_, record): &Subject, extent: usize) -> Tape {
    let tape = Tape::new();
    let Case { y, wrt } = record(&tape, extent);
    if !wrt.is_empty() {
        tape.vjp(y, tape.input("cotangent", y.shape()), &wrt).expect("the subject has a gradient");
    }
    tape.check().expect("the subject has no misfit");
    tape
}

/// The variants whose kernels for `tape` differ from those of the variants before them.
fn distinct(tape: &Tape) -> Vec<(&'static str, Gpu)> {
    let lines: Vec<_> = tape.all(|node| node.shape.elements() > 0);
    let names: Vec<_> = lines.iter().map(|line| line.line().to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(lines.iter().copied()).collect();
    let mut seen = BTreeSet::new();
    let kernels = |gpu: &Gpu| {
        let lowered = lower(tape, gpu.caps(), &outputs).expect("the subject fits every adapter");
        lowered.commands.kernels().iter().map(|kernel| kernel.describe()).collect::<Vec<_>>()
    };
    let variants = blocking_variants(gpu()).expect("the tests need a second device");
    variants.into_iter().filter(|(_, gpu)| seen.insert(kernels(gpu))).collect()
}

fn check(extent: usize) {
    for subject in SUBJECTS {
        let tape = tape_of(subject, extent);
        let positive = ["t", "v", "rates", "variance", "rate"];
        let feeds = feeds_in(&tape, 3, |name, number| match name {
            "seed" => (1e4 * number.abs()).round(),
            // Gradients of positive numbers do not cancel, so that a missing part of a sum shows.
            name if positive.contains(&name) => number.abs() + 0.1,
            _ => number,
        });
        let variants = distinct(&tape);
        agrees_on(&variants, &tape, &feeds).unwrap_or_else(|e| panic!("{}, {extent}: {e}", subject.0));
    }
}

#[test]
fn axes_beyond_the_turns_of_a_loop() {
    check(EXTENTS[0]);
}

#[test]
#[ignore = "takes minutes; .ci/run runs it"]
fn axes_beyond_the_quotients_of_an_estimate() {
    check(EXTENTS[1]);
}

/// The result of `record` on inputs that are `value` everywhere, on every variant.
fn constant_case(value: f64, record: for<'t> fn(&'t Tape) -> Var<'t>) -> Vec<Vec<f32>> {
    let tape = Tape::new();
    let y = record(&tape);
    let feeds = feeds_in(&tape, 1, |_, _| value);
    let variants = blocking_variants(gpu()).expect("the tests need a second device");
    let result = |(_, gpu): &(_, Gpu)| run(&tape, &feeds, &[y], gpu).unwrap_or_else(|e| panic!("{e}")).0.remove(0);
    variants.iter().map(result).collect()
}

#[test]
fn long_sums_have_their_closed_forms() {
    let all = |results: Vec<Vec<f32>>, expected: f32| {
        assert!(results.iter().flatten().all(|y| (y / expected - 1.0).abs() < 1e-5), "{results:?} for {expected}");
    };
    let classes = constant_case(3.0, |tape| {
        let t = tape.constant(1.0 / 50_257.0, [1, 50_257]);
        tape.input("x", [1, 50_257]).softmax_cross_entropy(t)
    });
    all(classes, 50_257f32.ln());
    all(constant_case(1.5, |tape| tape.input("x", [32_768, 512]).sum_channels()), 49_152.0);
    let product = constant_case(0.5, |tape| tape.input("a", [2, 150_528]).matmul(tape.constant(1.0, [150_528, 3])));
    all(product, 75_264.0);
}

/// The names of the operations on a tape.
fn operations(tape: &Tape) -> BTreeSet<String> {
    let lowered = |source: &Source| matches!(source, Source::Op(op) if lowering(&**op).is_some());
    tape.all(|node| lowered(&node.source)).into_iter().map(Var::name).collect()
}

#[test]
fn the_subjects_cover_every_operation() {
    let covered: BTreeSet<String> = SUBJECTS.iter().flat_map(|subject| operations(&tape_of(subject, 5))).collect();
    let mut listed = BTreeSet::new();
    for (_, example) in examples() {
        let tape = Tape::new();
        let Case { y, wrt } = (example.record)(&tape);
        if !wrt.is_empty() {
            tape.vjp(y, tape.input("cotangent", y.shape()), &wrt).unwrap();
        }
        listed.extend(operations(&tape));
    }
    let missing: Vec<_> = listed.difference(&covered).collect();
    assert!(missing.is_empty(), "no subject has {missing:?}");
}
