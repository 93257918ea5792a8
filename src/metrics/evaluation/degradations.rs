use super::super::{Classifier, Features, MetricsError, accuracy};
use super::{Extent, Subject, mean_distance};
use crate::ign::{Degradation, Distance, Role};
use crate::random::{Stream, stream};
use serde::Serialize;

/// One degradation x̃ of test images x.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DegradationFigures {
    /// What it is.
    pub name: String,
    /// |x̃ − x|
    pub error_before: f64,
    /// |f(x̃) − x|
    pub error_after: f64,
    /// |f(f(x̃)) − f(x̃)|
    pub idempotence: f64,
    /// The classifier's accuracy on x̃, where there are labels.
    pub accuracy_before: Option<f64>,
    /// The classifier's accuracy on f(x̃), where there are labels.
    pub accuracy_after: Option<f64>,
}

/// The classifier's accuracy on test images, and the figures of each degradation of them.
pub(super) fn measure(
    subject: &Subject<'_>,
    extent: &Extent,
    on: &mut dyn FnMut(&str),
) -> Result<(Option<f64>, Vec<DegradationFigures>), MetricsError> {
    let Subject { generator, classifier, test, .. } = subject;
    let count = extent.degraded.min(test.len());
    let labels = test.labels.as_ref().map(|labels| &labels[..count]);
    let judge = |images: &[f32]| -> Result<Option<f64>, MetricsError> {
        let Some(labels) = labels else { return Ok(None) };
        let seen = classifier.look(images)?;
        accuracy(&Features::new(&seen.probabilities, Classifier::CLASSES)?, labels).map(Some)
    };
    let x = test.gather(0..count);
    let difference = |a: &[f32], b: &[f32]| mean_distance(Distance::L1, a, b);
    let one = |(i, degradation): (usize, Degradation)| {
        on(&degradation.name());
        let spoiled = degradation.apply(&x, test.shape, &mut stream(extent.seed, Stream::Degradation, i as u64));
        let f = generator.repeat(Role::Image, &spoiled, 2)?;
        Ok(DegradationFigures {
            name: degradation.name(),
            error_before: difference(&spoiled, &x),
            error_after: difference(&f[0], &x),
            idempotence: difference(&f[1], &f[0]),
            accuracy_before: judge(&spoiled)?,
            accuracy_after: judge(&f[0])?,
        })
    };
    let all = Degradation::all(test.shape[0]).into_iter().enumerate().map(one);
    Ok((judge(&x)?, all.collect::<Result<_, MetricsError>>()?))
}
