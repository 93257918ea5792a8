use super::Features;
use super::distances::squared_distances;
use crate::error::Error;
use serde::Serialize;

/// Improved precision and recall (Kynkäänniemi et al. 2019).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PrecisionRecall {
    /// The share of samples on the manifold of the real set: their quality.
    pub precision: f64,
    /// The share of the real set on the manifold of the samples: their coverage.
    pub recall: f64,
}

/// Computes precision and recall of `samples` against `real`.
///
/// The manifold of a set is the union of balls around its members. The radius of a ball is the distance from its centre
/// to the k-th nearest other member. The authors use k = 3.
///
/// # Errors
/// If the dimensions differ, a feature is not finite, k is 0, or a set has k members or fewer.
pub fn precision_recall(real: &Features<'_>, samples: &Features<'_>, k: usize) -> Result<PrecisionRecall, Error> {
    real.comparable(samples)?;
    let least = real.count().min(samples.count());
    if k == 0 || least <= k {
        let text = format!("a set of {least} has no neighbours of rank {k}; use k ≥ 1 and more than k samples");
        return Err(Error::Unsuited(text));
    }
    let (of_real, of_samples) = (squared_radii(real, k), squared_radii(samples, k));
    let (mut good, mut covered) = (vec![false; samples.count()], vec![false; real.count()]);
    squared_distances(real, samples, |i, j, distance| {
        good[j] |= distance <= of_real[i];
        covered[i] |= distance <= of_samples[j];
    });
    let share = |on: Vec<bool>| on.iter().filter(|&&on| on).count() as f64 / on.len() as f64;
    Ok(PrecisionRecall { precision: share(good), recall: share(covered) })
}

/// The squared distance from each sample to its k-th nearest other sample.
fn squared_radii(features: &Features<'_>, k: usize) -> Vec<f64> {
    // Per sample, the k smallest distances so far, in ascending order.
    let mut least = vec![vec![f64::INFINITY; k]; features.count()];
    squared_distances(features, features, |i, j, distance| {
        let least = &mut least[j];
        if i != j && distance < least[k - 1] {
            let at = least.partition_point(|&d| d <= distance);
            least.insert(at, distance);
            least.pop();
        }
    });
    least.into_iter().map(|least| least[k - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::features::tests::{X, Y, waves};
    use super::*;

    fn measure(real: &[f32], samples: &[f32], dimensions: usize, k: usize) -> Result<PrecisionRecall, Error> {
        precision_recall(&Features::new(real, dimensions)?, &Features::new(samples, dimensions)?, k)
    }

    #[test]
    fn a_mode_that_is_missing_costs_recall_only() {
        // The real set has two clusters. All samples are from one of them, so they cover half of the real set.
        let found = measure(&[0.0, 1.0, 2.0, 100.0, 101.0, 102.0], &[0.5, 1.0, 1.5], 1, 1).unwrap();
        assert_eq!(found, PrecisionRecall { precision: 1.0, recall: 0.5 });
        // Samples far from the real set are not on its manifold, and cover nothing.
        let found = measure(&[0.0, 1.0, 2.0], &[50.0, 51.0], 1, 1).unwrap();
        assert_eq!(found, PrecisionRecall { precision: 0.0, recall: 0.0 });
        let same = [0.0, 1.0, 3.0, 7.0];
        assert_eq!(measure(&same, &same, 1, 3).unwrap(), PrecisionRecall { precision: 1.0, recall: 1.0 });
    }

    /// With `scipy.spatial.distance.cdist` (1.17.1) and k = 3, precision is 11/40 and recall 50/50 for these sets.
    #[test]
    fn agrees_with_scipy() {
        let found = measure(&waves(X), &waves(Y), 4, 3).unwrap();
        assert_eq!(found, PrecisionRecall { precision: 11.0 / 40.0, recall: 1.0 });
    }

    #[test]
    fn too_few_samples_are_refused() {
        for k in [0, 2] {
            let error = measure(&[0.0, 1.0, 2.0], &[0.0, 1.0], 1, k).unwrap_err().to_string();
            assert!(error.contains("no neighbours"), "{error}");
        }
    }

    #[test]
    fn samples_that_are_not_finite_are_refused() {
        for value in [f32::NAN, f32::INFINITY] {
            let error = measure(&[0.0, 1.0, 2.0], &[0.0, 1.0, value], 1, 1).unwrap_err().to_string();
            assert!(error.contains(&format!("feature 0 of sample 2 of 3 is {value}")), "{error}");
        }
    }
}
