use super::Features;
use crate::error::Error;
use crate::random::{Stream, stream};
use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rand::RngExt;

/// The normal distribution with the mean and the covariance of a feature set.
#[derive(Clone, Debug)]
pub struct Gaussian {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Gaussian {
    /// Mean μ `[D]` and covariance Σ = Σᵢ(xᵢ − μ)(xᵢ − μ)ᵀ/(N − 1) `[D, D]` of N samples.
    ///
    /// # Errors
    /// If there are fewer than two samples, or a feature is not finite.
    pub fn fit(features: &Features<'_>) -> Result<Self, Error> {
        let count = features.count();
        if count < 2 {
            return Err(Error::Unsuited("a covariance needs two samples at the least".into()));
        }
        features.check_finite()?;
        let mut samples = features.columns(0..count);
        let mean = samples.column_mean();
        samples.column_iter_mut().for_each(|mut sample| sample -= &mean);
        let covariance = &samples * samples.transpose() / (count - 1) as f64;
        Ok(Self { mean, covariance })
    }

    /// The squared Fréchet distance |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁^½ Σ₂ Σ₁^½)^½) (Dowson & Landau 1982).
    /// With features of the Inception network it is known as FID (Heusel et al. 2017).
    ///
    /// # Errors
    /// If the dimensions differ.
    pub fn distance(&self, other: &Self) -> Result<f64, Error> {
        self.check(other.mean.len())?;
        Ok(self.distance_by(&root(&self.covariance), other))
    }

    /// The standard error of the distance to N samples, by the bootstrap (Efron & Tibshirani 1993): the standard deviation of
    /// the distances to [`RESAMPLES`](Self::RESAMPLES) sets of N samples, drawn from `samples` with replacement. This
    /// distribution itself stays as it is. Equal seeds draw equal sets.
    ///
    /// # Errors
    /// If the dimensions differ, there are fewer than two samples, or a feature is not finite.
    pub fn standard_error(&self, samples: &Features<'_>, seed: u64) -> Result<f64, Error> {
        self.check(samples.dimensions())?;
        let centre = Self::fit(samples)?.mean;
        let (count, root) = (samples.count(), root(&self.covariance));
        let columns = samples.columns(0..count);
        let mut rng = stream(seed, Stream::Resampling, 0);
        let distances = (0..Self::RESAMPLES).map(|_| {
            let mut times = vec![0u32; count];
            (0..count).for_each(|_| times[rng.random_range(0..count)] += 1);
            self.distance_by(&root, &Self::resampled(&columns, &centre, &times))
        });
        let distances = DVector::from_iterator(Self::RESAMPLES, distances);
        Ok((distances.variance() * Self::RESAMPLES as f64 / (Self::RESAMPLES - 1) as f64).sqrt())
    }

    /// Number of resamples of [`standard_error`](Self::standard_error), which it knows to 7 % with them.
    pub const RESAMPLES: usize = 100;

    /// Mean and covariance of the columns of `samples` `[D, N]`, of which column i is taken `times[i]` times, N in all. The
    /// sums are those of differences from `centre`, against cancellation.
    fn resampled(samples: &DMatrix<f64>, centre: &DVector<f64>, times: &[u32]) -> Self {
        let kept: Vec<_> = (0..times.len()).filter(|&i| times[i] > 0).collect();
        let (mut roots, mut mean) = (samples.select_columns(&kept), DVector::zeros(centre.len()));
        for (mut column, &i) in roots.column_iter_mut().zip(&kept) {
            let weight = f64::from(times[i]);
            column -= centre;
            mean.axpy(weight / times.len() as f64, &column, 1.0);
            column *= weight.sqrt();
        }
        let mut covariance = &roots * roots.transpose();
        covariance.ger(-(times.len() as f64), &mean, &mean, 1.0);
        Self { mean: centre + mean, covariance: covariance / (times.len() - 1) as f64 }
    }

    fn check(&self, dimensions: usize) -> Result<(), Error> {
        match self.mean.len() {
            own if own == dimensions => Ok(()),
            own => Err(Error::Unsuited(format!("{own} features cannot be compared with {dimensions}"))),
        }
    }

