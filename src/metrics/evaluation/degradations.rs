use super::super::{Features, accuracy};
use super::mean_distance;
use crate::classifier::Classifier;
use crate::data::Images;
use crate::error::Error;
use crate::method::{Degradation, Distance, Role};
use crate::model::{AdaptiveGenerator, Generator, NormStatistics};
use rand::Rng;
use serde::Serialize;

/// Metrics of one degradation: of degraded images x̃, their originals x, and projections of x̃ by the network f. Errors
/// and movements are means of absolute differences over all pixels, for images in [-1, 1].
///
/// The distribution of degraded images differs from that of real images. Therefore f uses the statistics of each batch
/// unless stated otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DegradationMetrics {
    /// The name of the degradation.
    pub name: String,
    /// The error |x̃ − x|.
    pub error_before: f64,
    /// The error |f(x̃) − x|.
    pub error_after: f64,
    /// The error |f(x̃) − x| where each x̃ is projected independently of the others, like a single picture: with the
    /// running averages of real images, or [adapted](Projector::adapted) to it.
    pub error_alone: f64,
    /// The movement |f(f(x̃)) − f(x̃)|.
    pub idempotence: f64,
    /// The classifier's accuracy on x̃, if there are a classifier and labels.
    pub accuracy_before: Option<f64>,
    /// The classifier's accuracy on f(x̃), if there are a classifier and labels.
    pub accuracy_after: Option<f64>,
    /// The classifier's accuracy on f(x̃) where each x̃ is projected alone, if there are a classifier and labels.
    pub accuracy_alone: Option<f64>,
}

/// Degraded images and their projections, each `[N, C, H, W]`, with metrics.
pub struct Projected {
    /// The degraded images x̃.
    pub degraded: Vec<f32>,
    /// The projections f(x̃) with the statistics of each batch.
    pub once: Vec<f32>,
    /// The second projections f(f(x̃)) with the statistics of each batch.
    pub twice: Vec<f32>,
    /// The metrics.
    pub metrics: DegradationMetrics,
}

/// Degrades images, projects them with a network, and measures the projections.
pub struct Projector<'a> {
    /// The network with the statistics of each batch.
    together: Generator,
    /// The network with running averages.
    alone: Generator,
    /// The network adapted to each picture. It takes the place of `alone`.
    adaptive: Option<AdaptiveGenerator>,
    classifier: Option<&'a Classifier>,
}

impl<'a> Projector<'a> {
    /// A projector with the network of `generator`, regardless of the generator's own statistics. `classifier`, if
    /// given, measures the accuracy.
    ///
    /// # Errors
    /// If the network's image shape differs from the classifier's, or the adapter fails.
    pub fn new(generator: &Generator, classifier: Option<&'a Classifier>) -> Result<Self, Error> {
        if let Some(classifier) = classifier {
            classifier.signature().check(generator.image(), &[])?;
        }
        let [together, alone] =
            [NormStatistics::Batch, NormStatistics::Role].map(|statistics| generator.blocking_with(statistics));
        Ok(Self { together: together?, alone: alone?, adaptive: None, classifier })
    }

    /// The projector with an [`AdaptiveGenerator`] of `steps` steps for images that are projected alone.
    ///
    /// # Errors
    /// As [`AdaptiveGenerator::new`].
    pub fn adapted(self, steps: usize) -> Result<Self, Error> {
        let adaptive = Some(AdaptiveGenerator::blocking_new(&self.alone, steps)?);
        Ok(Self { adaptive, ..self })
    }

    /// Degrades all images of `originals`, projects them, and measures the projections.
    ///
    /// # Errors
    /// If there are no images, their shape differs from the network's, or the adapter fails.
    pub fn project(
        &self,
        originals: &Images,
        degradation: Degradation,
        rng: &mut impl Rng,
    ) -> Result<Projected, Error> {
        if originals.is_empty() || originals.shape != self.together.image() {
            let (own, shape) = (self.together.image(), originals.shape);
            let text = format!("{} images of shape {shape:?} for a network of images {own:?}", originals.len());
            return Err(Error::Unsuited(text));
        }
        let x = originals.gather(0..originals.len());
        let degraded = degradation.apply(&x, originals.shape, rng)?;
        let once = self.together.blocking_apply(Role::Image, &degraded)?;
        let twice = self.together.blocking_apply(Role::Sample, &once)?;
        let alone = match &self.adaptive {
            Some(adaptive) => adaptive.blocking_apply(&degraded)?,
            None => self.alone.blocking_apply(Role::Image, &degraded)?,
        };
        let difference = |a: &[f32], b: &[f32]| mean_distance(Distance::L1, a, b);
        let judged = |images: &[f32]| self.judge(images, originals.labels.as_deref());
        let metrics = DegradationMetrics {
            name: degradation.name(),
            error_before: difference(&degraded, &x),
            error_after: difference(&once, &x),
            error_alone: difference(&alone, &x),
            idempotence: difference(&twice, &once),
            accuracy_before: judged(&degraded)?,
            accuracy_after: judged(&once)?,
            accuracy_alone: judged(&alone)?,
        };
        Ok(Projected { degraded, once, twice, metrics })
    }

    /// The classifier's accuracy on images as they are, if there are a classifier and labels. It is the scale of the
    /// accuracies on degraded images.
    ///
    /// # Errors
    /// If a label is no class of the classifier, or the adapter fails.
    pub fn accuracy(&self, images: &Images) -> Result<Option<f64>, Error> {
        self.judge(&images.gather(0..images.len()), images.labels.as_deref())
    }

    /// The classifier's accuracy on `images`, if there are a classifier and labels.
    fn judge(&self, images: &[f32], labels: Option<&[u8]>) -> Result<Option<f64>, Error> {
        let (Some(classifier), Some(labels)) = (self.classifier, labels) else { return Ok(None) };
        let seen = classifier.blocking_look(images)?;
        accuracy(&Features::new(&seen.probabilities, classifier.signature().classes)?, labels).map(Some)
    }
}
