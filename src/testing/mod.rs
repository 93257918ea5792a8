//! Shared tools for the tests of the operations: random feeds, comparison of every line with the f64 interpreter, and
//! central differences.

mod extremes;
mod sizes;

use crate::compile::{PARTIAL_TOLERANCE, blocking_compile, partial_sums};
use crate::gpu::{Gpu, Store};
use crate::native::open;
use crate::ops::blocking_variants;
use crate::tape::{Source, Tape, Values, Var};
use proptest::test_runner::TestCaseError;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The result of a check, for `?` in property tests.
pub type Verdict = Result<(), TestCaseError>;

/// The device that all tests of a process share.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| open(None).expect("the tests need an adapter"))
}

fn fail(message: String) -> TestCaseError {
    TestCaseError::fail(message)
}

/// The contents of each input and state.
pub type Feeds<'t> = Vec<(Var<'t>, Vec<f64>)>;

/// Random feeds: a number from [-1, 1) for every element of every input and state.
pub fn feeds(tape: &Tape, seed: u64) -> Feeds<'_> {
    feeds_in(tape, seed, |_, number| number)
}

/// Random feeds within a domain: `domain` maps the name of an input or state and a random number from [-1, 1) to a
/// valid element.
pub fn feeds_in(tape: &Tape, seed: u64, domain: impl Fn(&str, f64) -> f64) -> Feeds<'_> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let fed = tape.all(|node| matches!(node.source, Source::Input(_) | Source::State(_)));
    // Rounded to f32, so that the adapter gets exactly the same numbers.
    let mut number = |name: &str| f64::from(domain(name, f64::from(rng.random_range(-1.0f32..1.0))) as f32);
    fed.into_iter().map(|v| (v, (0..v.shape().elements()).map(|_| number(&v.name())).collect())).collect()
}

/// [`agrees_with`] for random feeds.
pub fn agrees(tape: &Tape, seed: u64) -> Verdict {
    agrees_with(tape, &feeds(tape, seed))
}

