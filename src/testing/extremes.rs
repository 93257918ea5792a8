//! Every operation, and every variant of its kernels, on the extremes of f32: each line against its f64 reference on the operands that the adapter had.

use super::{Feeds, feeds_in, gpu, run};
use crate::gpu::Gpu;
use crate::ops::{Case, Example, blocking_variants, examples};
use crate::tape::{Op, Source, Tape, Tensor, Var};

/// Numbers that kernels get wrong first.
const EXTREMES: [f64; 12] =
    [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, 1e-40, -1e-40, 1e-38, -1e-38, 1e38, -1e38, 1e-6];

/// The smallest positive f32 that adapters may not replace with zero.
const NORMAL: f64 = f32::MIN_POSITIVE as f64;

/// Whether `found` agrees with `expected`. What is not finite must not become finite, and the other way about. An infinity
/// may become a NaN on the way, but no infinity of the other sign. The absolute tolerance is for sums that cancel.
fn agrees(found: f64, expected: f64, absolute: f64) -> bool {
    let overflows = |x: f64| x.is_nan() || x.abs() > f64::from(f32::MAX);
    match (overflows(found), overflows(expected)) {
        (true, true) => found.is_nan() || expected.is_nan() || found.signum() == expected.signum(),
        (false, false) => (found - expected).abs() <= 2e-5 * expected.abs() + absolute,
        _ => false,
    }
}

/// The results that a driver may give: adapters may read a subnormal operand as zero.
fn references(op: &dyn Op, operands: &[Tensor<'_>], var: Var<'_>) -> [Vec<f64>; 2] {
    let flushed: Vec<Vec<f64>> = operands
        .iter()
        .map(|tensor| tensor.data.iter().map(|&x| if x.abs() < NORMAL { 0f64.copysign(x) } else { x }).collect())
        .collect();
    let zeroed: Vec<Tensor<'_>> =
        operands.iter().zip(&flushed).map(|(tensor, data)| Tensor { shape: tensor.shape, data }).collect();
    [op.reference(operands, &var.shape()), op.reference(&zeroed, &var.shape())]
}

/// Runs `tape` with `feeds`, and returns the first element that is none of the results of its reference.
fn first_wrong(tape: &Tape, feeds: &Feeds<'_>, gpu: &Gpu) -> Option<String> {
    let lines = tape.all(|node| matches!(&node.source, Source::Op(op) if op.writes().is_empty()));
    let (found, _) = run(tape, feeds, &lines, gpu).unwrap_or_else(|e| panic!("{e}"));
    let found: Vec<Vec<f64>> = found.iter().map(|data| data.iter().map(|&x| f64::from(x)).collect()).collect();
    let nodes = tape.nodes();
    let constants = nodes.iter().map(|node| match node.source {
        Source::Constant(value) => vec![f64::from(value); node.shape.elements()],
        _ => vec![],
    });
    let constants: Vec<Vec<f64>> = constants.collect();
    let value_of = |id: usize| -> &[f64] {
        let fed = feeds.iter().find(|(var, _)| var.line() == id).map(|(_, data)| data.as_slice());
        let computed = lines.iter().position(|var| var.line() == id).map(|i| found[i].as_slice());
        fed.or(computed).unwrap_or(&constants[id])
    };
    for (var, found) in lines.iter().zip(&found) {
        let node = &nodes[var.line()];
        let Source::Op(op) = &node.source else { continue };
        let operands: Vec<_> =
            node.inputs.iter().map(|&i| Tensor { shape: &nodes[i].shape, data: value_of(i) }).collect();
        let expected = references(&**op, &operands, *var);
        // Functions of single elements have no sums that cancel.
        let absolute = if operands.iter().all(|x| *x.shape == var.shape()) { 2.0 * NORMAL } else { 2e-6 };
        let border = node.name().contains("convolution");
        let right = |i: usize| {
            // A convolution multiplies the zeros outside its image too, and 0·∞ is a NaN.
            border && found[i].is_nan() && operands.iter().any(|x| x.data.iter().any(|x| !x.is_finite()))
                || expected.iter().any(|e| agrees(found[i], e[i], absolute))
        };
        let wrong = (0..found.len()).find(|&i| !right(i));
        if let Some(i) = wrong {
            let expected = expected[0][i];
            return Some(format!("{var:?}: element {i} is {}, the reference says {expected}", found[i]));
        }
    }
    None
}

/// The tape of an example with its gradients.
fn record(example: &Example) -> Tape {
    let tape = Tape::new();
    let Case { y, wrt } = (example.record)(&tape);
    if !wrt.is_empty() {
        tape.vjp(y, tape.input("cotangent", y.shape()), &wrt).unwrap();
    }
    tape
}

#[test]
fn every_operation_agrees_with_its_reference_on_extremes() {
    let mut wrong = vec![];
    let variants = blocking_variants(gpu()).expect("the tests need a second device");
    // The compilers of Metal and DirectX 12 may assume that nothing is infinite or NaN.
    let assumes_finite = ["Metal", "Dx12"].contains(&gpu().caps().backend.as_str());
    for (module, example) in examples() {
        let tape = record(&example);
        let fed = feeds_in(&tape, 5, example.domain);
        // A seed is a whole number up to 2²⁴.
        for (i, (var, _)) in fed.iter().enumerate().filter(|(_, (var, _))| var.name() != "seed") {
            for extreme in EXTREMES.into_iter().filter(|x| !assumes_finite || x.abs() < 1.0) {
                let mut feeds = fed.clone();
                feeds[i].1[0] = f64::from(extreme as f32);
                for (variant, gpu) in &variants {
                    if let Some(message) = first_wrong(&tape, &feeds, gpu) {
                        let (usage, name) = (example.usage, var.name());
                        wrong.push(format!("{variant}: {module}: {usage} with {name} = {extreme:e}: {message}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong results:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_empty_batch_is_a_misfit() {
    for name in ["input", "state", "constant"] {
        let tape = Tape::new();
        let x = match name {
            "input" => tape.input("x", [0, 3]),
            "state" => tape.state("x", [0, 3]),
            _ => tape.constant(1.0, [0, 3]),
        };
        x.tanh().sum();
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("of shape [0, 3] has no elements") && error.contains("extremes.rs"), "{error}");
    }
}
