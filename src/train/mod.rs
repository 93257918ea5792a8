//! The training of an Idempotent Generative Network: task, training loop with checkpoints and pictures, and detection
//! of failures. On images in memory it works in a browser; run folders need files.

#[cfg(feature = "train")]
mod blocking;
mod collapse;
mod task;
#[cfg(feature = "train")]
mod trace;
mod trainer;
#[cfg(feature = "train")]
mod training;

pub use collapse::Watch;
pub use trainer::{Preview, Trainer};
#[cfg(feature = "train")]
pub use training::{Event, Outcome, Training, follow};
