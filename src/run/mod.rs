//! Runs: the folder that a training writes, its lock, and the records in it.

mod command;
mod folder;
mod lock;
mod log;
mod records;
mod result;

pub use command::{arguments, quoted};
pub use folder::RunFolder;
pub use log::Log;
pub use records::{Metrics, Origin};
pub use result::{check_results, result};
