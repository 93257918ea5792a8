use super::super::{Classes, Classifier, Features, Gaussian, MetricsError, PrecisionRecall, nearest, precision_recall};
use super::{Extent, known};
use crate::data::Images;
use serde::Serialize;

/// One set of samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleFigures {
    /// What they are.
    pub name: String,
    /// The squared Fréchet distance of their features to those of test images.
    pub frechet: f64,
    /// How they are spread over the digits.
    #[serde(flatten)]
    pub classes: Classes,
    /// Against test images, with k = 3.
    #[serde(flatten)]
    pub manifold: PrecisionRecall,
    /// The mean Euclidean distance to the nearest training image.
    pub nearest: f64,
}

/// The k of precision and recall.
const NEIGHBOURS: usize = 3;

/// What samples are compared with, wherever they come from.
pub struct Reference<'a> {
    classifier: &'a Classifier,
    extent: Extent,
    /// The first test images.
    test: Vec<f32>,
    /// Their features.
    features: Vec<f32>,
    gaussian: Gaussian,
    /// All training images.
    train: Vec<f32>,
}

impl<'a> Reference<'a> {
    /// As many test images as there are to be samples, and all training images. `classifier` makes the features.
    ///
    /// # Errors
    /// Where the images are none that the classifier knows, there are too few, or the adapter fails.
    pub fn new(
        classifier: &'a Classifier,
        train: &Images,
        test: &Images,
        extent: Extent,
    ) -> Result<Self, MetricsError> {
        known(train.shape)?;
        known(test.shape)?;
        let train = train.gather(0..train.len());
        let test = test.gather(0..extent.samples.min(test.len()));
        let features = classifier.look(&test)?.features;
        let gaussian = Gaussian::fit(&Features::new(&features, Classifier::FEATURES)?)?;
        Ok(Self { classifier, extent, test, features, gaussian, train })
    }

    /// The figures of samples `[N, 1, 28, 28]`.
    ///
    /// # Errors
    /// Where there are too few, or the adapter fails.
    pub fn compare(&self, name: &str, images: &[f32]) -> Result<SampleFigures, MetricsError> {
        self.figures(name, images, images)
    }

    /// The figures of training images, called `real`: what perfect samples would have. Since they are their own nearest
    /// training images, those of test images are taken instead.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub fn real(&self) -> Result<SampleFigures, MetricsError> {
        let count = self.train.len().min(self.extent.samples * Classifier::IMAGE.iter().product::<usize>());
        self.figures("real", &self.train[..count], &self.test)
    }

    /// The figures of `images`, the nearest training images being those of `near`.
    fn figures(&self, name: &str, images: &[f32], near: &[f32]) -> Result<SampleFigures, MetricsError> {
        let seen = self.classifier.look(images)?;
        let real = Features::new(&self.features, Classifier::FEATURES)?;
        let samples = Features::new(&seen.features, Classifier::FEATURES)?;
        let [first_real, first_samples] = [real, samples].map(|features| features.first(self.extent.manifold));
        let pixels = Classifier::IMAGE.iter().product();
        let near = Features::new(near, pixels)?.first(self.extent.nearest);
        let neighbours = nearest(&near, &Features::new(&self.train, pixels)?)?;
        Ok(SampleFigures {
            name: name.into(),
            frechet: self.gaussian.distance(&Gaussian::fit(&samples)?)?,
            classes: Classes::of(&Features::new(&seen.probabilities, Classifier::CLASSES)?),
            manifold: precision_recall(&first_real, &first_samples, NEIGHBOURS)?,
            nearest: neighbours.iter().map(|n| n.distance).sum::<f64>() / neighbours.len() as f64,
        })
    }
}
