use super::Features;
use crate::error::Error;
use crate::random::{Stream, stream};
use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;

/// Greatest number of blocks.
const BLOCKS: usize = 10;
/// Greatest number of samples of a block.
const BLOCK: usize = 1000;
/// The 97.5 % quantiles of Student's t distribution with 1 to 9 degrees of freedom.
const STUDENT: [f64; BLOCKS - 1] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/// The kernel distance between two feature sets, with its 95 % confidence interval. With features of the Inception network it
/// is known as KID (Bińkowski et al. 2018).
///
/// It is the squared maximum mean discrepancy with the kernel k(a, b) = (a·b/D + 1)³ of D features, without bias: for m
/// samples xᵢ and m real yᵢ
///
/// Σᵢ≠ⱼ (k(xᵢ, xⱼ) + k(yᵢ, yⱼ))/(m(m − 1)) − 2·Σᵢⱼ k(xᵢ, yⱼ)/m²
///
/// The value is the mean over at most 10 blocks of at most m = 1000 of each, drawn at random without replacement, so that the
/// blocks are independent (Zaremba et al. 2013). It can be negative. The interval is Student's, of the mean of the blocks. It
/// includes how the real samples vary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelDistance {
    /// The mean over the blocks.
    pub value: f64,
    /// Half of the width of the interval around the value.
    pub margin: f64,
}

/// The distance of `samples` to `real`, with blocks by `seed`.
///
/// # Errors
/// If the dimensions differ, there are fewer than 4 samples of either, or a feature is not finite.
pub fn kernel_distance(real: &Features<'_>, samples: &Features<'_>, seed: u64) -> Result<KernelDistance, Error> {
    real.comparable(samples)?;
    let least = real.count().min(samples.count());
    if least < 4 {
        return Err(Error::Unsuited(format!(
            "a kernel distance needs 4 samples of each set at the least, not {least}"
        )));
    }
    let count = BLOCKS.min(least / 2);
    let size = BLOCK.min(least / count);
    let [real, samples] = [(real, 1), (samples, 2)].map(|(set, number)| blocks(set, size, seed, number));
    let values = DVector::from_iterator(count, samples.zip(real).map(|(x, y)| discrepancy(&x, &y)).take(count));
    let deviation = (values.variance() * count as f64 / (count - 1) as f64).sqrt();
    Ok(KernelDistance { value: values.mean(), margin: STUDENT[count - 2] * deviation / (count as f64).sqrt() })
}

/// The samples in random order, in blocks of `size`, each as columns `[D, size]`. Data are often sorted.
fn blocks(set: &Features<'_>, size: usize, seed: u64, counter: u64) -> impl Iterator<Item = DMatrix<f64>> {
    let mut order: Vec<_> = (0..set.count()).collect();
    order.shuffle(&mut stream(seed, Stream::Resampling, counter));
    let (set, dimensions) = (*set, set.dimensions());
    (0..set.count() / size).map(move |block| {
        let rows = order[block * size..][..size].iter();
        DMatrix::from_iterator(dimensions, size, rows.flat_map(|&i| set.row(i)).map(|&x| f64::from(x)))
    })
}

/// The squared maximum mean discrepancy of two sets of equal size, as columns, without bias.
fn discrepancy(x: &DMatrix<f64>, y: &DMatrix<f64>) -> f64 {
    let kernel = |product: f64| (product / x.nrows() as f64 + 1.0).powi(3);
    let sum = |a: &DMatrix<f64>, b: &DMatrix<f64>| a.tr_mul(b).iter().map(|&product| kernel(product)).sum::<f64>();
    let others = |a: &DMatrix<f64>| sum(a, a) - a.column_iter().map(|a| kernel(a.norm_squared())).sum::<f64>();
    let m = x.ncols() as f64;
    (others(x) + others(y)) / (m * (m - 1.0)) - 2.0 * sum(x, y) / (m * m)
}