    /// The distance to `other`, of the same dimensions, by the root of the own covariance.
    fn distance_by(&self, root: &DMatrix<f64>, other: &Self) -> f64 {
        let product = root * &other.covariance * root;
        // The product is symmetric up to rounding; the decomposition reads one triangle.
        let eigenvalues = ((&product + product.transpose()) / 2.0).symmetric_eigenvalues();
        let mixed: f64 = eigenvalues.iter().map(|e| e.max(0.0).sqrt()).sum();
        let means = (&self.mean - &other.mean).norm_squared();
        means + self.covariance.trace() + other.covariance.trace() - 2.0 * mixed
    }
}

/// The symmetric square root of a positive semi-definite matrix.
fn root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(matrix.clone());
    // Rounding can turn a zero eigenvalue into a small negative number.
    let roots = eigenvalues.map(|e| e.max(0.0).sqrt());
    &eigenvectors * DMatrix::from_diagonal(&roots) * eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::super::features::tests::{X, Y, waves};
    use super::*;

    fn fit(values: &[f32], dimensions: usize) -> Gaussian {
        Gaussian::fit(&Features::new(values, dimensions).unwrap()).unwrap()
    }

    /// In one dimension the distance is (μ₁ − μ₂)² + (σ₁ − σ₂)².
    #[test]
    fn one_dimension_has_a_closed_form() {
        // Means 2 and 7, variances 2 and 8.
        let distance = fit(&[1.0, 3.0], 1).distance(&fit(&[5.0, 9.0], 1)).unwrap();
        assert!((distance - 27.0).abs() < 1e-12, "{distance}");
    }

    /// `scipy.linalg.sqrtm` (1.17.1) gives 1.110972570527593 for these sets.
    #[test]
    fn agrees_with_scipy() {
        let (x, y) = (fit(&waves(X), 4), fit(&waves(Y), 4));
        for distance in [x.distance(&y), y.distance(&x)] {
            let distance = distance.unwrap();
            assert!((distance - 1.110972570527593).abs() < 1e-6, "{distance}");
        }
        assert!(x.distance(&x).unwrap().abs() < 1e-9);
    }

    /// Two samples in four dimensions: both covariances have rank 1.
    #[test]
    fn singular_covariances_are_no_obstacle() {
        let (a, b) =
            (fit(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 3.0, 1.0], 4), fit(&[0.0, 0.0, 1.0, 2.0, 4.0, 0.0, 1.0, 2.0], 4));
        // Means (0,0,2,1) and (2,0,1,2); variances 2 and 8 along directions at right angles.
        assert!((a.distance(&b).unwrap() - (6.0 + 10.0)).abs() < 1e-9);
    }

    #[test]
    fn a_resample_has_the_moments_of_its_copies() {
        let values = waves(X);
        let columns = Features::new(&values, 4).unwrap().columns(0..50);
        let mut times = vec![1; 50];
        (times[3], times[7], times[9]) = (0, 2, 1);
        let copies: Vec<f32> =
            times.iter().enumerate().flat_map(|(i, &n)| values[4 * i..4 * i + 4].repeat(n as usize)).collect();
        let (direct, weighted) = (fit(&copies, 4), Gaussian::resampled(&columns, &columns.column_mean(), &times));
        assert!((&direct.mean - &weighted.mean).amax() < 1e-12);
        assert!((&direct.covariance - &weighted.covariance).amax() < 1e-12);
    }

    /// In one dimension, (μ − μ₀)² + (σ − σ₀)² for a normal set far from μ₀ varies as its mean does: the standard error is
    /// 2|μ − μ₀|·σ/√N.
    #[test]
    fn the_standard_error_is_that_of_other_samples() {
        let normal = rand_distr::Normal::new(10.0f32, 1.0).unwrap();
        let mut rng = stream(4, Stream::Evaluation, 0);
        let samples: Vec<f32> = (0..400).map(|_| rng.sample(normal)).collect();
        let samples = Features::new(&samples, 1).unwrap();
        let reference = fit(&[-1.0, 1.0], 1);
        let error = reference.standard_error(&samples, 1).unwrap();
        assert!((error - 2.0 * 10.0 / 20.0).abs() < 0.3, "{error}");
        assert_eq!(error, reference.standard_error(&samples, 1).unwrap());
        assert_ne!(error, reference.standard_error(&samples, 2).unwrap());
    }

    #[test]
    fn what_has_no_covariance_is_refused() {
        let refused = |values: &[f32], why: &str| {
            let error = Gaussian::fit(&Features::new(values, 2).unwrap()).err().unwrap().to_string();
            assert!(error.contains(why), "{error}");
        };
        refused(&[1.0, 2.0], "two samples");
        refused(&[1.0, f32::NAN, 2.0, 3.0], "not finite");
        assert!(fit(&[1.0, 2.0], 1).distance(&fit(&[1.0, 2.0, 3.0, 4.0], 2)).is_err());
    }
}
