//! The evaluation of a trained network.

mod conditional;
mod degradations;
mod distances;
mod samples;

pub use conditional::ConditionalMetrics;
pub use degradations::{DegradationMetrics, Projected, Projector};
pub use distances::Distances;
pub use samples::{FeatureMetrics, Judges, Reference, SampleMetrics};

use samples::NEIGHBOURS;

use crate::classifier::Classifier;
use crate::data::Images;
use crate::error::Error;
use crate::method::{Degradation, Distance, Role};
use crate::model::{Checkpoint, Generator};
use crate::random::{Stream, stream};
use serde::Serialize;

/// The number of images per metric. Slow metrics use the first samples only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SampleSizes {
    /// Number of samples, and maximum number of real images, for all metrics not listed below.
    pub samples: usize,
    /// Number of samples, and maximum number of test images, for precision and recall.
    pub manifold: usize,
    /// Number of samples for the distance to the nearest training image.
    pub nearest: usize,
    /// Number of samples for the drift.
    pub drift: usize,
    /// Number of test images per degradation, and for the classifier's accuracy on them without degradation.
    pub degraded: usize,
    /// Seed of noise, degradations, and the resamples and blocks of confidence intervals.
    pub seed: u64,
}

impl SampleSizes {
    /// The default sizes for `samples` samples: at most 5000 for precision and recall, 1000 for the distance to the
    /// nearest training image, 1000 for the drift and 2000 per degradation.
    pub fn new(samples: usize, seed: u64) -> Self {
        let at_most = |most: usize| samples.min(most);
        let [manifold, nearest, drift, degraded] = [5000, 1000, 1000, 2000].map(at_most);
        Self { samples, manifold, nearest, drift, degraded, seed }
    }
}

/// A trained network to evaluate, with the checkpoint, classifier and data for the evaluation.
pub struct Subject<'a> {
    /// The checkpoint of the network. It provides noise, settings and step.
    pub checkpoint: &'a Checkpoint,
    /// The network f with its kind of statistics. Running averages are those of noise for f(z), of samples for f(f(z))
    /// and of images for f(x). Degradations are measured with both kinds of statistics in any case.
    pub generator: &'a Generator,
    /// The classifiers, as far as any know such images.
    pub judges: Judges<'a>,
    /// The training images.
    pub train: &'a Images,
    /// The test images.
    pub test: &'a Images,
}

/// The metrics of a trained network f, for noise z and test images x. Movements are means of absolute differences over
/// all pixels, for images in [-1, 1].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// The number of completed training steps of the network.
    pub step: u64,
    /// The number of images per metric.
    #[serde(rename = "extent")]
    pub sizes: SampleSizes,
    /// The metrics of z, f(z), f(f(z)), f³(z) and real images. The real images are training images, except for the
    /// distance to the nearest training image, where they are test images. z and the real images give the scale of each
    /// metric.
    pub samples: Vec<SampleMetrics>,
    /// The mean distance D(f(x), x) on test images x, where D is the distance between pixels of the training, without features.
    pub rec: f64,
    /// The movement |f(z) − z|.
    pub movement: f64,
    /// The movement |f(f(z)) − f(z)|, which should be small compared with |f(z) − z|.
    pub idempotence: f64,
    /// The movements |fᵏ(z) − fᵏ⁻¹(z)| for k from 1 to 10.
    pub drift: Vec<f64>,
    /// What a conditional network makes of its labels, if the classifier has the same classes.
    pub conditional: Option<ConditionalMetrics>,
    /// The classifier's accuracy on the originals of the degraded images, if there are labels.
    pub accuracy: Option<f64>,
    /// The metrics per degradation.
    pub degradations: Vec<DegradationMetrics>,
}

/// Number of applications of f for the drift.
const DRIFT: usize = 10;

