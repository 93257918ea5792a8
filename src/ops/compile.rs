use super::lower::lower;
use crate::gpu::{Gpu, GpuError, MemoryReport, Profile, Program, Store, ValueId};
use crate::tape::{Tape, Var};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a tape could not be compiled.
#[derive(Clone, Debug, Error)]
pub enum CompileError {
    /// The adapter refused.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The tape has no lowering: an operation is not listed, or two inputs have one name.
    #[error("{0}")]
    Tape(String),
}

/// A tape ready to run: a [`Program`] whose inputs and outputs have names.
pub struct Compiled {
    program: Program,
    inputs: BTreeMap<String, ValueId>,
    outputs: BTreeMap<String, ValueId>,
    pub(super) lines: Vec<Option<ValueId>>,
}

/// Compiles what `outputs` and the updates of state need of `tape`. State comes from `store`.
pub async fn compile(
    gpu: &Gpu,
    store: &Store,
    tape: &Tape,
    outputs: &[(&str, Var<'_>)],
) -> Result<Compiled, CompileError> {
    let lowered = lower(tape, gpu.caps(), outputs).map_err(CompileError::Tape)?;
    let program = Program::new(gpu, &lowered.commands, store).await?;
    Ok(Compiled { program, inputs: lowered.inputs, outputs: lowered.outputs, lines: lowered.lines })
}

impl Compiled {
    /// Replaces the input called `name`. An input that nothing reads is ignored.
    pub fn write(&self, name: &str, contents: &[f32]) -> Result<(), GpuError> {
        match self.inputs.get(name) {
            Some(&value) => self.program.write(value, contents),
            None => Ok(()),
        }
    }

    /// Submits one run. Returns before the adapter is done.
    pub fn run(&self) -> Result<(), GpuError> {
        self.program.run()
    }

    /// The outputs called `names`, in one wait.
    pub async fn read(&self, names: &[&str]) -> Result<Vec<Vec<f32>>, GpuError> {
        let find = |name: &&str| {
            self.outputs.get(*name).copied().ok_or_else(|| GpuError::Transfer {
                name: name.to_string(),
                reason: "the tape was compiled without this output".into(),
            })
        };
        let values: Vec<_> = names.iter().map(find).collect::<Result<_, _>>()?;
        self.program.read(&values).await
    }

    /// Runs on samples of `per_sample` numbers for the input called `input`, `batch` at a time, and returns what the outputs
    /// called `outputs` have of each. A batch that is not full is filled with its own samples, which keeps its statistics
    /// about as they are.
    pub async fn run_batched(
        &self,
        input: &str,
        samples: &[f32],
        [batch, per_sample]: [usize; 2],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, GpuError> {
        let mut results = vec![vec![]; outputs.len()];
        for part in samples.chunks(batch * per_sample) {
            let filled: Vec<f32> = part.iter().copied().cycle().take(batch * per_sample).collect();
            self.write(input, &filled)?;
            self.run()?;
            for (result, output) in results.iter_mut().zip(self.read(outputs).await?) {
                result.extend(&output[..output.len() / batch * (part.len() / per_sample)]);
            }
        }
        Ok(results)
    }

    /// Runs once and times every operation.
    pub async fn profile(&self) -> Result<Profile, GpuError> {
        self.program.profile().await
    }

    /// What the intermediate values cost.
    pub fn memory(&self) -> MemoryReport {
        self.program.memory()
    }

    /// The program itself.
    pub fn program(&self) -> &Program {
        &self.program
    }
}
