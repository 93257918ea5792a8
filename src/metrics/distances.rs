use super::Features;
use nalgebra::DMatrix;
use std::ops::Range;

/// Number of samples per block: enough for a fast matrix product, few enough for a small result.
const BLOCK: usize = 1000;

/// Calls `each(i, j, |aᵢ − bⱼ|²)` once for every pair (i, j). The squared distances are computed in f64 as
/// |aᵢ|² + |bⱼ|² − 2aᵢ·bⱼ. The features must be finite.
pub(super) fn squared_distances(a: &Features<'_>, b: &Features<'_>, mut each: impl FnMut(usize, usize, f64)) {
    let blocks = |n: usize| (0..n).step_by(BLOCK).map(move |first| first..(first + BLOCK).min(n));
    let squares = |samples: &DMatrix<f64>| samples.column_iter().map(|c| c.norm_squared()).collect::<Vec<_>>();
    let left = |rows: Range<usize>| {
        let samples = a.columns(rows.clone());
        (rows.start, squares(&samples), samples.transpose())
    };
    let left: Vec<_> = blocks(a.count()).map(left).collect();
    for rows in blocks(b.count()) {
        let samples = b.columns(rows.clone());
        let right = squares(&samples);
        for (first, left, block) in &left {
            for (j, products) in (block * &samples).column_iter().enumerate() {
                for (i, product) in products.iter().enumerate() {
                    // Rounding can make a tiny distance negative.
                    each(first + i, rows.start + j, (left[i] + right[j] - 2.0 * product).max(0.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_pair_once() {
        let (a, b): (Vec<f32>, Vec<f32>) = ((0..2 * 1003).map(|i| i as f32).collect(), vec![0.5; 2 * 1001]);
        let (a, b) = (Features::new(&a, 2).unwrap(), Features::new(&b, 2).unwrap());
        let mut seen = vec![false; a.count() * b.count()];
        squared_distances(&a, &b, |i, j, d| {
            let direct: f64 = a.row(i).iter().zip(b.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            assert_eq!(d, direct, "{i} {j}");
            assert!(!std::mem::replace(&mut seen[i * b.count() + j], true));
        });
        assert!(seen.into_iter().all(|seen| seen));
    }
}
