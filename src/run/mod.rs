//! Runs: the folder that a training writes, and the records in it.

mod folder;
mod records;

pub use folder::RunFolder;
pub use records::{Losses, Metrics, Origin};
