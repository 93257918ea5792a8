//! The blocking wait, for programs that have threads: everything on the adapter is `async` so that it can run in a
//! browser too, and [`wait`] drives it from ordinary code.

use crate::gpu::{Gpu, GpuError};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Opens an adapter: the one named, else the one that `IGN_ADAPTER` names, else the best.
///
/// # Errors
/// As [`Gpu::open`].
pub fn open(adapter: Option<&str>) -> Result<Gpu, GpuError> {
    let environment = std::env::var("IGN_ADAPTER").ok().filter(|name| !name.is_empty());
    pollster::block_on(Gpu::open(adapter.or(environment.as_deref())))
}

/// Waits for `future`, which does work on `gpu`.
pub fn wait<T>(gpu: &Gpu, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        // Callbacks of the device run inside, and they are all that the futures of this crate wait for.
        // An error of the wait itself is the loss of the device, which the callbacks report.
        gpu.device().poll(wgpu::PollType::wait_indefinitely()).ok();
    }
}
