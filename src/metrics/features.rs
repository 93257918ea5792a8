use super::MetricsError;
use nalgebra::{DMatrix, DMatrixView};
use std::ops::Range;

/// Feature vectors of equal length, one sample after the other: `[N, D]`.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    values: &'a [f32],
    dimensions: usize,
}

impl<'a> Features<'a> {
    /// `values` as samples of `dimensions` each.
    ///
    /// # Errors
    /// Where there is no sample, or the last one is not complete.
    pub fn new(values: &'a [f32], dimensions: usize) -> Result<Self, MetricsError> {
        if dimensions == 0 || values.is_empty() || !values.len().is_multiple_of(dimensions) {
            let text = format!("{} numbers are no samples of {dimensions} features each", values.len());
            return Err(MetricsError::Features(text));
        }
        Ok(Self { values, dimensions })
    }

    /// N, at least 1.
    pub fn count(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// D
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// One sample.
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.dimensions..][..self.dimensions]
    }

    /// The first `count` samples, or all where there are fewer; at least one.
    pub fn first(&self, count: usize) -> Self {
        let count = count.clamp(1, self.count());
        Self { values: &self.values[..count * self.dimensions], dimensions: self.dimensions }
    }

    /// Some samples as the columns of a matrix `[D, n]`.
    pub(super) fn columns(&self, rows: Range<usize>) -> DMatrix<f64> {
        let values = &self.values[rows.start * self.dimensions..rows.end * self.dimensions];
        DMatrixView::from_slice(values, self.dimensions, rows.len()).map(f64::from)
    }

    /// That `other` has as many features.
    pub(super) fn comparable(&self, other: &Self) -> Result<(), MetricsError> {
        match self.dimensions == other.dimensions {
            true => Ok(()),
            false => {
                let text = format!("{} features cannot be compared with {}", self.dimensions, other.dimensions);
                Err(MetricsError::Features(text))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A made-up set: (samples, a, b, factor, offset).
    pub type Waves = (usize, f64, f64, f32, f32);
    pub const X: Waves = (50, 0.7, 0.013, 1.0, 0.0);
    pub const Y: Waves = (40, 1.1, 0.029, 1.5, 0.25);

    /// `[N, 4]`: factor·sin(a·i + b·i²) + offset, i counting all numbers.
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
