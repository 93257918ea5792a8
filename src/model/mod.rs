//! Models: network architectures, training settings, noise distributions, checkpoint files, and the generator that
//! applies a trained network.

#[cfg(feature = "train")]
mod adaptation;
mod checkpoint;
mod config;
mod generator;
mod network;
mod noise;
mod preset;
mod setting;
mod step;

#[cfg(feature = "train")]
pub use adaptation::AdaptiveGenerator;
pub use checkpoint::Checkpoint;
pub use config::{Bottleneck, Bound, Config, NoiseKind};
pub use generator::{Generator, NormStatistics};
pub use network::Network;
pub use noise::{FrequencyStatistics, Noise};
pub use preset::Preset;
pub use setting::{Setting, named};
pub use step::SyntheticStep;
