use super::Features;
use crate::classifier::check_labels;
use crate::error::Error;
use serde::Serialize;

/// The distribution of samples over the classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classes {
    /// The number of samples per most likely class.
    pub histogram: Vec<usize>,
    /// −Σ p·ln p over the shares p of the histogram, in nats: ln K if all K classes are equally frequent, 0 if all
    /// samples belong to one class.
    pub entropy: f64,
    /// The share of samples whose most likely class has a probability of at least [`CONFIDENT`](Self::CONFIDENT).
    pub confident: f64,
}

impl Classes {
    /// The smallest probability that counts as confident.
    pub const CONFIDENT: f32 = 0.95;

    /// Computes the class distribution of samples from their class probabilities `[N, K]`.
    pub fn of(probabilities: &Features<'_>) -> Self {
        let count = probabilities.count();
        let (mut histogram, mut confident) = (vec![0; probabilities.dimensions()], 0);
        for i in 0..count {
            let row = probabilities.row(i);
            let class = most_likely(row);
            histogram[class] += 1;
            confident += usize::from(row[class] >= Self::CONFIDENT);
        }
        let shares = histogram.iter().map(|&n| n as f64 / count as f64).filter(|&p| p > 0.0);
        let entropy = shares.map(|p| -p * p.ln()).sum::<f64>().max(0.0);
        Self { histogram, entropy, confident: confident as f64 / count as f64 }
    }
}

/// The classification accuracy: the share of samples whose label is the most likely class by probabilities `[N, K]`.
///
/// # Errors
/// If the number of labels differs from the number of samples, a label is no class, or a probability is not finite.
pub fn accuracy(probabilities: &Features<'_>, labels: &[u8]) -> Result<f64, Error> {
    let count = probabilities.count();
    if labels.len() != count {
        return Err(Error::Unsuited(format!("{} labels for {count} samples", labels.len())));
    }
    check_labels(labels, probabilities.dimensions())?;
    probabilities.check_finite()?;
    let right = |&(i, &label): &(usize, &u8)| most_likely(probabilities.row(i)) == usize::from(label);
    Ok(labels.iter().enumerate().filter(right).count() as f64 / count as f64)
}

fn most_likely(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Class probabilities `[N, 3]`: `counts[k]` samples of class k, each with probability `likely` for its class.
    fn probabilities(counts: [usize; 3], likely: f32) -> Vec<f32> {
        let other = (1.0 - likely) / 2.0;
        let row = |class: usize| (0..3).map(move |k| if k == class { likely } else { other });
        counts.iter().enumerate().flat_map(|(class, &n)| (0..n).flat_map(move |_| row(class))).collect()
    }

    fn classes(values: &[f32]) -> Classes {
        Classes::of(&Features::new(values, 3).unwrap())
    }

    #[test]
    fn entropy_has_its_closed_forms() {
        assert_eq!(classes(&probabilities([0, 7, 0], 0.9)).entropy, 0.0);
        let even = classes(&probabilities([4, 4, 4], 0.9));
        assert!((even.entropy - 3f64.ln()).abs() < 1e-12 && even.histogram == [4, 4, 4]);
        // scipy.stats.entropy([5, 3, 2]) (1.17.1)
        let entropy = classes(&probabilities([5, 3, 2], 0.9)).entropy;
        assert!((entropy - 1.0296530140645737).abs() < 1e-12, "{entropy}");
    }

    #[test]
    fn confidence_is_counted() {
        let mut values = probabilities([1, 1, 1], 0.99);
        values.extend(probabilities([1, 0, 0], 0.5));
        assert_eq!(classes(&values).confident, 0.75);
    }

    #[test]
    fn accuracy_counts_what_is_right() {
        let values = probabilities([2, 1, 1], 0.8);
        let features = Features::new(&values, 3).unwrap();
        assert_eq!(accuracy(&features, &[0, 0, 1, 1]).unwrap(), 0.75);
        assert!(accuracy(&features, &[0]).unwrap_err().to_string().contains("1 labels for 4 samples"));
        let error = accuracy(&features, &[0, 0, 3, 1]).unwrap_err().to_string();
        assert_eq!(error, "image 2 has the label 3, and the classifier knows 0 to 2");
    }
}
