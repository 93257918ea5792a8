//! Line-by-line execution of a compiled tape, to find the first faulty line.

use super::Compiled;
use crate::gpu::GpuError;
use crate::tape::{Node, Source, Tape, Tensor};
use std::fmt;

/// The fault to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// An output with an infinite element or a NaN.
    Finite,
    /// An output further from the f64 reference on the same inputs than f32 rounding explains.
    Reference,
}

/// The first faulty line.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The description of the line.
    pub line: String,
    /// The fault of its output.
    pub wrong: String,
    /// Line, name, shape, minimum and maximum of each input.
    pub inputs: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.line, self.wrong)?;
        self.inputs.iter().try_for_each(|input| write!(f, "\n  input {input}"))
    }
}

/// Tolerated distance of a kernel from its reference, relative to the largest magnitude of the reference.
const TOLERANCE: f64 = 1e-4;

/// Tolerated distance relative to the magnitude of the partial sums of a line.
pub(crate) const PARTIAL_TOLERANCE: f64 = 1e-6;

/// Estimated magnitude of the partial sums of a line before they cancel: a random walk with one step per summed element
/// and the largest operand, at least 1, as the step size. Infinite operands and NaN do not count.
pub(crate) fn partial_sums(inputs: &[&[f64]], outputs: usize) -> f64 {
    let steps = inputs.iter().map(|data| data.len().div_ceil(outputs.max(1))).max().unwrap_or_default();
    let finite = inputs.iter().flat_map(|data| data.iter()).filter(|x| x.is_finite());
    finite.fold(1.0, |m, x| x.abs().max(m)) * (steps as f64).sqrt()
}

impl Compiled {
    /// Runs the program line by line, and returns the first line with the fault `check`, or `None` if there is none.
    /// `tape` must be the tape that the program was compiled from. State is updated as in any run, up to that line.
    ///
    /// # Errors
    /// An error of the adapter.
    pub async fn check(&self, tape: &Tape, check: Check) -> Result<Option<Finding>, GpuError> {
        let nodes = tape.nodes().to_vec();
        for (id, node) in nodes.iter().enumerate().take(self.lines()) {
            let (Source::Op(op), Some(output)) = (&node.source, self.line(id)) else { continue };
            if !self.program().has_line(id) {
                continue;
            }
            let memory = |&i: &usize| self.line(i).expect("the inputs of a compiled line are compiled too");
            let inputs: Vec<_> = node.inputs.iter().map(memory).collect();
            let before = self.program().read(&inputs).await?;
            self.program().run_line(id)?;
            let changed = match op.writes() {
                [] => vec![output],
                writes => writes.iter().map(|&i| inputs[i]).collect(),
            };
            let found = self.program().read(&changed).await?.concat();
            let wrong = match check {
                Check::Finite => not_finite(&found),
                Check::Reference => {
                    let before: Vec<Vec<f64>> = before.iter().map(|b| b.iter().map(|&x| x.into()).collect()).collect();
                    let shapes = node.inputs.iter().map(|&i| &nodes[i].shape);
                    let tensors: Vec<_> = shapes.zip(&before).map(|(shape, data)| Tensor { shape, data }).collect();
                    let operands: Vec<_> = before.iter().map(Vec::as_slice).collect();
                    let partial = partial_sums(&operands, node.shape.elements());
                    off(&found, &op.reference(&tensors, &node.shape), partial)
                }
            };
            if let Some(wrong) = wrong {
                let inputs = node.inputs.iter().zip(&before).map(|(&i, data)| extremes(&nodes[i], i, data)).collect();
                return Ok(Some(Finding { line: tape.describe(id), wrong, inputs }));
            }
        }
        Ok(None)
    }
}

fn not_finite(found: &[f32]) -> Option<String> {
    let first = found.iter().position(|x| !x.is_finite())?;
    let count = found.iter().filter(|x| !x.is_finite()).count();
    Some(format!("{count} of {} elements are not finite, the first is {} at {first}", found.len(), found[first]))
}

