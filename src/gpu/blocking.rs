//! Blocking calls for native programs. Work on the adapter is `async`, so that it can run in a browser too.
//! [`Gpu::wait`] runs it from synchronous code.

use super::{Commands, Gpu, Profile, Program, Result, Store, ValueId};
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

impl Gpu {
    /// Blocks until `future` resolves. The future must wait only for work on this device.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            // The poll runs the device's callbacks, and the futures of this crate wait for nothing else.
            // The poll itself fails only if the device is lost, and the callbacks report that.
            self.device().poll(wgpu::PollType::wait_indefinitely()).ok();
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
