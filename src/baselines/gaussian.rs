use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// The normal distribution with mean and covariance of samples.
pub(super) struct Gaussian {
    mean: DVector<f64>,
    /// A root R `[D, rank]` of the covariance Σ = R·Rᵀ: the principal components, each with the deviation along it as its
    /// length.
    root: DMatrix<f64>,
}

impl Gaussian {
    /// Mean μ `[D]` and covariance Σ = Σᵢ(xᵢ − μ)(xᵢ − μ)ᵀ/N `[D, D]` of N ≥ 1 finite samples of D numbers.
    pub fn fit(samples: &[f32], dimensions: usize) -> Self {
        let numbers = samples.iter().map(|&x| f64::from(x));
        let mut samples = DMatrix::from_iterator(dimensions, samples.len() / dimensions, numbers);
        let mean = samples.column_mean();
        samples.column_iter_mut().for_each(|mut sample| sample -= &mean);
        let covariance = &samples * samples.transpose() / samples.ncols() as f64;
        // Fewer samples than dimensions leave eigenvalues of 0, which rounding can turn negative.
        let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(covariance);
        let deviations = DMatrix::from_diagonal(&eigenvalues.map(|e| e.max(0.0).sqrt()));
        Self { mean, root: eigenvectors * deviations }
    }

    /// The distribution of the `rank` principal components with the greatest variances, from 1 to D, and none of the others.
    /// Its root is `[D, rank]`.
    pub fn low_rank(&self, rank: usize) -> Self {
        let mut columns: Vec<_> = self.root.column_iter().collect();
        columns.sort_by(|a, b| b.norm_squared().total_cmp(&a.norm_squared()));
        Self { mean: self.mean.clone(), root: DMatrix::from_columns(&columns[..rank]) }
    }

    /// The sum of the variances of all dimensions.
    pub fn variance(&self) -> f64 {
        self.root.norm_squared()
    }

    /// μ + R·ε for each sample ε of standard `normals` `[N, rank]`.
    pub fn transform(&self, normals: &[f32]) -> Vec<f32> {
        let one = |normals: &[f32]| {
            let epsilon = DVector::from_iterator(normals.len(), normals.iter().map(|&x| f64::from(x)));
            let sample = &self.mean + &self.root * epsilon;
            sample.iter().map(|&x| x as f32).collect::<Vec<_>>()
        };
        normals.chunks_exact(self.root.ncols()).flat_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_mean_and_covariance_of_what_was_fitted() {
        let gaussian = Gaussian::fit(&[1.0, 5.0, 3.0, 9.0, 1.0, 5.0, 3.0, 5.0], 2);
        assert_eq!(gaussian.mean.as_slice(), [2.0, 6.0]);
        let covariance = &gaussian.root * gaussian.root.transpose();
        for (found, expected) in covariance.iter().zip([1.0, 1.0, 1.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{covariance}");
        }
        // The columns of the root, as differences from the mean.
        let moved = gaussian.transform(&[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let root = gaussian.root.as_slice();
        let expected = [2.0, 6.0, 2.0 + root[0], 6.0 + root[1], 2.0 + root[2], 6.0 + root[3]];
        assert!(moved.iter().zip(expected).all(|(&m, e)| (f64::from(m) - e).abs() < 1e-6), "{moved:?}");
    }

    #[test]
    fn fewer_samples_than_dimensions_span_less() {
        let gaussian = Gaussian::fit(&[0.0, 0.0, 0.0, 2.0, 2.0, 2.0], 3);
        for sample in gaussian.transform(&[0.5, -1.0, 2.0, 3.0, 0.0, 1.0]).chunks(3) {
            assert!(sample.iter().all(|x| x.is_finite() && (x - sample[0]).abs() < 1e-5), "{sample:?}");
        }
    }

    #[test]
    fn a_low_rank_keeps_the_greatest_variances() {
        let samples = [3.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0];
        let whole = Gaussian::fit(&samples, 3);
        let low = whole.low_rank(2);
        assert!((whole.variance() - 28.0 / 6.0).abs() < 1e-9 && (low.variance() - 26.0 / 6.0).abs() < 1e-9);
        let moved = low.transform(&[1.0, 0.0, 0.0, 1.0]);
        let expected = [3f32.sqrt(), 0.0, 0.0, 0.0, (4f32 / 3.0).sqrt(), 0.0];
        assert!(moved.iter().zip(expected).all(|(m, e)| (m.abs() - e).abs() < 1e-5), "{moved:?}");
    }
}
