use super::Features;
use crate::error::Error;
use nalgebra::{DMatrix, DVector, SymmetricEigen};

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
        let mut samples = features.columns(0..count);
        if !samples.iter().all(|x| x.is_finite()) {
            return Err(Error::Unsuited("some features are not finite".into()));
        }
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
        let [own, others] = [self, other].map(|g| g.mean.len());
        if own != others {
            return Err(Error::Unsuited(format!("{own} features cannot be compared with {others}")));
        }
        let root = root(&self.covariance);
        let product = &root * &other.covariance * &root;
        // The product is symmetric up to rounding; the decomposition reads one triangle.
        let eigenvalues = SymmetricEigen::new((&product + product.transpose()) / 2.0).eigenvalues;
        let mixed: f64 = eigenvalues.iter().map(|e| e.max(0.0).sqrt()).sum();
        let means = (&self.mean - &other.mean).norm_squared();
        Ok(means + self.covariance.trace() + other.covariance.trace() - 2.0 * mixed)
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
