//! What a trained network is worth, in figures.

mod degradations;
mod samples;

pub use degradations::{DegradationFigures, Projected, Projector};
pub use samples::{Reference, SampleFigures};

use super::{Classifier, MetricsError};
use crate::data::Images;
use crate::ign::{Degradation, Distance, Role};
use crate::random::{Stream, stream};
use crate::train::{Checkpoint, Generator};
use serde::Serialize;

/// How much to measure. Some figures take too long on all samples, and are of the first ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Samples, and real images that they are compared with, for everything but what follows.
    pub samples: usize,
    /// Samples, and real images, for precision and recall.
    pub manifold: usize,
    /// Samples for the nearest training image.
    pub nearest: usize,
    /// Samples for drift.
    pub drift: usize,
    /// Test images for each degradation.
    pub degraded: usize,
    /// Other seeds draw other noise, and spoil images in other ways.
    pub seed: u64,
}

impl Extent {
    /// The extent for so many samples.
    pub fn new(samples: usize, seed: u64) -> Self {
        let at_most = |most: usize| samples.min(most);
        let [manifold, nearest, drift, degraded] = [5000, 1000, 1000, 2000].map(at_most);
        Self { samples, manifold, nearest, drift, degraded, seed }
    }
}

/// What is evaluated, and with what.
pub struct Subject<'a> {
    /// Settings and noise.
    pub checkpoint: &'a Checkpoint,
    /// f, with the statistics that it has: where these are running averages, those of noise for f(z), of samples for
    /// f(f(z)), of images for f(x). Degradations are measured with either kind, whichever it has.
    pub generator: &'a Generator,
    /// Makes the features.
    pub classifier: &'a Classifier,
    /// Training images.
    pub train: &'a Images,
    /// Test images.
    pub test: &'a Images,
}

/// The figures. Errors and movements are means of absolute differences over all pixels, which are in [-1, 1].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Steps that the network was trained for.
    pub step: u64,
    /// Of how many images these figures are.
    pub extent: Extent,
    /// z, f(z), f(f(z)), f³(z), and real images: training images for everything but the nearest training image, which
    /// is that of test images. So z and the real images give the scale of each figure.
    pub samples: Vec<SampleFigures>,
    /// D(f(x), x) on test images x, D being the distance that was trained with.
    pub rec: f64,
    /// |f(z) − z|
    pub movement: f64,
    /// |f(f(z)) − f(z)|, which is to be small beside the movement.
    pub idempotence: f64,
    /// |fᵏ(z) − fᵏ⁻¹(z)| for k from 1 to 10.
    pub drift: Vec<f64>,
    /// The classifier's accuracy on the images that are then degraded, where there are labels.
    pub accuracy: Option<f64>,
    /// Each degradation.
    pub degradations: Vec<DegradationFigures>,
}

/// Applications of f for drift.
const DRIFT: usize = 10;

/// Measures everything. `on` hears what comes next.
///
/// # Errors
/// Where the network makes no images that the classifier knows, there are too few samples, or the adapter fails.
pub fn evaluate(subject: &Subject<'_>, extent: Extent, on: &mut dyn FnMut(&str)) -> Result<Evaluation, MetricsError> {
    let Subject { checkpoint, generator, classifier, train, test } = subject;
    let projector = Projector::new(generator, Some(classifier))?;
    let elements = test.elements();
    on("samples");
    let z = checkpoint.noise().draw(extent.seed, Stream::Evaluation, 0, extent.samples * elements);
    let f = generator.repeat(Role::Noise, &z, 3)?;
    let difference = |a: &[f32], b: &[f32]| mean_distance(Distance::L1, a, b);
    let (movement, idempotence) = (difference(&f[0], &z), difference(&f[1], &f[0]));
    let reference = Reference::new(classifier, train, test, extent)?;
    let mut samples = vec![];
    for (name, set) in [("z", &z), ("f(z)", &f[0]), ("f(f(z))", &f[1]), ("f(f(f(z)))", &f[2])] {
        on(&format!("figures of {name}"));
        samples.push(reference.compare(name, set)?);
    }
    on("figures of real images");
    samples.push(reference.real()?);

    on("drift");
    let start = &z[..extent.drift * elements];
    let path = generator.repeat(Role::Noise, start, DRIFT)?;
    let before = std::iter::once(start).chain(path.iter().map(Vec::as_slice));
    let drift = path.iter().zip(before).map(|(after, before)| difference(after, before)).collect();

    on("reconstruction");
    let x = test.gather(0..extent.samples.min(test.len()));
    let rec = mean_distance(checkpoint.config.distance, &generator.apply(Role::Image, &x)?, &x);

    let originals = test.select(0..extent.degraded.min(test.len()));
    let accuracy = projector.accuracy(&originals.gather(0..originals.len()), originals.labels.as_deref())?;
    let mut degradations = vec![];
    for (i, degradation) in Degradation::all(test.shape[0]).into_iter().enumerate() {
        on(&degradation.name());
        let mut rng = stream(extent.seed, Stream::Degradation, i as u64);
        degradations.push(projector.project(&originals, degradation, &mut rng)?.figures);
    }
    let step = checkpoint.step;
    Ok(Evaluation { step, extent, samples, rec, movement, idempotence, drift, accuracy, degradations })
}

/// That the classifier knows images of this shape.
fn known([c, h, w]: [usize; 3]) -> Result<(), MetricsError> {
    match [c, h, w] == Classifier::IMAGE {
        true => Ok(()),
        false => Err(MetricsError::Unsuited(format!("the classifier knows 1×28×28 images, and these are {c}×{h}×{w}"))),
    }
}

/// The mean over all elements of |a − b|, or of its square.
fn mean_distance(distance: Distance, a: &[f32], b: &[f32]) -> f64 {
    let one = |(a, b): (&f32, &f32)| match distance {
        Distance::L1 => f64::from(a - b).abs(),
        Distance::Mse => f64::from(a - b).powi(2),
    };
    a.iter().zip(b).map(one).sum::<f64>() / a.len() as f64
}
