//! Metrics of sample quality: distances between feature sets, and the evaluation of a trained network.

mod classes;
mod distances;
mod energy;
mod evaluation;
mod features;
mod frechet;
mod kid;
mod nearest;
mod precision_recall;

pub use classes::{Classes, accuracy};
pub use energy::energy_distance;
pub use evaluation::{
    ConditionalMetrics, DegradationMetrics, Distances, Evaluation, FeatureMetrics, Judges, Projected, Projector,
    Reference, SampleMetrics, SampleSizes, Subject, evaluate,
};
pub use features::Features;
pub use frechet::Gaussian;
pub use kid::{KernelDistance, kernel_distance};
pub use nearest::{Neighbour, nearest};
pub use precision_recall::{PrecisionRecall, precision_recall};
