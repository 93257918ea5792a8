//! Blocking forms of the asynchronous calls, for native programs.

use super::{Check, CompileError, Compiled, Finding, compile};
use crate::gpu::{Gpu, GpuError, Profile, Store};
use crate::tape::{Tape, Var};

/// Blocking form of [`compile`].
///
/// # Errors
/// As [`compile`].
pub fn blocking_compile(
    gpu: &Gpu,
    store: &Store,
    tape: &Tape,
    outputs: &[(&str, Var<'_>)],
) -> Result<Compiled, CompileError> {
    gpu.wait(compile(gpu, store, tape, outputs))
}

impl Compiled {
    /// Blocking form of [`read`](Self::read).
    pub fn blocking_read(&self, names: &[&str]) -> Result<Vec<Vec<f32>>, GpuError> {
        self.program().gpu().wait(self.read(names))
    }

    /// Blocking form of [`run_batched`](Self::run_batched).
    pub fn blocking_run_batched(
        &self,
        input: &str,
        samples: &[f32],
        extents: [usize; 2],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, GpuError> {
        self.program().gpu().wait(self.run_batched(input, samples, extents, outputs))
    }

    /// Blocking form of [`profile`](Self::profile).
    pub fn blocking_profile(&self) -> Result<Profile, GpuError> {
        self.program().gpu().wait(self.profile())
    }

    /// Blocking form of [`check`](Self::check).
    pub fn blocking_check(&self, tape: &Tape, check: Check) -> Result<Option<Finding>, GpuError> {
        self.program().gpu().wait(self.check(tape, check))
    }
}
