use super::super::{Classifier, Features, MetricsError, accuracy};
use super::{known, mean_distance};
use crate::data::Images;
use crate::ign::{Degradation, Distance, Role};
use crate::train::{Generator, Statistics};
use rand::Rng;
use serde::Serialize;

/// One degradation x̃ of images x. A degradation is a distribution of its own: f, where nothing else is said, is with the
/// statistics of each batch of x̃.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DegradationFigures {
    /// What it is.
    pub name: String,
    /// |x̃ − x|
    pub error_before: f64,
    /// |f(x̃) − x|
    pub error_after: f64,
    /// |f(x̃) − x| with the running averages of real images: each x̃ on its own, as a single picture is.
    pub error_alone: f64,
    /// |f(f(x̃)) − f(x̃)|
    pub idempotence: f64,
    /// The classifier's accuracy on x̃, where there are a classifier and labels.
    pub accuracy_before: Option<f64>,
    /// The classifier's accuracy on f(x̃), where there are a classifier and labels.
    pub accuracy_after: Option<f64>,
    /// The classifier's accuracy on f(x̃) with the running averages of real images, where there are a classifier and
    /// labels.
    pub accuracy_alone: Option<f64>,
}

/// Images x̃ that were spoiled, what f made of them, and the figures of that.
pub struct Projected {
    /// x̃
    pub degraded: Vec<f32>,
    /// f(x̃) with the statistics of each batch.
    pub once: Vec<f32>,
    /// f(f(x̃)) with the statistics of each batch.
    pub twice: Vec<f32>,
    /// Of all of them.
    pub figures: DegradationFigures,
}

/// Spoils images, projects them, and measures what came of it.
pub struct Projector<'a> {
    /// With the statistics of each batch.
    together: Generator,
    /// With running averages.
    alone: Generator,
    classifier: Option<&'a Classifier>,
}

impl<'a> Projector<'a> {
    /// Projects by `generator`, whatever its statistics are, and asks `classifier` what it knows.
    ///
    /// # Errors
    /// Where the network makes no images that the classifier knows, or the adapter fails.
    pub fn new(generator: &Generator, classifier: Option<&'a Classifier>) -> Result<Self, MetricsError> {
        if classifier.is_some() {
            known(generator.image())?;
        }
        let [together, alone] = [Statistics::Batch, Statistics::Role].map(|statistics| generator.with(statistics));
        Ok(Self { together: together?, alone: alone?, classifier })
    }

    /// Spoils all of `originals`, which are of the network's shape, and projects them.
    ///
    /// # Errors
    /// Where there are no images, or the adapter fails.
    pub fn project(
        &self,
        originals: &Images,
        degradation: Degradation,
        rng: &mut impl Rng,
    ) -> Result<Projected, MetricsError> {
        let x = originals.gather(0..originals.len());
        let degraded = degradation.apply(&x, originals.shape, rng);
        let once = self.together.apply(Role::Image, &degraded)?;
        let twice = self.together.apply(Role::Sample, &once)?;
        let alone = self.alone.apply(Role::Image, &degraded)?;
        let difference = |a: &[f32], b: &[f32]| mean_distance(Distance::L1, a, b);
        let judged = |images: &[f32]| self.accuracy(images, originals.labels.as_deref());
        let figures = DegradationFigures {
            name: degradation.name(),
            error_before: difference(&degraded, &x),
            error_after: difference(&once, &x),
            error_alone: difference(&alone, &x),
            idempotence: difference(&twice, &once),
            accuracy_before: judged(&degraded)?,
            accuracy_after: judged(&once)?,
            accuracy_alone: judged(&alone)?,
        };
        Ok(Projected { degraded, once, twice, figures })
    }

    /// The classifier's accuracy on `images`, where there are a classifier and labels.
    pub(super) fn accuracy(&self, images: &[f32], labels: Option<&[u8]>) -> Result<Option<f64>, MetricsError> {
        let (Some(classifier), Some(labels)) = (self.classifier, labels) else { return Ok(None) };
        let seen = classifier.look(images)?;
        accuracy(&Features::new(&seen.probabilities, Classifier::CLASSES)?, labels).map(Some)
    }
}
