use super::super::{Classes, Classifier, Features, Gaussian, MetricsError, PrecisionRecall, nearest, precision_recall};
use super::{Extent, Subject};
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

/// The figures of z, f(z), f(f(z)), f³(z), and real images.
pub(super) fn measure(
    subject: &Subject<'_>,
    extent: &Extent,
    sets: [&[f32]; 4],
    on: &mut dyn FnMut(&str),
) -> Result<Vec<SampleFigures>, MetricsError> {
    let first = |images: &Images| images.gather(0..extent.samples.min(images.len()));
    let (test, real) = (first(subject.test), first(subject.train));
    let seen = subject.classifier.look(&test)?;
    let features = Features::new(&seen.features, Classifier::FEATURES)?;
    let train = subject.train.gather(0..subject.train.len());
    let elements = subject.test.elements();
    let reference =
        Reference { extent, features, gaussian: Gaussian::fit(&features)?, train: Features::new(&train, elements)? };

    // Training images are their own nearest ones.
    let named = ["z", "f(z)", "f(f(z))", "f(f(f(z)))"].into_iter().zip(sets).map(|(name, set)| (name, set, set));
    let mut figures = vec![];
    for (name, set, near) in named.chain([("real", real.as_slice(), test.as_slice())]) {
        on(&format!("figures of {name}"));
        figures.push(reference.compare(subject.classifier, name, set, near)?);
    }
    Ok(figures)
}

/// What samples are compared with.
struct Reference<'a> {
    extent: &'a Extent,
    /// Of test images.
    features: Features<'a>,
    gaussian: Gaussian,
    /// Training images.
    train: Features<'a>,
}

impl Reference<'_> {
    /// The figures of `images`, the nearest training images being those of `near`.
    fn compare(
        &self,
        classifier: &Classifier,
        name: &str,
        images: &[f32],
        near: &[f32],
    ) -> Result<SampleFigures, MetricsError> {
        let seen = classifier.look(images)?;
        let features = Features::new(&seen.features, Classifier::FEATURES)?;
        let [real, samples] = [self.features, features].map(|features| features.first(self.extent.manifold));
        let manifold = precision_recall(&real, &samples, NEIGHBOURS)?;
        let near = Features::new(near, self.train.dimensions())?.first(self.extent.nearest);
        let neighbours = nearest(&near, &self.train)?;
        Ok(SampleFigures {
            name: name.into(),
            frechet: self.gaussian.distance(&Gaussian::fit(&features)?)?,
            classes: Classes::of(&Features::new(&seen.probabilities, Classifier::CLASSES)?),
            manifold,
            nearest: neighbours.iter().map(|n| n.distance).sum::<f64>() / neighbours.len() as f64,
        })
    }
}
