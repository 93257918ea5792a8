use super::Features;
use super::distances::squared_distances;
use crate::error::Error;

/// The nearest neighbour of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The neighbour's index in the searched set.
    pub index: usize,
    /// The Euclidean distance to the neighbour.
    pub distance: f64,
}

/// Finds the nearest neighbour in `among` per sample.
///
/// With pixels as features and training images as `among`, distances well below those of test images indicate
/// memorisation.
///
/// # Errors
/// If the dimensions differ, or a feature is not finite.
pub fn nearest(samples: &Features<'_>, among: &Features<'_>) -> Result<Vec<Neighbour>, Error> {
    samples.comparable(among)?;
    let mut best = vec![(0, f64::INFINITY); samples.count()];
    squared_distances(samples, among, |i, j, distance| {
        if distance < best[i].1 {
            best[i] = (j, distance);
        }
    });
    // Tiny distances need the sum of squared differences: the expanded form above suffers from cancellation.
    let exact = |(i, (index, _)): (usize, (usize, f64))| {
        let differences = samples.row(i).iter().zip(among.row(index)).map(|(a, b)| f64::from(*a) - f64::from(*b));
        Neighbour { index, distance: differences.map(|d| d * d).sum::<f64>().sqrt() }
    };
    Ok(best.into_iter().enumerate().map(exact).collect())
}

#[cfg(test)]
mod tests {
    use super::super::features::tests::{X, Y, waves};
    use super::*;

    #[test]
    fn each_finds_its_own() {
        let values = waves(X);
        let set = Features::new(&values, 4).unwrap();
        for (i, neighbour) in nearest(&set, &set).unwrap().into_iter().enumerate() {
            assert_eq!(neighbour, Neighbour { index: i, distance: 0.0 });
        }
    }

    /// `scipy.spatial.distance.cdist` (1.17.1) gives these neighbours of y in x.
    #[test]
    fn agrees_with_scipy() {
        let (x, y) = (waves(X), waves(Y));
        let found = nearest(&Features::new(&y, 4).unwrap(), &Features::new(&x, 4).unwrap()).unwrap();
        assert_eq!(found.iter().take(5).map(|n| n.index).collect::<Vec<_>>(), [2, 7, 7, 10, 31]);
        assert_eq!(found.iter().map(|n| n.index).sum::<usize>(), 989);
        let mean = found.iter().map(|n| n.distance).sum::<f64>() / 40.0;
        assert!((mean - 0.9339938643167219).abs() < 1e-6, "{mean}");
    }
}