fn off(found: &[f32], expected: &[f64], partial: f64) -> Option<String> {
    let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let tolerance = TOLERANCE * scale + PARTIAL_TOLERANCE * partial;
    let distance = |(i, (&f, &e)): (usize, (&f32, &f64))| (i, (f64::from(f) - e).abs(), f, e);
    let worst = found.iter().zip(expected).enumerate().map(distance).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (i, distance, found, expected) = worst;
    // In total order a positive NaN is the greatest number, so that `max_by` finds it.
    let off = distance.is_nan() || distance > tolerance;
    off.then(|| format!("element {i} is {found}, its f64 reference {expected}; the tolerance is {tolerance:.1e}"))
}

fn extremes(node: &Node, line: usize, data: &[f32]) -> String {
    let (least, greatest) = data.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, g), &x| (l.min(x), g.max(x)));
    let odd = data.iter().filter(|x| !x.is_finite()).count();
    let odd = if odd > 0 { format!(", {odd} not finite") } else { String::new() };
    format!("%{line} {} {}: from {least} to {greatest}{odd}", node.name(), node.shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::blocking_compile;
    use crate::gpu::Store;
    use crate::tape::Var;
    use crate::testing::gpu;

    fn check(tape: &Tape, y: Var<'_>, x: &[f32], kind: Check) -> Option<Finding> {
        let program = blocking_compile(gpu(), &Store::new(), tape, &[("y", y)]).unwrap();
        program.write("x", x).unwrap();
        program.blocking_check(tape, kind).unwrap()
    }

    #[test]
    fn the_first_line_that_is_not_finite_is_named() {
        let tape = Tape::new();
        let x = tape.input("x", [3]);
        let whole = 2.0 * x;
        let broken = x / whole;
        let y = broken + whole;
        assert_eq!(check(&tape, y, &[1.0, 2.0, 3.0], Check::Finite), None);
        let found = check(&tape, y, &[1.0, 0.0, 3.0], Check::Finite).unwrap();
        assert_eq!(found.line, tape.describe(broken.line()));
        assert!(found.wrong.contains("1 of 3") && found.wrong.contains("at 1"), "{found}");
        assert!(found.inputs[1].contains("from 0 to 6"), "{found}");
    }

    #[test]
    fn the_first_line_that_is_off_its_reference_is_named() {
        assert_eq!(off(&[1.0, 2.0], &[1.0, 2.00001], 1.0), None);
        assert!(off(&[1.0, 2.0], &[1.0, 2.1], 1.0).unwrap().contains("element 1"));
        assert!(off(&[f32::NAN], &[1.0], 1.0).is_some());
        let tape = Tape::new();
        let x = tape.input("x", [4]);
        let y = x + 3.0 * x;
        assert_eq!(check(&tape, y, &[1.0, -2.0, 0.5, 0.0], Check::Reference), None);
    }

    #[test]
    fn sums_that_cancel_are_no_fault() {
        // 196 terms of magnitude 15 that cancel to 6e-6, as a training of width 1 has them.
        let terms: Vec<f64> = (0..196).map(|i| if i % 2 == 0 { 15.0 } else { -15.0 }).collect();
        let partial = partial_sums(&[&terms], 2);
        assert_eq!(partial, 15.0 * 98f64.sqrt());
        assert_eq!(off(&[0.0000095], &[0.0000062], partial), None);
        assert!(off(&[0.001], &[0.0000062], partial).is_some());
        let tape = Tape::new();
        let x = tape.input("x", [1024]);
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let x_data: Vec<f32> = (0..1024).map(|i| sign(i) * (15.3 + 0.01 * (i / 2) as f32)).collect();
        assert_eq!(check(&tape, x.sum(), &x_data, Check::Reference), None);
    }
}
