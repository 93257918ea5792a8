use super::super::{Features, Gaussian, kernel_distance};
use crate::classifier::Classifier;
use crate::error::Error;
use serde::Serialize;

/// Distances between the features of a set of samples and those of test images, with their 95 % confidence intervals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distances {
    /// The squared Fréchet distance.
    pub frechet: f64,
    /// Its interval for these test images: ± 1.96 bootstrap [standard errors](Gaussian::standard_error). A small number of
    /// samples biases the distance upwards; the interval is about the distance of as many samples.
    pub frechet_interval: [f64; 2],
    /// The [kernel distance](kernel_distance).
    pub kid: f64,
    /// Its interval.
    pub kid_interval: [f64; 2],
}

/// The features of test images.
pub(super) struct Real {
    /// `[N, 64]`.
    features: Vec<f32>,
    gaussian: Gaussian,
    /// Seed of the resamples and the blocks.
    seed: u64,
}

/// The 97.5 % quantile of the standard normal distribution.
const NORMAL: f64 = 1.96;

impl Real {
    pub fn new(features: Vec<f32>, seed: u64) -> Result<Self, Error> {
        let gaussian = Gaussian::fit(&Features::new(&features, Classifier::FEATURES)?)?;
        Ok(Self { features, gaussian, seed })
    }

    pub fn features(&self) -> Result<Features<'_>, Error> {
        Features::new(&self.features, Classifier::FEATURES)
    }

    /// The distances of samples with features `[M, 64]`.
    pub fn compare(&self, features: &[f32]) -> Result<Distances, Error> {
        let samples = Features::new(features, Classifier::FEATURES)?;
        let frechet = self.gaussian.distance(&Gaussian::fit(&samples)?)?;
        let error = self.gaussian.standard_error(&samples, self.seed)?;
        let kid = kernel_distance(&self.features()?, &samples, self.seed)?;
        let interval = |value: f64, margin: f64| [value - margin, value + margin];
        Ok(Distances {
            frechet,
            frechet_interval: interval(frechet, NORMAL * error),
            kid: kid.value,
            kid_interval: interval(kid.value, kid.margin),
        })
    }
}
