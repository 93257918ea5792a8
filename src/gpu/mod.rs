//! Compute on an adapter: devices, buffers, kernels, programs. This module depends on no operation and on no tape. A
//! [`Program`] is compiled from [`Commands`], a plain list of dispatches over numbered values.
//!
//! Creating and reading GPU objects is `async`, and no function reads files, so the module also runs in a browser. Some
//! parts exist on native targets only: parallel shader compilation, wall-clock times, and the blocking calls, such as
//! [`Program::blocking_read`].

mod adapter;
#[cfg(not(target_arch = "wasm32"))]
mod blocking;
mod caps;
mod commands;
mod device;
mod distinct;
mod error;
#[cfg(test)]
mod faults;
mod kernel;
mod plan;
mod profile;
mod program;
mod store;
mod unroll;

pub use adapter::{AdapterSummary, adapters};
pub use caps::Caps;
pub use commands::{Command, Commands, Place, Value, ValueId};
pub use device::{Buffer, Gpu};
pub use distinct::Distinct;
pub use error::GpuError;
pub use kernel::{Binding, BindingKind, Cost, Dispatch, Field, Interface, Kernel, Params, Specialisation, Wgsl};
pub use plan::MemoryReport;
pub use profile::{Profile, ProfileRow, Span, TimedDispatch};
pub use program::Program;
pub use store::Store;

/// The result of work on the adapter.
pub type Result<T> = std::result::Result<T, GpuError>;
