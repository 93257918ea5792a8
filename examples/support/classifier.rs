//! The classifiers that fit a data set.

use ign::classifier::Classifier;
use ign::data::Images;
use ign::gpu::Gpu;
use ign::metrics::{Features, accuracy};
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Number of images on which a classifier is tried.
const TRIED: usize = 1000;
/// The least share of them that it must recognise. Shirts with labels from 0 to 9 are no digits.
const FITTING: f64 = 0.5;

/// The file of a classifier, in a record.
#[derive(Serialize)]
#[serde(transparent)]
#[allow(dead_code)]
pub struct File(#[serde(serialize_with = "ign::files::path::serialize")] pub PathBuf);

/// A shipped classifier.
pub struct Shipped {
    pub name: &'static str,
    pub file: &'static str,
}

/// The classifier that judges unless another is named.
pub const CLASSIFIER: Shipped = Shipped { name: "classifier", file: Classifier::FILE };
/// The second one.
#[allow(dead_code)]
pub const JUDGE: Shipped = Shipped { name: "judge", file: Classifier::JUDGE };

/// The classifier in the file `given`, or the shipped one if it knows images and labels like those of `test`. Says why, if
/// there is none, and warns of one that recognises too few of the images.
///
/// # Errors
/// If a file cannot be read, or its classifier takes other images or has other classes.
pub fn fitting(
    gpu: &Gpu,
    shipped: &Shipped,
    given: Option<&Path>,
    test: &Images,
) -> Result<Option<Classifier>, Box<dyn Error>> {
    let labels = test.labels.as_deref();
    let classifier = Classifier::load(gpu, given.unwrap_or(Path::new(shipped.file)))?;
    let checked = classifier.signature().check(test.shape, labels.unwrap_or_default());
    let reason = match (checked, labels) {
        (Err(e), _) if given.is_some() => return Err(e.into()),
        (Err(e), _) => e.to_string(),
        (Ok(()), None) => {
            if given.is_none() {
                note!("warning: the images have no labels; the {} is one of digits", shipped.name);
            }
            return Ok(Some(classifier));
        }
        (Ok(()), Some(labels)) => {
            let first = test.len().min(TRIED);
            let seen = classifier.blocking_look(&test.gather(0..first))?;
            let probabilities = Features::new(&seen.probabilities, classifier.signature().classes)?;
            let share = accuracy(&probabilities, &labels[..first])?;
            if share >= FITTING {
                return Ok(Some(classifier));
            }
            format!("it recognises {:.1} % of the test images", 100.0 * share)
        }
    };
    let [c, h, _] = test.shape;
    let make = format!("For one of these images: --example classifier -- --data DIR --network {c}x{h}");
    if let Some(file) = given {
        note!("warning: {}: {reason}. {make}", file.display());
        return Ok(Some(classifier));
    }
    note!("without the shipped {}: {reason}. {make}", shipped.name);
    Ok(None)
}
