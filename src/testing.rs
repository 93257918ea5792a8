//! What the tests of the operations share: random feeds, the comparison of every line with the f64 interpreter, and
//! central differences.

use crate::gpu::{Gpu, Store};
use crate::native::{open, wait};
use crate::ops::{compile, variants};
use crate::tape::{Source, Tape, Values, Var};
use proptest::test_runner::TestCaseError;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The result of a check, for `?` in property tests.
pub type Check = Result<(), TestCaseError>;

/// One device for all tests of a process.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| open(None).expect("the tests need an adapter"))
}

fn fail(message: String) -> TestCaseError {
    TestCaseError::fail(message)
}

/// A random number in [-1, 1] for every element of every input and state.
pub fn feeds(tape: &Tape, seed: u64) -> Vec<(Var<'_>, Vec<f64>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let fed = tape.all(|node| matches!(node.source, Source::Input(_) | Source::State(_)));
    let mut number = || f64::from(rng.random_range(-1.0f32..1.0));
    fed.into_iter().map(|v| (v, (0..v.shape().elements()).map(|_| number()).collect())).collect()
}

/// Runs `tape` with random feeds, and compares every line with the interpreter, in every variant of its kernels.
pub fn agrees(tape: &Tape, seed: u64) -> Check {
    agrees_with(tape, &feeds(tape, seed))
}

/// Runs `tape` on the adapter, and compares every line and every state with the interpreter: with the kernels meant for
/// this adapter, and with those meant for others.
pub fn agrees_with(tape: &Tape, feeds: &[(Var<'_>, Vec<f64>)]) -> Check {
    let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
    let expected = tape.interpret(&slices).map_err(|e| fail(e.to_string()))?;
    let lines = tape.all(|n| matches!(&n.source, Source::Op(op) if op.writes().is_empty()));
    for (_, caps) in variants(gpu().caps()) {
        let (found, states) = run(tape, feeds, &lines, &gpu().with_caps(caps))?;
        for (var, found) in lines.iter().zip(&found) {
            close(&format!("{var:?}"), found, expected.get(*var), cancelled(tape, &expected, *var))?;
        }
        for (var, _) in feeds.iter().filter(|(v, _)| states.contains_key(&v.name())) {
            close(&format!("{var:?} after the run"), &states[&var.name()], expected.get(*var), 1.0)?;
        }
    }
    Ok(())
}

/// What a run left: the values of the outputs in order, and all state by name.
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
        wait(gpu, store.set(gpu, &var.name(), &single(data))).map_err(|e| error(&e))?;
    }
    let program = wait(gpu, compile(gpu, &store, tape, &outputs)).map_err(|e| error(&e))?;
    for (var, data) in feeds.iter().filter(|(v, _)| !is_state(v)) {
        program.write(&var.name(), &single(data)).map_err(|e| error(&e))?;
    }
    program.run().map_err(|e| error(&e))?;
    let names: Vec<_> = outputs.iter().map(|(name, _)| *name).collect();
    let found = wait(gpu, program.read(&names)).map_err(|e| error(&e))?;
    let states = wait(gpu, store.read(gpu)).map_err(|e| error(&e))?;
    Ok((found, states))
}

fn greatest(data: &[f64]) -> f64 {
    data.iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// What the partial sums of a line may grow to before they cancel: a walk of so many random steps.
fn cancelled(tape: &Tape, values: &Values, var: Var<'_>) -> f64 {
    let lines = tape.all(|_| true);
    let inputs: Vec<_> = tape.nodes()[var.line()].inputs.iter().map(|&i| values.get(lines[i])).collect();
    let steps = inputs.iter().map(|data| data.len().div_ceil(var.shape().elements())).max().unwrap_or_default();
    let step = inputs.iter().map(|data| greatest(data)).fold(1.0, f64::max);
    step * (steps as f64).sqrt()
}

/// Fails where f32 results are further from the f64 reference than rounding explains, intermediate results having been
/// as large as `partial`.
pub fn close(what: &str, found: &[f32], expected: &[f64], partial: f64) -> Check {
    let tolerance = 2e-5 * greatest(expected) + 1e-6 * partial;
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

/// Compares the gradient rule of everything between `wrt` and `y` with central differences in f64: the derivative of
/// Σ gᵢ·yᵢ along a random direction, for each variable of `wrt`. Appends the gradients to the tape.
pub fn differentiates<'t>(tape: &'t Tape, y: Var<'t>, wrt: &[Var<'t>], seed: u64) -> Check {
    let g = tape.input(&format!("cotangent of {}", y.line()), y.shape());
    let gradients = tape.vjp(y, g, wrt).map_err(|e| fail(e.to_string()))?;
    let fed = feeds(tape, seed ^ 1);
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
        // A difference across a kink is wrong for one step size, a wrong rule for all.
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
