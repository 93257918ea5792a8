//! Blocking forms of the asynchronous calls, for native programs.

use super::{Settings, Toy};
use crate::error::Error;
use crate::gpu::Gpu;

impl Toy {
    /// Blocking form of [`new`](Self::new).
    pub fn blocking_new(gpu: &Gpu, settings: Settings, size: [usize; 2], seed: u64) -> Result<Self, Error> {
        gpu.wait(Self::new(gpu, settings, size, seed))
    }

    /// Blocking form of [`advance`](Self::advance).
    pub fn blocking_advance(&mut self, count: usize) -> Result<(), Error> {
        self.descent.gpu().clone().wait(self.advance(count))
    }

    /// Blocking form of [`losses`](Self::losses).
    pub fn blocking_losses(&self) -> Result<[f32; 3], Error> {
        self.descent.gpu().wait(self.losses())
    }

    /// Blocking form of [`apply`](Self::apply).
    pub fn blocking_apply(&self, points: &[f32], times: usize) -> Result<Vec<Vec<f32>>, Error> {
        self.descent.gpu().wait(self.apply(points, times))
    }
}
