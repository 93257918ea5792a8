use super::super::{Classes, Features, Gaussian, PrecisionRecall, nearest, precision_recall};
use super::{SampleSizes, known};
use crate::classifier::Classifier;
use crate::data::Images;
use crate::error::Error;
use serde::Serialize;

/// The metrics of one set of samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleMetrics {
    /// The name of the set.
    pub name: String,
    /// What a classifier sees in the set, if there is one.
    #[serde(flatten)]
    pub seen: Option<FeatureMetrics>,
    /// The mean Euclidean distance to the nearest training image, in pixel space with values in [-1, 1].
    pub nearest: f64,
}

/// The metrics of one set of samples that a classifier's features and class probabilities give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureMetrics {
    /// The squared Fréchet distance between the features of the set and those of test images.
    pub frechet: f64,
    /// The distribution of the set over the classes.
    #[serde(flatten)]
    pub classes: Classes,
    /// Precision and recall against test images, with k = 3.
    #[serde(flatten)]
    pub manifold: PrecisionRecall,
}

/// k for precision and recall.
pub(super) const NEIGHBOURS: usize = 3;

/// The reference set for sample metrics.
pub struct Reference<'a> {
    sizes: SampleSizes,
    /// The first test images `[N, C, H, W]`.
    test: Vec<f32>,
    /// All training images `[M, C, H, W]`.
    train: Vec<f32>,
    /// Number of elements per image.
    elements: usize,
    seen: Option<Seen<'a>>,
}

/// What a classifier sees in the test images.
struct Seen<'a> {
    classifier: &'a Classifier,
    /// The features of the test images `[N, 64]`.
    features: Vec<f32>,
    /// The Gaussian fitted to the features.
    gaussian: Gaussian,
}

impl<'a> Reference<'a> {
    /// The reference set: the first `sizes.samples` test images, or all of them if there are fewer, and all training
    /// images. `classifier`, if given, computes the features.
    ///
    /// # Errors
    /// If the images are not what the classifier knows, there are fewer than two test images, their features are not
    /// finite, or the adapter fails.
    pub fn new(
        classifier: Option<&'a Classifier>,
        train: &Images,
        test: &Images,
        sizes: SampleSizes,
    ) -> Result<Self, Error> {
        let elements = test.elements();
        let (all, first) = (train.gather(0..train.len()), test.gather(0..sizes.samples.min(test.len())));
        let seen = classifier.map(|classifier| {
            [train, test].into_iter().try_for_each(|images| known(classifier, images))?;
            let features = classifier.blocking_look(&first)?.features;
            let gaussian = Gaussian::fit(&Features::new(&features, Classifier::FEATURES)?)?;
            Ok::<_, Error>(Seen { classifier, features, gaussian })
        });
        Ok(Self { sizes, test: first, train: all, elements, seen: seen.transpose()? })
    }

    /// Computes the metrics of samples `[N, C, H, W]`.
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
        let count = self.train.len().min(self.sizes.samples * self.elements);
        self.measure("real", &self.train[..count], &self.test)
    }

    /// Computes the metrics of `images`. The distance to the nearest training image is that of `near` instead.
    fn measure(&self, name: &str, images: &[f32], near: &[f32]) -> Result<SampleMetrics, Error> {
        let seen = self.seen.as_ref().map(|seen| seen.measure(images, &self.sizes)).transpose()?;
        let near = Features::new(near, self.elements)?.first(self.sizes.nearest);
        let neighbours = nearest(&near, &Features::new(&self.train, self.elements)?)?;
        let nearest = neighbours.iter().map(|n| n.distance).sum::<f64>() / neighbours.len() as f64;
        Ok(SampleMetrics { name: name.into(), seen, nearest })
    }
}

impl Seen<'_> {
    fn measure(&self, images: &[f32], sizes: &SampleSizes) -> Result<FeatureMetrics, Error> {
        let seen = self.classifier.blocking_look(images)?;
        let real = Features::new(&self.features, Classifier::FEATURES)?;
        let samples = Features::new(&seen.features, Classifier::FEATURES)?;
        let [first_real, first_samples] = [real, samples].map(|features| features.first(sizes.manifold));
        let classes = self.classifier.signature().classes;
        Ok(FeatureMetrics {
            frechet: self.gaussian.distance(&Gaussian::fit(&samples)?)?,
            classes: Classes::of(&Features::new(&seen.probabilities, classes)?),
            manifold: precision_recall(&first_real, &first_samples, NEIGHBOURS)?,
        })
    }
}