/// Computes all metrics. Calls `on` with the name of each measurement before it starts.
///
/// # Errors
/// If `sizes.drift` exceeds `sizes.samples`, the images are not what a classifier knows, a conditional network does not know
/// the labels of the test images, there are fewer than 4 samples, training images or test images for precision and recall, the
/// features are not finite, or the adapter fails.
pub fn evaluate(subject: &Subject<'_>, sizes: SampleSizes, on: &mut dyn FnMut(&str)) -> Result<Evaluation, Error> {
    let Subject { checkpoint, generator, judges, train, test } = subject;
    let sizes = SampleSizes { degraded: sizes.degraded.min(test.len()), ..sizes };
    check(subject, sizes)?;
    let reference = Reference::new(*judges, train, test, sizes)?;
    on("samples");
    let z = checkpoint.noise()?.draw(sizes.seed, Stream::Evaluation, 0, sizes.samples * test.elements());
    let f = generator.every_class().blocking_repeat(Role::Noise, &z, 3)?;
    let mut samples = vec![];
    for (name, set) in [("z", &z), ("f(z)", &f[0]), ("f(f(z))", &f[1]), ("f(f(f(z)))", &f[2])] {
        on(&format!("measurements of {name}"));
        samples.push(reference.compare(name, set)?);
    }
    on("measurements of real images");
    samples.push(reference.real()?);
    on("drift");
    let drift = drift(generator, &z[..sizes.drift * test.elements()])?;

    on("reconstruction");
    let known = test.select(0..sizes.samples.min(test.len()));
    let x = known.gather(0..known.len());
    let fx = generator.for_labels(known.labels.as_deref())?.blocking_apply(Role::Image, &x)?;
    let conditional = match judges.classifier {
        Some(classifier) if generator.classes().is_some_and(|classes| classes == classifier.signature().classes) => {
            on("labels");
            Some(ConditionalMetrics::of(generator, classifier, &known, &fx, [&f[0], &f[1]])?)
        }
        _ => None,
    };
    let (accuracy, degradations) = degradations(subject, sizes, on)?;
    Ok(Evaluation {
        step: checkpoint.step,
        sizes,
        samples,
        rec: mean_distance(checkpoint.config.distance, &fx, &x),
        movement: mean_distance(Distance::L1, &f[0], &z),
        idempotence: mean_distance(Distance::L1, &f[1], &f[0]),
        drift,
        conditional,
        accuracy,
        degradations,
    })
}

/// Checks that everything can be measured, before the first measurement.
fn check(subject: &Subject<'_>, sizes: SampleSizes) -> Result<(), Error> {
    let Subject { generator, judges, train, test, .. } = subject;
    if sizes.drift > sizes.samples {
        let text = format!("drift is to be measured on {} of {} samples", sizes.drift, sizes.samples);
        return Err(Error::Unsuited(text));
    }
    let least = train.len().min(test.len()).min(sizes.manifold);
    if least <= NEIGHBOURS {
        let text =
            format!("{} training images, {} test images and {} samples", train.len(), test.len(), sizes.manifold);
        return Err(Error::Unsuited(format!("an evaluation needs more than {NEIGHBOURS} of each; there are {text}")));
    }
    generator.for_labels(test.labels.as_deref())?;
    judges.classifier.map_or(Ok(()), |classifier| classifier.signature().check(generator.image(), &[]))
}

/// The movements |fᵏ(z) − fᵏ⁻¹(z)| for k from 1 to [`DRIFT`].
fn drift(generator: &Generator, z: &[f32]) -> Result<Vec<f64>, Error> {
    let path = generator.every_class().blocking_repeat(Role::Noise, z, DRIFT)?;
    let before = std::iter::once(z).chain(path.iter().map(Vec::as_slice));
    Ok(path.iter().zip(before).map(|(after, before)| mean_distance(Distance::L1, after, before)).collect())
}

/// The classifier's accuracy on the first test images, and the metrics of their degradations.
fn degradations(
    subject: &Subject<'_>,
    sizes: SampleSizes,
    on: &mut dyn FnMut(&str),
) -> Result<(Option<f64>, Vec<DegradationMetrics>), Error> {
    let Subject { generator, judges, test, .. } = subject;
    let originals = test.select(0..sizes.degraded);
    let projector = Projector::new(&generator.for_labels(originals.labels.as_deref())?, judges.classifier)?;
    let accuracy = projector.accuracy(&originals)?;
    let mut metrics = vec![];
    for (i, degradation) in Degradation::all(test.shape[0]).into_iter().enumerate() {
        on(&degradation.name());
        let mut rng = stream(sizes.seed, Stream::Degradation, i as u64);
        metrics.push(projector.project(&originals, degradation, &mut rng)?.metrics);
    }
    Ok((accuracy, metrics))
}

/// Checks that images are what the classifier knows.
fn known(classifier: &Classifier, images: &Images) -> Result<(), Error> {
    classifier.signature().check(images.shape, images.labels.as_deref().unwrap_or_default())
}

/// The mean over all elements of |a − b| (L1) or (a − b)² (MSE).
fn mean_distance(distance: Distance, a: &[f32], b: &[f32]) -> f64 {
    let one = |(a, b): (&f32, &f32)| match distance {
        Distance::L1 => f64::from(a - b).abs(),
        Distance::Mse => f64::from(a - b).powi(2),
    };
    a.iter().zip(b).map(one).sum::<f64>() / a.len() as f64
}
