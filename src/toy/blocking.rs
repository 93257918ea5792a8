//! Blocking forms of the asynchronous calls, for native programs.

use super::{Config, Settings, Toy};
use crate::error::Error;
use crate::gpu::Gpu;

impl Toy {
    /// Blocking form of [`new`](Self::new).
    pub fn blocking_new(gpu: &Gpu, config: Config, settings: Settings) -> Result<Self, Error> {
        gpu.wait(Self::new(gpu, config, settings))
    }

    /// Blocking form of [`advance`](Self::advance).
    pub fn blocking_advance(&mut self) -> Result<(), Error> {
        self.gpu.clone().wait(self.advance())
    }

    /// Blocking form of [`losses`](Self::losses).
    pub fn blocking_losses(&self) -> Result<Vec<(&'static str, f32)>, Error> {
        self.gpu.wait(self.losses())
    }

    /// Blocking form of [`apply`](Self::apply).
    pub fn blocking_apply(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        self.gpu.wait(self.apply(points))
    }

    /// Blocking form of [`repeat`](Self::repeat).
    pub fn blocking_repeat(&self, points: &[[f32; 2]], times: usize) -> Result<Vec<Vec<[f32; 2]>>, Error> {
        self.gpu.wait(self.repeat(points, times))
    }

    /// Blocking form of [`field`](Self::field).
    pub fn blocking_field(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        self.gpu.wait(self.field(points))
    }
}
