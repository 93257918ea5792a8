//! The adapter and what runs on it: devices, buffers, kernels, programs. This room knows no operation and no tape: a
//! [`Program`] is made from [`Commands`], a plain list of dispatches over numbered values.
//!
//! Nothing here reads files, starts threads that a browser lacks, or waits: making and reading are `async`, and
//! [`native`](crate::native) has the blocking wait.

mod adapter;
mod caps;
mod commands;
mod device;
mod error;
mod kernel;
mod plan;
mod profile;
mod program;
mod store;

pub use adapter::{AdapterSummary, adapters};
pub use caps::Caps;
pub use commands::{Command, Commands, Place, Value, ValueId};
pub use device::{Buffer, Gpu};
pub use error::GpuError;
pub use kernel::{Binding, BindingKind, Constant, Cost, Dispatch, Field, Interface, Kernel, Params, Source};
pub use plan::MemoryReport;
pub use profile::{Profile, ProfileRow, TimedDispatch};
pub use program::Program;
pub use store::Store;

/// The result of work on the adapter.
pub type Result<T> = std::result::Result<T, GpuError>;
