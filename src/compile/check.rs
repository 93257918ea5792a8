//! Line-by-line execution of a compiled tape, to find the first faulty line.

use super::Compiled;
use crate::gpu::GpuError;
use crate::tape::{Node, Op, Source, Tape, Tensor};
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
pub const TOLERANCE: f64 = 1e-4;

/// Tolerated distance relative to the magnitude of the partial sums of a line.
pub(crate) const PARTIAL_TOLERANCE: f64 = 1e-6;

/// Estimated magnitude of the partial sums of a line before they cancel: a random walk with one step per summed element
/// and the largest operand, at least 1, as the step size. Infinite operands and NaN do not count.
pub(crate) fn partial_sums(inputs: &[&[f64]], outputs: usize) -> f64 {
    let steps = inputs.iter().map(|data| data.len().div_ceil(outputs.max(1))).max().unwrap_or_default();
    let finite = inputs.iter().flat_map(|data| data.iter()).filter(|x| x.is_finite());
    finite.fold(1.0, |m, x| x.abs().max(m)) * (steps as f64).sqrt()
}

/// A line that has run, with its operands before the run and its output after it.
struct Executed<'a> {
    id: usize,
    nodes: &'a [Node],
    op: &'a dyn Op,
    before: &'a [Vec<f32>],
    found: &'a [f32],
}

impl Compiled {
    /// Runs the program line by line, and returns the first line with the fault `check`, or `None` if there is none.
    /// `tape` must be the tape that the program was compiled from. State is updated as in any run, up to that line.
    ///
    /// # Errors
    /// Another tape; an error of the adapter.
    pub async fn check(&self, tape: &Tape, check: Check) -> Result<Option<Finding>, GpuError> {
        match check {
            Check::Finite => self.first(tape, |_| true, |line| not_finite(line.found)).await,
            Check::Reference => self.compare(tape, |_| true, |_, _| {}).await,
        }
    }

