use crate::nn::{Mode, Sequential};
use crate::tape::Var;
use serde::{Deserialize, Serialize};

/// The distance D between images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// The mean squared error.
    Mse,
    /// The mean absolute error.
    L1,
}

/// The distance D of an objective, with features.
#[derive(Clone, Copy)]
pub(super) struct Metric<'a> {
    pub distance: Distance,
    /// The features and their weight.
    pub features: Option<(&'a Sequential, f32)>,
}

impl Metric<'_> {
    /// D(a, b) over all samples.
    pub fn mean<'t>(self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        let pixels = match self.distance {
            Distance::Mse => a.mse(b),
            Distance::L1 => a.l1(b),
        };
        self.with_features(pixels, a, b, Var::mse)
    }

    /// D(a, b) per sample.
    pub fn per_sample<'t>(self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        let pixels = match self.distance {
            Distance::Mse => a.mse_per_sample(b),
            Distance::L1 => a.l1_per_sample(b),
        };
        self.with_features(pixels, a, b, Var::mse_per_sample)
    }

    /// The distance `pixels`, with that of the features if there are any.
    fn with_features<'t>(
        self,
        pixels: Var<'t>,
        a: Var<'t>,
        b: Var<'t>,
        distance: fn(Var<'t>, Var<'t>) -> Var<'t>,
    ) -> Var<'t> {
        match self.features {
            None => pixels,
            Some((features, weight)) => {
                let [a, b] = [a, b].map(|images| features.apply(images, Mode::Running("")));
                pixels + weight * distance(a, b)
            }
        }
    }
}
