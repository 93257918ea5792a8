//! What a conditional network makes of its labels.

use super::super::{Features, Gaussian, accuracy};
use super::mean_distance;
use crate::classifier::{Classification, Classifier, check_labels};
use crate::data::Images;
use crate::error::Error;
use crate::method::{Distance, Role};
use crate::model::Generator;
use serde::Serialize;

/// Metrics of a conditional network f(·|c), for noise z with every class in turn, and test images x of class c.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionalMetrics {
    /// The share of f(z|c) that the classifier recognises as c.
    pub recognised: f64,
    /// The share of f(f(z|c)|c) that the classifier recognises as c.
    pub recognised_twice: f64,
    /// The same share as `recognised`, per class. `None` for a class without samples.
    pub recognised_by_class: Vec<Option<f64>>,
    /// The squared Fréchet distance per class between the features of f(z|c) and those of the test images of class c.
    /// `None` for a class with fewer than two of either.
    pub frechet_by_class: Vec<Option<f64>>,
    /// What f(x|c′) does with another class c′ ≠ c, each in turn.
    pub other: OtherLabel,
}

/// Metrics of test images x of class c that a conditional network is given as images of another class c′.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OtherLabel {
    /// The share of f(x|c′) that the classifier recognises as c′.
    pub followed: f64,
    /// The share of f(x|c′) that the classifier still recognises as c.
    pub kept: f64,
    /// The movement |f(x|c′) − x|.
    pub movement: f64,
    /// The movement |f(x|c) − x| with the label of x.
    pub movement_of_own: f64,
}

impl ConditionalMetrics {
    /// Measures samples `[f(z|c), f(f(z|c)|c)]` of every class in turn, the reconstructions f(x|c) `own` of the test images,
    /// and `generator` on them with other labels.
    ///
    /// # Errors
    /// If the test images have no labels or others than the classes, features are not finite, or the adapter fails.
    pub fn of(
        generator: &Generator,
        classifier: &Classifier,
        test: &Images,
        own: &[f32],
        samples: [&[f32]; 2],
    ) -> Result<Self, Error> {
        let classes = classifier.signature().classes;
        let labels = test.labels.as_deref().unwrap_or_default();
        check_labels(labels, classes)?;
        let every = generator.every_class();
        let asked: Vec<u8> = every.labels().iter().copied().cycle().take(samples[0].len() / test.elements()).collect();
        let [once, twice] = samples.map(|images| classifier.blocking_look(images));
        let (once, twice) = (once?, twice?);

        let x = test.gather(0..test.len());
        let others = others(labels, classes);
        let of_other = generator.labelled(&others)?.blocking_apply(Role::Image, &x)?;
        let (real, seen) = (classifier.blocking_look(&x)?, classifier.blocking_look(&of_other)?);
        let movement = |images: &[f32]| mean_distance(Distance::L1, images, &x);
        Ok(Self {
            recognised: share(&once, classes, &asked)?,
            recognised_twice: share(&twice, classes, &asked)?,
            recognised_by_class: (0..classes)
                .map(|class| share_of(&once, classes, &asked, class))
                .collect::<Result<_, _>>()?,
            frechet_by_class: (0..classes)
                .map(|class| frechet(&rows(&once.features, &asked, class), &rows(&real.features, labels, class)))
                .collect::<Result<_, _>>()?,
            other: OtherLabel {
                followed: share(&seen, classes, &others)?,
                kept: share(&seen, classes, labels)?,
                movement: movement(&of_other),
                movement_of_own: movement(own),
            },
        })
    }
}

/// Another class for every label. Those of one class are all others in turn.
fn others(labels: &[u8], classes: usize) -> Vec<u8> {
    let mut met = vec![0; classes];
    let other = |label: &u8| {
        let class = usize::from(*label);
        met[class] += 1;
        ((class + 1 + met[class] % (classes - 1).max(1)) % classes) as u8
    };
    labels.iter().map(other).collect()
}

/// The share of images that are recognised as what `labels` say.
fn share(seen: &Classification, classes: usize, labels: &[u8]) -> Result<f64, Error> {
    accuracy(&Features::new(&seen.probabilities, classes)?, labels)
}

/// The share of the images with the label `class` that are recognised as that, if there are any.
fn share_of(seen: &Classification, classes: usize, labels: &[u8], class: usize) -> Result<Option<f64>, Error> {
    let chosen = rows(&seen.probabilities, labels, class);
    let count = chosen.len() / classes;
    if count == 0 {
        return Ok(None);
    }
    accuracy(&Features::new(&chosen, classes)?, &vec![class as u8; count]).map(Some)
}

/// The rows of `table` whose label is `class`.
fn rows(table: &[f32], labels: &[u8], class: usize) -> Vec<f32> {
    let length = table.len() / labels.len().max(1);
    let chosen = table.chunks(length.max(1)).zip(labels).filter(|(_, label)| usize::from(**label) == class);
    chosen.flat_map(|(row, _)| row).copied().collect()
}

/// The squared Fréchet distance of two sets of features, if both can be fitted.
fn frechet(a: &[f32], b: &[f32]) -> Result<Option<f64>, Error> {
    if a.len().min(b.len()) < 2 * Classifier::FEATURES {
        return Ok(None);
    }
    let fit = |features: &[f32]| Gaussian::fit(&Features::new(features, Classifier::FEATURES)?);
    fit(b)?.distance(&fit(a)?).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_labels_are_never_the_own_and_all_others_in_turn() {
        let labels: Vec<u8> = (0..12).map(|i| i % 3).collect();
        let others = others(&labels, 3);
        assert!(others.iter().zip(&labels).all(|(other, own)| other != own && *other < 3));
        let of_first: Vec<_> = others.iter().step_by(3).collect();
        assert_eq!(of_first, [&2, &1, &2, &1]);
    }

    #[test]
    fn a_class_without_samples_has_no_share() {
        let seen = Classification { features: vec![], probabilities: vec![0.9, 0.1, 0.2, 0.8] };
        let shares = [0, 1].map(|class| share_of(&seen, 2, &[0, 0], class).unwrap());
        assert_eq!(shares, [Some(0.5), None]);
    }

    #[test]
    fn rows_are_those_of_the_class() {
        assert_eq!(rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 0, 1], 1), [1.0, 2.0, 5.0, 6.0]);
    }
}
