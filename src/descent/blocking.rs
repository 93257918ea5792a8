//! Blocking forms of the asynchronous calls, for native programs.

use super::{Descent, Recorded, Task};
use crate::compile::{Check, Finding};
use crate::error::Error;
use crate::gpu::{Gpu, Profile};
use crate::tape::{Tape, Var};
use std::collections::BTreeMap;

impl<T: Task> Descent<T> {
    /// Blocking form of [`new`](Self::new).
    pub fn blocking_new(gpu: &Gpu, task: T, tensors: &BTreeMap<String, Vec<f32>>, done: u64) -> Result<Self, Error> {
        gpu.wait(Self::new(gpu, task, tensors, done))
    }

    /// Blocking form of [`tensors`](Self::tensors).
    pub fn blocking_tensors(&self) -> Result<BTreeMap<String, Vec<f32>>, Error> {
        self.gpu.wait(self.tensors())
    }

    /// Blocking form of [`finite_tensors`](Self::finite_tensors).
    pub fn blocking_finite_tensors(&self) -> Result<BTreeMap<String, Vec<f32>>, Error> {
        self.gpu.wait(self.finite_tensors())
    }

    /// Blocking form of [`advance`](Self::advance). With several ranks it waits for the adapter and for them.
    pub fn blocking_advance(&mut self) -> Result<(), Error> {
        self.gpu.clone().wait(self.advance())
    }

    /// Blocking form of [`losses`](Self::losses).
    pub fn blocking_losses(&self) -> Result<Vec<(&'static str, f32)>, Error> {
        self.gpu.wait(self.losses())
    }

    /// Blocking form of [`profile`](Self::profile).
    pub fn blocking_profile(&mut self) -> Result<Profile, Error> {
        self.gpu.clone().wait(self.profile())
    }

    /// Blocking form of [`check`](Self::check).
    pub fn blocking_check(&mut self, check: Check) -> Result<Option<Finding>, Error> {
        self.gpu.clone().wait(self.check(check))
    }

    /// Blocking form of [`advance_on`](Self::advance_on).
    pub fn blocking_advance_on(
        &mut self,
        tape: &Tape,
        recorded: &Recorded<'_>,
        outputs: &[(&str, Var<'_>)],
    ) -> Result<Vec<Vec<f32>>, Error> {
        self.gpu.clone().wait(self.advance_on(tape, recorded, outputs))
    }
}