    /// [`check`](Self::check) for [`Check::Reference`] of the lines that `wanted` accepts by their number, which also hands
    /// each of them with its error to `each`. The error is the greatest distance of an element from its f64 reference, relative to the largest magnitude of the reference plus
    /// a hundredth of that of the line's partial sums. Above [`TOLERANCE`] it is a fault.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub async fn compare(
        &self,
        tape: &Tape,
        wanted: impl Fn(usize) -> bool,
        mut each: impl FnMut(usize, f64),
    ) -> Result<Option<Finding>, GpuError> {
        self.first(tape, wanted, |Executed { id, nodes, op, before, found }| {
            let before: Vec<Vec<f64>> = before.iter().map(|b| b.iter().map(|&x| x.into()).collect()).collect();
            let shapes = nodes[id].inputs.iter().map(|&i| &nodes[i].shape);
            let tensors: Vec<_> = shapes.zip(&before).map(|(shape, data)| Tensor { shape, data }).collect();
            let operands: Vec<_> = before.iter().map(Vec::as_slice).collect();
            let partial = partial_sums(&operands, nodes[id].shape.elements());
            let worst = Worst::of(found, &op.reference(&tensors, &nodes[id].shape), partial)?;
            each(id, worst.error());
            worst.fault()
        })
        .await
    }

    /// Runs the program line by line, up to the first of the `wanted` lines in which `fault` finds one.
    async fn first(
        &self,
        tape: &Tape,
        wanted: impl Fn(usize) -> bool,
        mut fault: impl FnMut(Executed<'_>) -> Option<String>,
    ) -> Result<Option<Finding>, GpuError> {
        if !self.lowered.is_of(tape) {
            let what = "the check of a program".into();
            return Err(GpuError::Validation { what, reason: "it was compiled from another tape".into() });
        }
        let nodes = tape.nodes().to_vec();
        for (id, node) in nodes.iter().enumerate().take(self.lines()) {
            let (Source::Op(op), Some(output)) = (&node.source, self.line(id)) else { continue };
            if !self.program().has_line(id) {
                continue;
            }
            if !wanted(id) {
                self.program().run_line(id)?;
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
            let executed = Executed { id, nodes: &nodes, op: op.as_ref(), before: &before, found: &found };
            if let Some(wrong) = fault(executed) {
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

/// The element of an output that is furthest from its f64 reference.
struct Worst {
    element: usize,
    found: f32,
    expected: f64,
    distance: f64,
    /// The distance that is tolerated.
    tolerance: f64,
}

impl Worst {
    /// `partial` is the magnitude of the partial sums. An output without elements has no worst one.
    fn of(found: &[f32], expected: &[f64], partial: f64) -> Option<Self> {
        let finite = expected.iter().filter(|x| x.is_finite());
        let scale = finite.fold(0.0f64, |m, x| m.max(x.abs()));
        let tolerance = TOLERANCE * scale + PARTIAL_TOLERANCE * partial;
        let worst = |(element, (&found, &expected)): (usize, (&f32, &f64))| Self {
            element,
            found,
            expected,
            // Equal infinities have no difference.
            distance: if f64::from(found) == expected { 0.0 } else { (f64::from(found) - expected).abs() },
            tolerance,
        };
        // In total order a positive NaN is the greatest number, so that `max_by` finds it.
        found.iter().zip(expected).enumerate().map(worst).max_by(|a, b| a.distance.total_cmp(&b.distance))
    }

    fn error(&self) -> f64 {
        TOLERANCE * self.distance / self.tolerance
    }

    fn fault(&self) -> Option<String> {
        let Self { element, found, expected, distance, tolerance } = self;
        let off = distance.is_nan() || distance > tolerance;
        off.then(|| {
            format!("element {element} is {found}, its f64 reference {expected}; the tolerance is {tolerance:.1e}")
        })
    }
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
        let program = blocking_compile(gpu(), &Store::new(), &tape, &[("y", y)]).unwrap();
        let other = program.blocking_check(&Tape::new(), Check::Finite).unwrap_err().to_string();
        assert!(other.contains("compiled from another tape"), "{other}");
        let found = check(&tape, y, &[1.0, 0.0, 3.0], Check::Finite).unwrap();
        assert_eq!(found.line, tape.describe(broken.line()));
        assert!(found.wrong.contains("1 of 3") && found.wrong.contains("at 1"), "{found}");
        assert!(found.inputs[1].contains("from 0 to 6"), "{found}");
    }

    fn off(found: &[f32], expected: &[f64], partial: f64) -> Option<String> {
        Worst::of(found, expected, partial)?.fault()
    }

    #[test]
    fn the_first_line_that_is_off_its_reference_is_named() {
        assert_eq!(off(&[1.0, 2.0], &[1.0, 2.00001], 1.0), None);
        assert!(off(&[1.0, 2.0], &[1.0, 2.1], 1.0).unwrap().contains("element 1"));
        assert!(off(&[f32::NAN], &[1.0], 1.0).is_some());
        // An infinity that is expected is no fault, and hides none.
        let infinite = [f64::INFINITY, 1.0];
        assert_eq!(off(&[f32::INFINITY, 1.0], &infinite, 1.0), None);
        assert!(off(&[f32::INFINITY, 1.1], &infinite, 1.0).unwrap().contains("element 1"));
        assert!(off(&[f32::NEG_INFINITY, 1.0], &infinite, 1.0).unwrap().contains("element 0"));
        assert!(off(&[1.0, 1.0], &infinite, 1.0).unwrap().contains("element 0"));
        let tape = Tape::new();
        let x = tape.input("x", [4]);
        let y = x + 3.0 * x;
        assert_eq!(check(&tape, y, &[1.0, -2.0, 0.5, 0.0], Check::Reference), None);
    }

    #[test]
    fn every_line_has_an_error() {
        let worst = Worst::of(&[1.0, 2.5], &[1.0, 2.0], 100.0).unwrap();
        assert!((worst.error() - 0.5 / 3.0).abs() < 1e-9, "{}", worst.error());
        let tape = Tape::new();
        let x = tape.input("x", [2]);
        let y = x.tanh().sum();
        let program = blocking_compile(gpu(), &Store::new(), &tape, &[("y", y)]).unwrap();
        program.write("x", &[0.3, 0.7]).unwrap();
        let mut errors = vec![];
        let compare = program.compare(&tape, |_| true, |line, error| errors.push((line, error)));
        assert_eq!(gpu().wait(compare).unwrap(), None);
        assert_eq!(errors.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2]);
        assert!(errors.iter().all(|(_, error)| *error < 1e-6), "{errors:?}");
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
