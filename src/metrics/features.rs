use crate::error::Error;
use nalgebra::{DMatrix, DMatrixView};
use std::ops::Range;

/// A feature matrix `[N, D]`: one feature vector per sample, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    values: &'a [f32],
    dimensions: usize,
}

impl<'a> Features<'a> {
    /// Views `values` as rows of `dimensions` features.
    ///
    /// # Errors
    /// If there is no sample, if `dimensions` is 0, or if the last row is incomplete.
    pub fn new(values: &'a [f32], dimensions: usize) -> Result<Self, Error> {
        if dimensions == 0 || values.is_empty() || !values.len().is_multiple_of(dimensions) {
            let text = format!("{} numbers are no samples of {dimensions} features each", values.len());
            return Err(Error::Unsuited(text));
        }
        Ok(Self { values, dimensions })
    }

    /// The number N of samples, at least 1.
    pub fn count(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// The number D of features per sample.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The feature vector `[D]` of sample `i`.
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.dimensions..][..self.dimensions]
    }

    /// The first `count` samples: at least one, at most all.
    pub fn first(&self, count: usize) -> Self {
        let count = count.clamp(1, self.count());
        Self { values: &self.values[..count * self.dimensions], dimensions: self.dimensions }
    }

    /// The samples in `rows`, as the columns of a matrix `[D, n]`.
    pub(super) fn columns(&self, rows: Range<usize>) -> DMatrix<f64> {
        let values = &self.values[rows.start * self.dimensions..rows.end * self.dimensions];
        DMatrixView::from_slice(values, self.dimensions, rows.len()).map(f64::from)
    }

    /// Checks that all features are finite.
    pub(super) fn check_finite(&self) -> Result<(), Error> {
        let Some(at) = self.values.iter().position(|x| !x.is_finite()) else { return Ok(()) };
        let (value, sample, count) = (self.values[at], at / self.dimensions, self.count());
        let text = format!("feature {} of sample {sample} of {count} is {value}", at % self.dimensions);
        Err(Error::Unsuited(format!("{text}: what made the samples is not finite")))
    }

    /// Checks that both sets have the same number of features per sample, and finite ones.
    pub(super) fn comparable(&self, other: &Self) -> Result<(), Error> {
        if self.dimensions != other.dimensions {
            let text = format!("{} features cannot be compared with {}", self.dimensions, other.dimensions);
            return Err(Error::Unsuited(text));
        }
        self.check_finite()?;
        other.check_finite()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Parameters of a synthetic feature set: (samples, a, b, factor, offset).
    pub type Waves = (usize, f64, f64, f32, f32);
    pub const X: Waves = (50, 0.7, 0.013, 1.0, 0.0);
    pub const Y: Waves = (40, 1.1, 0.029, 1.5, 0.25);

    /// `[N, 4]`: factor·sin(a·i + b·i²) + offset, where i is the index into the flattened matrix.
    pub fn waves((samples, a, b, factor, offset): Waves) -> Vec<f32> {
        let wave = |i: usize| (a * i as f64 + b * (i * i) as f64).sin() as f32;
        (0..4 * samples).map(|i| factor * wave(i) + offset).collect()
    }

    #[test]
    fn rows_are_samples() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let features = Features::new(&values, 2).unwrap();
        assert_eq!((features.count(), features.row(1)), (3, &values[2..4]));
        assert_eq!(features.columns(1..3).column(1).as_slice(), [5.0, 6.0]);
        assert_eq!([0, 2, 9].map(|n| features.first(n).count()), [1, 2, 3]);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        for (values, dimensions) in [(&[1.0f32, 2.0, 3.0][..], 2), (&[], 2), (&[1.0], 0)] {
            let error = Features::new(values, dimensions).err().unwrap().to_string();
            assert!(error.contains("no samples"), "{error}");
        }
    }
}
