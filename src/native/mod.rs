//! Helpers for native programs: the choice of an adapter by an environment variable, the measured roof of an adapter,
//! and profiles for trace viewers.

pub mod roof;
#[cfg(feature = "model")]
mod trace;

use crate::gpu::{Gpu, GpuError};
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
