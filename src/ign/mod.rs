//! The Idempotent Generative Network (Shocher et al., arXiv 2311.01462): one network f with f(f(z)) = f(z), which maps
//! noise onto images, and images onto themselves.

mod degrade;
mod network;
mod noise;
mod objective;

pub use degrade::Degradation;
pub use network::{Network, UnknownNetwork};
pub use noise::{FrequencyStatistics, Noise};
pub use objective::{Clamp, Distance, Objective, Step, Weights};

/// What an application of the network is applied to. Each has batch norm statistics of its own, since the averages of
/// all three fit none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Data, or what ought to become data.
    Image,
    /// Noise.
    Noise,
    /// What the network made.
    Sample,
}

impl Role {
    /// All roles, in the order in which a training step applies the network to them.
    pub const ALL: [Self; 3] = [Self::Image, Self::Noise, Self::Sample];

    /// What the names of its running averages begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Image => "image.",
            Self::Noise => "noise.",
            Self::Sample => "sample.",
        }
    }
}

/// The prefixes of all running averages: PyTorch's own, which average over all applications, and those of each role.
pub const PREFIXES: [&str; 4] = ["", "image.", "noise.", "sample."];
