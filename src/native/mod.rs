//! Helpers for native programs: the choice of an adapter by an environment variable, the measured roof of an adapter,
//! and profiles for trace viewers.

pub mod roof;
#[cfg(feature = "model")]
mod trace;

use crate::gpu::{Gpu, GpuError, adapters};
#[cfg(feature = "model")]
pub use trace::trace;

/// Opens an adapter by index or by a part of its name: `adapter`, or else the environment variable `IGN_ADAPTER`, or
/// else the best adapter. Blocks.
///
/// # Errors
/// The errors of [`Gpu::open`]. A variable that is not Unicode names no adapter.
pub fn open(adapter: Option<&str>) -> Result<Gpu, GpuError> {
    let environment = std::env::var_os("IGN_ADAPTER").filter(|name| !name.is_empty());
    let environment = environment.map(|name| name.to_string_lossy().into_owned());
    pollster::block_on(Gpu::open(adapter.or(environment.as_deref())))
}

/// Opens an adapter for process number `n` of those that share this machine: the adapter that `IGN_ADAPTER` names, or
/// else number `n` of the adapters like the best one (its kind and its graphics API), counted modulo their number. Blocks.
///
/// # Errors
/// As [`open`].
pub fn open_nth(n: usize) -> Result<Gpu, GpuError> {
    let mut alike = pollster::block_on(adapters());
    if let Some(best) = alike.first().cloned() {
        alike.retain(|adapter| (adapter.kind, &adapter.caps.backend) == (best.kind, &best.caps.backend));
    }
    let named = std::env::var_os("IGN_ADAPTER").is_some_and(|name| !name.is_empty());
    match n > 0 && alike.len() > 1 && !named {
        true => open(Some(&alike[n % alike.len()].index.to_string())),
        false => open(None),
    }
}
