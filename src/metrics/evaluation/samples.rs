use super::super::{Classes, Features, Gaussian, PrecisionRecall, nearest, precision_recall};
use super::{SampleSizes, recognised};
use crate::classifier::Classifier;
use crate::data::Images;
use crate::error::Error;
use serde::Serialize;

/// The metrics of one set of samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleMetrics {
    /// The name of the set.
    pub name: String,
    /// The squared Fréchet distance between the features of the set and those of test images.
    pub frechet: f64,
    /// The distribution of the set over the digits.
    #[serde(flatten)]
    pub classes: Classes,
    /// Precision and recall against test images, with k = 3.
    #[serde(flatten)]
    pub manifold: PrecisionRecall,
    /// The mean Euclidean distance to the nearest training image, in pixel space with values in [-1, 1].
    pub nearest: f64,
}

/// k for precision and recall.
pub(super) const NEIGHBOURS: usize = 3;

/// The reference set for sample metrics.
pub struct Reference<'a> {
    classifier: &'a Classifier,
    sizes: SampleSizes,
    /// The first test images `[N, 1, 28, 28]`.
    test: Vec<f32>,
    /// The features of the test images `[N, 64]`.
    features: Vec<f32>,
    /// The Gaussian fitted to the features.
    gaussian: Gaussian,
    /// All training images `[M, 1, 28, 28]`.
    train: Vec<f32>,
}

impl<'a> Reference<'a> {
    /// The reference set: the first `sizes.samples` test images, or all of them if there are fewer, and all training
    /// images. `classifier` computes the features.
    ///
    /// # Errors
    /// If the shape of the images differs from the classifier's, a label is no digit, there are fewer than two test
    /// images, their features are not finite, or the adapter fails.
    pub fn new(classifier: &'a Classifier, train: &Images, test: &Images, sizes: SampleSizes) -> Result<Self, Error> {
        recognised(train)?;
        recognised(test)?;
        let train = train.gather(0..train.len());
        let test = test.gather(0..sizes.samples.min(test.len()));
        let features = classifier.blocking_look(&test)?.features;
        let gaussian = Gaussian::fit(&Features::new(&features, Classifier::FEATURES)?)?;
        Ok(Self { classifier, sizes, test, features, gaussian, train })
    }

    /// Computes the metrics of samples `[N, 1, 28, 28]`.
    ///
    /// # Errors
    /// If there are fewer than 4 samples or test images for precision and recall, there are no training images, the
    /// last sample is incomplete, the features are not finite, or the adapter fails.
    pub fn compare(&self, name: &str, images: &[f32]) -> Result<SampleMetrics, Error> {
        self.measure(name, images, images)
    }

    /// Computes the metrics of the first `sizes.samples` training images, named `real`: the values of perfect samples.
    /// A training image is its own nearest training image, so this distance is that of test images.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub fn real(&self) -> Result<SampleMetrics, Error> {
        let count = self.train.len().min(self.sizes.samples * Classifier::IMAGE.iter().product::<usize>());
        self.measure("real", &self.train[..count], &self.test)
    }

    /// Computes the metrics of `images`. The distance to the nearest training image is that of `near` instead.
    fn measure(&self, name: &str, images: &[f32], near: &[f32]) -> Result<SampleMetrics, Error> {
        let seen = self.classifier.blocking_look(images)?;
        let real = Features::new(&self.features, Classifier::FEATURES)?;
        let samples = Features::new(&seen.features, Classifier::FEATURES)?;
        let [first_real, first_samples] = [real, samples].map(|features| features.first(self.sizes.manifold));
        let pixels = Classifier::IMAGE.iter().product();
        let near = Features::new(near, pixels)?.first(self.sizes.nearest);
        let neighbours = nearest(&near, &Features::new(&self.train, pixels)?)?;
        Ok(SampleMetrics {
            name: name.into(),
            frechet: self.gaussian.distance(&Gaussian::fit(&samples)?)?,
            classes: Classes::of(&Features::new(&seen.probabilities, Classifier::CLASSES)?),
            manifold: precision_recall(&first_real, &first_samples, NEIGHBOURS)?,
            nearest: neighbours.iter().map(|n| n.distance).sum::<f64>() / neighbours.len() as f64,
        })
    }
}