#[cfg(test)]
mod tests {
    use super::super::features::tests::{X, Y, waves};
    use super::*;
    use rand::RngExt;
    use rand_distr::StandardNormal;

    /// `count` samples of 3 standard normal features, shifted.
    fn normal(seed: u64, count: usize, shift: f32) -> Vec<f32> {
        let mut rng = stream(seed, Stream::Evaluation, 0);
        (0..3 * count).map(|_| rng.sample::<f32, _>(StandardNormal) + shift).collect()
    }

    fn measure(real: &[f32], samples: &[f32]) -> KernelDistance {
        kernel_distance(&Features::new(real, 3).unwrap(), &Features::new(samples, 3).unwrap(), 1).unwrap()
    }

    #[test]
    fn a_block_has_the_discrepancy_of_the_formula() {
        let (x, y) = (waves(X), waves(Y));
        let [x, y] = [&x, &y].map(|values| Features::new(values, 4).unwrap().first(40));
        let k = |a: &[f32], b: &[f32]| {
            let product: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            (product / 4.0 + 1.0).powi(3)
        };
        let mut expected = 0.0;
        for (i, j) in (0..40).flat_map(|i| (0..40).map(move |j| (i, j))) {
            let own = if i == j { 0.0 } else { k(x.row(i), x.row(j)) + k(y.row(i), y.row(j)) };
            expected += own / (40.0 * 39.0) - 2.0 * k(x.row(i), y.row(j)) / 1600.0;
        }
        let found = discrepancy(&x.columns(0..40), &y.columns(0..40));
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    /// Over 100 pairs of sets from one distribution the mean is zero within 4 of its standard errors, and about 95 of the
    /// intervals hold zero.
    #[test]
    fn sets_from_one_distribution_are_at_zero_and_the_interval_says_so() {
        let found: Vec<_> = (0..100).map(|i| measure(&normal(2 * i, 200, 0.0), &normal(2 * i + 1, 200, 0.0))).collect();
        let values = DVector::from_iterator(100, found.iter().map(|d| d.value));
        assert!(values.mean().abs() < 4.0 * values.variance().sqrt() / 10.0, "{}", values.mean());
        let covered = found.iter().filter(|d| d.value.abs() <= d.margin).count();
        assert!((88..=100).contains(&covered), "{covered}");
    }

    #[test]
    fn shifted_sets_are_apart() {
        let near = measure(&normal(1, 1000, 0.0), &normal(2, 1000, 0.5));
        let far = measure(&normal(1, 1000, 0.0), &normal(2, 1000, 1.0));
        assert!(near.value > near.margin && far.value - far.margin > near.value + near.margin, "{near:?} {far:?}");
    }

    /// Two halves of a sorted set are far apart, but a set is not far from itself in another order.
    #[test]
    fn the_order_of_the_samples_does_not_matter() {
        let mut values = normal(1, 500, 0.0);
        values.extend(normal(2, 500, 3.0));
        let reversed: Vec<f32> = values.chunks(3).rev().flatten().copied().collect();
        let found = measure(&values, &reversed);
        assert!(found.value.abs() <= 2.0 * found.margin, "{found:?}");
    }

    #[test]
    fn what_has_no_discrepancy_is_refused() {
        let refused = |real: &[f32], samples: &[f32], why: &str| {
            let [real, samples] = [real, samples].map(|values| Features::new(values, 1).unwrap());
            let error = kernel_distance(&real, &samples, 1).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        refused(&[1.0; 3], &[1.0; 9], "needs 4 samples of each set at the least, not 3");
        refused(&[1.0; 4], &[1.0, f32::NAN, 1.0, 1.0], "not finite");
        assert!(
            kernel_distance(&Features::new(&[1.0; 8], 2).unwrap(), &Features::new(&[1.0; 8], 1).unwrap(), 1).is_err()
        );
    }
}