/// Runs `tape` on the adapter, and compares every line and every state with the interpreter, for every variant of the
/// kernels that the adapter can run.
pub fn agrees_with(tape: &Tape, feeds: &[(Var<'_>, Vec<f64>)]) -> Verdict {
    agrees_on(&blocking_variants(gpu()).map_err(|e| fail(e.to_string()))?, tape, feeds)
}

/// [`agrees_with`] for some of the variants.
fn agrees_on(variants: &[(&'static str, Gpu)], tape: &Tape, feeds: &[(Var<'_>, Vec<f64>)]) -> Verdict {
    let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
    let expected = tape.interpret(&slices).map_err(|e| fail(e.to_string()))?;
    let lines = tape.all(|n| matches!(&n.source, Source::Op(op) if op.writes().is_empty()));
    // The rounding of a line's operands is that of their own partial sums.
    let mut partial = vec![];
    for (var, node) in tape.all(|_| true).into_iter().zip(tape.nodes().iter()) {
        let operands = node.inputs.iter().map(|&i| partial[i]);
        partial.push(operands.fold(cancelled(tape, &expected, var), f64::max));
    }
    for (variant, gpu) in variants {
        let (found, states) = run(tape, feeds, &lines, gpu)?;
        for (var, found) in lines.iter().zip(&found) {
            close(&format!("{variant}: {var:?}"), found, expected.get(*var), partial[var.line()])?;
        }
        for (var, _) in feeds.iter().filter(|(v, _)| states.contains_key(&v.name())) {
            close(&format!("{variant}: {var:?} after the run"), &states[&var.name()], expected.get(*var), 1.0)?;
        }
    }
    Ok(())
}

/// The outcome of a run: the contents of the outputs in order, and of all state by name.
type Outcome = (Vec<Vec<f32>>, BTreeMap<String, Vec<f32>>);

/// Compiles and runs `tape` once.
pub fn run(
    tape: &Tape,
    feeds: &[(Var<'_>, Vec<f64>)],
    outputs: &[Var<'_>],
    gpu: &Gpu,
) -> Result<Outcome, TestCaseError> {
    let error = |e: &dyn std::fmt::Display| fail(e.to_string());
    let names: Vec<_> = outputs.iter().map(|v| v.line().to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(outputs.iter().copied()).collect();
    let mut store = Store::new();
    let single = |data: &[f64]| data.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let is_state = |v: &Var<'_>| matches!(tape.nodes()[v.line()].source, Source::State(_));
    for (var, data) in feeds.iter().filter(|(v, _)| is_state(v)) {
        store.blocking_set(gpu, &var.name(), &single(data)).map_err(|e| error(&e))?;
    }
    let program = blocking_compile(gpu, &store, tape, &outputs).map_err(|e| error(&e))?;
    for (var, data) in feeds.iter().filter(|(v, _)| !is_state(v)) {
        program.write(&var.name(), &single(data)).map_err(|e| error(&e))?;
    }
    program.run().map_err(|e| error(&e))?;
    let names: Vec<_> = outputs.iter().map(|(name, _)| *name).collect();
    let mut found = vec![];
    // In pieces, since one transfer may not exceed the maximum size of a buffer.
    for names in names.chunks(4) {
        found.extend(program.blocking_read(names).map_err(|e| error(&e))?);
    }
    let states = store.blocking_read(gpu).map_err(|e| error(&e))?;
    Ok((found, states))
}

fn greatest(data: &[f64]) -> f64 {
    data.iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// Estimated magnitude of the partial sums of a line before they cancel.
fn cancelled(tape: &Tape, values: &Values, var: Var<'_>) -> f64 {
    let lines = tape.all(|_| true);
    let inputs: Vec<_> = tape.nodes()[var.line()].inputs.iter().map(|&i| values.get(lines[i])).collect();
    partial_sums(&inputs, var.shape().elements())
}

/// Fails if the f32 results are further from the f64 reference than rounding explains. `partial` is the magnitude of
/// the intermediate results.
pub fn close(what: &str, found: &[f32], expected: &[f64], partial: f64) -> Verdict {
    let tolerance = 2e-5 * greatest(expected) + PARTIAL_TOLERANCE * partial;
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let distance = (f64::from(f) - e).abs();
        if distance.is_nan() || distance > tolerance {
            return Err(fail(format!("{what}: element {i} is {f}, the reference says {e} (tolerance {tolerance:e})")));
        }
    }
    match found.len() == expected.len() {
        true => Ok(()),
        false => Err(fail(format!("{what}: {} elements, expected {}", found.len(), expected.len()))),
    }
}

/// Compares the gradient rules of all operations between `wrt` and `y` with central differences in f64. For each
/// variable of `wrt`, compares the derivative of Σ gᵢ·yᵢ along a random direction. Appends the gradients to the tape.
pub fn differentiates<'t>(tape: &'t Tape, y: Var<'t>, wrt: &[Var<'t>], seed: u64) -> Verdict {
    differentiates_on(tape, y, wrt, &feeds(tape, seed ^ 1), seed)
}

/// [`differentiates`] at the point `fed`.
pub fn differentiates_on<'t>(tape: &'t Tape, y: Var<'t>, wrt: &[Var<'t>], fed: &Feeds<'t>, seed: u64) -> Verdict {
    let g = tape.input(&format!("cotangent of {}", y.line()), y.shape());
    let gradients = tape.vjp(y, g, wrt).map_err(|e| fail(e.to_string()))?;
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 3);
    let cotangent: Vec<f64> = (0..y.shape().elements()).map(|_| random.random_range(-1.0..1.0)).collect();
    let fed: Feeds<'t> = fed.iter().cloned().chain([(g, cotangent)]).collect();
    let run = |moved: Option<(Var<'_>, &[f64], f64)>| {
        let data: Vec<(Var<'_>, Vec<f64>)> = fed
            .iter()
            .map(|(v, data)| match moved {
                Some((m, d, h)) if m.line() == v.line() => (*v, data.iter().zip(d).map(|(x, d)| x + h * d).collect()),
                _ => (*v, data.clone()),
            })
            .collect();
        let slices: Vec<_> = data.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        tape.interpret(&slices).map_err(|e| fail(e.to_string()))
    };
    let at = run(None)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 2);
    for (v, gradient) in wrt.iter().zip(&gradients) {
        let direction: Vec<f64> = (0..v.shape().elements()).map(|_| rng.random_range(-1.0..1.0)).collect();
        let along = |h: f64| -> Result<f64, TestCaseError> {
            let values = run(Some((*v, &direction, h)))?;
            Ok(values.get(y).iter().zip(values.get(g)).map(|(y, g)| y * g).sum())
        };
        let analytic: f64 = at.get(*gradient).iter().zip(&direction).map(|(g, d)| g * d).sum();
        // A difference across a kink disagrees for some step sizes. A wrong rule disagrees for all of them.
        let mut numeric = vec![];
        let agrees = |n: &f64| (n - analytic).abs() <= 1e-5 * (1.0 + n.abs().max(analytic.abs()));
        for h in [1e-6, 1e-7, 1e-8] {
            numeric.push((along(h)? - along(-h)?) / (2.0 * h));
            if numeric.iter().any(agrees) {
                break;
            }
        }
        if !numeric.iter().any(agrees) {
            return Err(fail(format!("∂{y:?}/∂{v:?} along a direction: rule {analytic}, differences {numeric:?}")));
        }
    }
    Ok(())
}
