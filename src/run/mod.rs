//! Runs: the folder that a training writes, and the records in it.

mod command;
mod folder;
mod records;

pub use command::{arguments, quoted};
pub use folder::RunFolder;
pub use records::{Losses, Metrics, Origin};
