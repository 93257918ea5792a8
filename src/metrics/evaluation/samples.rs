use super::super::{Classes, Features, PrecisionRecall, nearest, precision_recall};
use super::distances::{Distances, Real};
use super::{SampleSizes, known};
use crate::classifier::{Classification, Classifier};
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
    /// The distances in the features of the second classifier, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<Distances>,
    /// The mean Euclidean distance to the nearest training image, in pixel space with values in [-1, 1].
    pub nearest: f64,
}

/// The metrics of one set of samples that a classifier's features and class probabilities give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureMetrics {
    /// The distances between the features of the set and those of test images.
    #[serde(flatten)]
    pub distances: Distances,
    /// The distribution of the set over the classes.
    #[serde(flatten)]
    pub classes: Classes,
    /// Precision and recall against test images, with k = 3.
    #[serde(flatten)]
    pub manifold: PrecisionRecall,
}

/// Number of training images that are searched at a time: as numbers they take four times the memory of their bytes.
const SEARCHED: usize = 1000;

/// k for precision and recall.
pub(super) const NEIGHBOURS: usize = 3;

/// The classifiers that an evaluation uses. Without them, what needs them is not measured.
#[derive(Clone, Copy, Default)]
pub struct Judges<'a> {
    /// The classifier for features, class probabilities and accuracies.
    pub classifier: Option<&'a Classifier>,
    /// A second one, of another architecture and seed, for the distances alone: it judges a training that used the features
    /// of the first.
    pub judge: Option<&'a Classifier>,
}

/// The reference set for sample metrics.
pub struct Reference<'a> {
    sizes: SampleSizes,
    /// The first test images `[N, C, H, W]`.
    test: Vec<f32>,
    train: &'a Images,
    /// Number of elements per image.
    elements: usize,
    seen: Option<Seen<'a>>,
    judge: Option<Seen<'a>>,
}

/// What a classifier sees in the test images.
struct Seen<'a> {
    classifier: &'a Classifier,
    real: Real,
}

impl<'a> Reference<'a> {
    /// The reference set: the first `sizes.samples` test images, or all of them if there are fewer, and all training
    /// images.
    ///
    /// # Errors
    /// If the images are not what a classifier knows, there are no training images or fewer than two test images, their
    /// features are not finite, or the adapter fails.
    pub fn new(judges: Judges<'a>, train: &'a Images, test: &Images, sizes: SampleSizes) -> Result<Self, Error> {
        if train.is_empty() {
            return Err(Error::Unsuited("there are no training images to compare samples with".into()));
        }
        let elements = test.elements();
        let first = test.gather(0..sizes.samples.min(test.len()));
        let look = |classifier: &'a Classifier| {
            [train, test].into_iter().try_for_each(|images| known(classifier, images))?;
            let features = classifier.blocking_look(&first)?.features;
            Ok::<_, Error>(Seen { classifier, real: Real::new(features, sizes.seed)? })
        };
        let [seen, judge] = [judges.classifier, judges.judge].map(|classifier| classifier.map(look).transpose());
        Ok(Self { sizes, seen: seen?, judge: judge?, test: first, train, elements })
    }

    /// Computes the metrics of samples `[N, C, H, W]`.
    ///
    /// # Errors
    /// If there are fewer than 4 samples or test images for precision and recall, the last sample is incomplete, the features
    /// are not finite, or the adapter fails.
    pub fn compare(&self, name: &str, images: &[f32]) -> Result<SampleMetrics, Error> {
        self.measure(name, images, images)
    }

    /// Computes the metrics of the first `sizes.samples` training images, named `real`: the values of perfect samples.
    /// A training image is its own nearest training image, so this distance is that of test images.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub fn real(&self) -> Result<SampleMetrics, Error> {
        let first = self.train.gather(0..self.train.len().min(self.sizes.samples));
        self.measure("real", &first, &self.test)
    }

    /// Computes the metrics of `images`. The distance to the nearest training image is that of `near` instead.
    fn measure(&self, name: &str, images: &[f32], near: &[f32]) -> Result<SampleMetrics, Error> {
        let seen = self.seen.as_ref().map(|seen| seen.measure(images, &self.sizes)).transpose()?;
        let judge = self.judge.as_ref().map(|Seen { classifier, real }| {
            let features = classifier.blocking_look(images)?.features;
            real.compare(&features)
        });
        let near = Features::new(near, self.elements)?.first(self.sizes.nearest);
        Ok(SampleMetrics { name: name.into(), seen, judge: judge.transpose()?, nearest: self.nearest(&near)? })
    }

    /// The mean distance of `images` to their nearest training images.
    fn nearest(&self, images: &Features<'_>) -> Result<f64, Error> {
        let mut least = vec![f64::INFINITY; images.count()];
        for start in (0..self.train.len()).step_by(SEARCHED) {
            let among = self.train.gather(start..self.train.len().min(start + SEARCHED));
            let found = nearest(images, &Features::new(&among, self.elements)?)?;
            least.iter_mut().zip(found).for_each(|(least, found)| *least = least.min(found.distance));
        }
        Ok(least.iter().sum::<f64>() / least.len() as f64)
    }
}

impl Seen<'_> {
    fn measure(&self, images: &[f32], sizes: &SampleSizes) -> Result<FeatureMetrics, Error> {
        let Classification { features, probabilities } = self.classifier.blocking_look(images)?;
        let samples = Features::new(&features, Classifier::FEATURES)?;
        let [first_real, first_samples] = [self.real.features()?, samples].map(|set| set.first(sizes.manifold));
        let classes = self.classifier.signature().classes;
        Ok(FeatureMetrics {
            distances: self.real.compare(&features)?,
            classes: Classes::of(&Features::new(&probabilities, classes)?),
            manifold: precision_recall(&first_real, &first_samples, NEIGHBOURS)?,
        })
    }
}
