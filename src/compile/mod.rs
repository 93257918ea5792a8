//! Compilation of a tape to a program: lowering to dispatches, compilation of the dispatches for an adapter, and
//! line-by-line execution to find faulty lines.

#[cfg(not(target_arch = "wasm32"))]
mod blocking;
mod check;
mod lower;

#[cfg(not(target_arch = "wasm32"))]
pub use blocking::blocking_compile;
pub use check::{Check, Finding, TOLERANCE};
#[cfg(test)]
pub(crate) use check::{PARTIAL_TOLERANCE, partial_sums};
pub use lower::{Lowered, lower};

use crate::gpu::{Gpu, GpuError, MemoryReport, Profile, Program, Store, ValueId};
use crate::tape::{Tape, TapeError, Var};
use std::collections::BTreeMap;
use thiserror::Error;

/// Error of compiling a tape.
#[derive(Clone, Debug, Error)]
pub enum CompileError {
    /// An error of the adapter.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The first misfit on the tape.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// An operation that this crate cannot lower.
    #[error("{0}: the operation is not listed in `operations!` of src/ops/mod.rs")]
    Unlisted(String),
    /// A renamed state (a reshape) is read after an update of the state, which changed its contents.
    #[error("`{line}` reads `{alias}`, which was recorded before an update of its state; reshape the state again")]
    Stale {
        /// The description of the reading line.
        line: String,
        /// The description of the line that renames the state.
        alias: String,
    },
    /// Two inputs or two outputs have the same name.
    #[error("two {what} are called `{name}`; names must be unique")]
    Name {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// A compiled tape: a [`Program`] with named inputs and outputs.
pub struct Compiled {
    program: Program,
    lowered: Lowered,
}

/// Compiles the lines of `tape` that `outputs` and the updates of state need. State lives in `store`.
///
/// # Errors
/// As [`lower()`]; an error of the adapter.
pub async fn compile(
    gpu: &Gpu,
    store: &Store,
    tape: &Tape,
    outputs: &[(&str, Var<'_>)],
) -> Result<Compiled, CompileError> {
    let lowered = lower(tape, gpu.caps(), outputs)?;
    let program = Program::new(gpu, &lowered.commands, store).await?;
    Ok(Compiled { program, lowered })
}

impl Compiled {
    /// Writes the input called `name`. Does nothing if no needed line reads the input.
    ///
    /// # Errors
    /// The tape has no such input, or the input has another number of elements.
    pub fn write(&self, name: &str, contents: &[f32]) -> Result<(), GpuError> {
        match self.lowered.inputs.get(name) {
            Some(Some(value)) => self.program.write(*value, contents),
            Some(None) => Ok(()),
            None => Err(GpuError::Transfer {
                name: name.into(),
                reason: format!("the tape has no such input; it has {}", names(&self.lowered.inputs)),
            }),
        }
    }

    /// The names of the inputs of the tape.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.lowered.inputs.keys().map(String::as_str)
    }

    /// Submits one run. Returns before the run is complete.
    pub fn run(&self) -> Result<(), GpuError> {
        self.program.run()
    }

    /// The contents of the outputs called `names`, with a single wait for the adapter.
    ///
    /// # Errors
    /// The tape was compiled without such an output; an error of the adapter.
    pub async fn read(&self, names: &[&str]) -> Result<Vec<Vec<f32>>, GpuError> {
        let find = |name: &&str| {
            self.lowered.outputs.get(*name).copied().ok_or_else(|| GpuError::Transfer {
                name: name.to_string(),
                reason: format!(
                    "the tape was compiled without this output; it has {}",
                    self::names(&self.lowered.outputs)
                ),
            })
        };
        let values: Vec<_> = names.iter().map(find).collect::<Result<_, _>>()?;
        self.program.read(&values).await
    }

    /// Runs the program on `samples` for the input called `input`, in batches of `batch` samples of `per_sample`
    /// numbers. Returns the contents of each output of `outputs`, concatenated over all samples. An incomplete batch is
    /// filled up by repeating its own samples, which approximately keeps its batch statistics.
    ///
    /// # Errors
    /// The length of `samples` is not a multiple of `per_sample`; `batch` or `per_sample` is 0; `input` or one of `outputs` is not on the tape; an
    /// error of the adapter.
    pub async fn run_batched(
        &self,
        input: &str,
        samples: &[f32],
        [batch, per_sample]: [usize; 2],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, GpuError> {
        if batch == 0 || per_sample == 0 || !samples.len().is_multiple_of(per_sample) {
            let expected = format!("samples of {per_sample} numbers, {batch} to a batch");
            return Err(uneven(input, samples.len(), &expected));
        }
        self.run_batches(&[(input, samples)], [samples.len() / per_sample, batch], outputs).await
    }

    /// Runs the program on `count` samples for several inputs, as [`run_batched`](Self::run_batched) for one: every input
    /// has `count` samples of its own size.
    ///
    /// # Errors
    /// The samples of an input are not `count`; `batch` is 0; an input or output is not on the tape; an error of the
    /// adapter.
    pub async fn run_batches(
        &self,
        inputs: &[(&str, &[f32])],
        [count, batch]: [usize; 2],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, GpuError> {
        for (name, samples) in inputs {
            if batch == 0 || !samples.len().is_multiple_of(count) {
                return Err(uneven(name, samples.len(), &format!("{count} samples, {batch} to a batch")));
            }
        }
        let mut results = vec![vec![]; outputs.len()];
        for first in (0..count).step_by(batch.max(1)) {
            let real = batch.min(count - first);
            for (name, samples) in inputs {
                let per_sample = samples.len() / count;
                let part = &samples[first * per_sample..][..real * per_sample];
                let filled: Vec<f32> = part.iter().copied().cycle().take(batch * per_sample).collect();
                self.write(name, &filled)?;
            }
            self.run()?;
            for ((result, output), name) in results.iter_mut().zip(self.read(outputs).await?).zip(outputs) {
                if !output.len().is_multiple_of(batch) {
                    return Err(uneven(name, output.len(), &format!("{batch} samples")));
                }
                result.extend(&output[..output.len() / batch * real]);
            }
        }
        Ok(results)
    }

    /// Runs the program once and times every operation.
    pub async fn profile(&self) -> Result<Profile, GpuError> {
        self.program.profile().await
    }

    /// The memory that the intermediate values take.
    pub fn memory(&self) -> MemoryReport {
        self.program.memory()
    }

    /// The commands of the program, with the memory of each line.
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// The underlying program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Number of lines that the tape had when it was compiled.
    fn lines(&self) -> usize {
        self.lowered.lines.len()
    }

    /// The memory of a line; `None` if the line is not needed.
    fn line(&self, id: usize) -> Option<ValueId> {
        self.lowered.lines[id]
    }
}

/// The error of an input or output whose numbers are not what was expected.
fn uneven(name: &str, count: usize, expected: &str) -> GpuError {
    GpuError::Transfer { name: name.into(), reason: format!("{count} numbers are not {expected}") }
}

/// The list of names for an error message.
fn names<T>(known: &BTreeMap<String, T>) -> String {
    match known.is_empty() {
        true => "none".into(),
        false => known.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    #[test]
    fn every_timed_dispatch_names_its_line() {
        let tape = Tape::new();
        let x = tape.input("x", [3]);
        let unused = x.exp();
        let y = (x.tanh().reshape([3, 1]) * x.reshape([3, 1])).sum();
        let program = blocking_compile(gpu(), &Store::new(), &tape, &[("y", y)]).unwrap();
        let timed: Vec<_> = program.blocking_profile().unwrap().dispatches.iter().map(|d| d.line).collect();
        let lowered = program.lowered();
        assert_eq!(timed, lowered.commands.list().iter().map(|command| command.line).collect::<Vec<_>>());
        let mut named: Vec<_> = timed.iter().map(|&line| tape.nodes()[line].name().to_string()).collect();
        named.dedup();
        // The input and the reshapes became none.
        assert_eq!(named, ["tanh", "multiply", "sum"]);
        assert!(lowered.lines[unused.line()].is_none() && lowered.lines[y.line()].is_some());
    }
}
