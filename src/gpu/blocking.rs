//! Blocking calls for native programs. Work on the adapter is `async`, so that it can run in a browser too.
//! [`Gpu::wait`] runs it from synchronous code.

use super::{Commands, Gpu, GpuError, Profile, Program, Result, Store, ValueId};
use crate::panics::caught;
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

impl Gpu {
    /// Blocks until `future` resolves. The future must wait only for work on this device.
    ///
    /// # Errors
    /// The errors of `future`; a device that is lost while it is waited for.
    pub fn wait<T, E: From<GpuError>>(
        &self,
        future: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            // The poll runs the device's callbacks, and the futures of this crate wait for nothing else.
            // wgpu panics in `Device::poll` if the driver reports a lost device, and has no call that returns the error.
            let poll = || self.device().poll(wgpu::PollType::wait_indefinitely());
            let reason = match caught(poll) {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(reason) => reason,
            };
            return Err(self.fail(GpuError::from_message(reason, GpuError::UNNAMED)).into());
        }
    }

    /// Blocking form of [`idle`](Self::idle).
    pub fn blocking_idle(&self) -> Result<()> {
        self.wait(self.idle())
    }
}

impl Program {
    /// Blocking form of [`new`](Self::new).
    pub fn blocking_new(gpu: &Gpu, commands: &Commands, store: &Store) -> Result<Self> {
        gpu.wait(Self::new(gpu, commands, store))
    }

    /// Blocking form of [`read`](Self::read).
    pub fn blocking_read(&self, values: &[ValueId]) -> Result<Vec<Vec<f32>>> {
        self.gpu().wait(self.read(values))
    }

    /// Blocking form of [`profile`](Self::profile).
    pub fn blocking_profile(&self) -> Result<Profile> {
        self.gpu().wait(self.profile())
    }
}

impl Store {
    /// Blocking form of [`set`](Self::set).
    pub fn blocking_set(&mut self, gpu: &Gpu, name: &str, contents: &[f32]) -> Result<()> {
        gpu.wait(self.set(gpu, name, contents))
    }

    /// Blocking form of [`read`](Self::read).
    pub fn blocking_read(&self, gpu: &Gpu) -> Result<BTreeMap<String, Vec<f32>>> {
        gpu.wait(self.read(gpu))
    }
}
