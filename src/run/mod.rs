//! Runs: the folder that a training writes, its lock, and the records in it.

mod folder;
mod lock;
mod log;
mod records;
mod result;

pub use folder::RunFolder;
pub use log::Log;
pub use records::{Losses, Metrics, Origin, command_line};
pub use result::result;
