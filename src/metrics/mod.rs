//! How good samples are: distances between feature sets, the classifier that makes the features, and the evaluation of a
//! trained network.

mod classes;
mod classifier;
mod distances;
mod error;
mod evaluation;
mod features;
mod frechet;
mod nearest;
mod precision_recall;

pub use classes::{Classes, accuracy};
pub use classifier::{Classifier, Seen, Settings, Training};
pub use error::MetricsError;
pub use evaluation::{
    DegradationFigures, Evaluation, Extent, Projected, Projector, Reference, SampleFigures, Subject, evaluate,
};
pub use features::Features;
pub use frechet::Gaussian;
pub use nearest::{Neighbour, nearest};
pub use precision_recall::{PrecisionRecall, precision_recall};
