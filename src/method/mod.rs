//! The method of the Idempotent Generative Network (Shocher et al., arXiv 2311.01462): one network f with
//! f(f(z)) = f(z), which maps noise to images and images to themselves.

mod degrade;
mod distance;
mod losses;
mod objective;
mod terms;

pub use degrade::Degradation;
pub use distance::Distance;
pub use losses::Losses;
pub use objective::{Clamp, Networks, Objective, Target, TrainingStep, Weights};

/// The kind of the network's inputs. Each role has its own running averages for batch normalisation, since shared
/// averages fit none of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Data, or images to be projected onto the data.
    Image,
    /// Noise.
    Noise,
    /// Outputs of the network.
    Sample,
}

impl Role {
    /// All roles, in the order of the network's applications in a training step.
    pub const ALL: [Self; 3] = [Self::Image, Self::Noise, Self::Sample];

    /// The name prefix of this role's running averages.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Image => "image.",
            Self::Noise => "noise.",
            Self::Sample => "sample.",
        }
    }
}

/// The name prefixes of all running averages: none for the averages over all applications, named as in PyTorch, and one
/// prefix per role.
pub const PREFIXES: [&str; 4] = ["", "image.", "noise.", "sample."];
