use super::Features;
use super::distances::squared_distances;
use crate::error::Error;

/// The energy distance of two distributions (Székely & Rizzo 2013), estimated from samples a `[N, D]` and b `[M, D]`:
///
/// E = 2·E|a − b| − E|a − a′| − E|b − b′|
///
/// It has the unit of a length, and is 0 if and only if the distributions are equal. a′ and b′ run over the other samples
/// of the same set, so that the estimate has no bias: for equal distributions it is 0 on average, and below 0 now and then.
///
/// # Errors
/// If the dimensions differ, a feature is not finite, or a set has less than two samples.
pub fn energy_distance(a: &Features<'_>, b: &Features<'_>) -> Result<f64, Error> {
    a.comparable(b)?;
    if a.count() < 2 || b.count() < 2 {
        let text = format!("an energy distance needs two samples of each set, not {} and {}", a.count(), b.count());
        return Err(Error::Unsuited(text));
    }
    let [n, m] = [a.count() as f64, b.count() as f64];
    let between = sum(a, b, |_, _| true) / (n * m);
    let [within_a, within_b] = [(a, n), (b, m)].map(|(set, n)| sum(set, set, |i, j| i != j) / (n * (n - 1.0)));
    Ok(2.0 * between - within_a - within_b)
}

/// The sum of the distances of all pairs with these indices.
fn sum(a: &Features<'_>, b: &Features<'_>, pair: impl Fn(usize, usize) -> bool) -> f64 {
    let mut sum = 0.0;
    squared_distances(a, b, |i, j, square| {
        if pair(i, j) {
            sum += square.sqrt();
        }
    });
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Stream, stream};
    use rand_distr::{Distribution, StandardNormal};

    fn features(values: &[f32], dimensions: usize) -> Features<'_> {
        Features::new(values, dimensions).unwrap()
    }

    #[test]
    fn distances_of_few_samples_are_those_of_the_formula() {
        // 2·(1 + 4 + 1 + 2)/4 − 2 − 3
        let found = energy_distance(&features(&[0.0, 2.0], 1), &features(&[1.0, 4.0], 1)).unwrap();
        assert!((found + 1.0).abs() < 1e-6, "{found}");
    }

    #[test]
    fn equal_distributions_are_at_zero_on_average_and_shifted_ones_are_not() {
        let draw = |counter: u64, shift: f32| -> Vec<f32> {
            let mut rng = stream(1, Stream::Evaluation, counter);
            let mut normal = || -> f32 { StandardNormal.sample(&mut rng) };
            (0..2 * 50).map(|_| shift + normal()).collect()
        };
        let mean = |shift| {
            let each = |i: u64| {
                energy_distance(&features(&draw(2 * i, 0.0), 2), &features(&draw(2 * i + 1, shift), 2)).unwrap()
            };
            (0..200u64).map(each).sum::<f64>() / 200.0
        };
        // One estimate has a deviation of about 0.02. With the bias of i = j the mean would be 0.07.
        assert!(mean(0.0).abs() < 0.006, "{}", mean(0.0));
        assert!(mean(0.5) > 0.1, "{}", mean(0.5));
    }

    #[test]
    fn sets_that_cannot_be_compared_are_refused() {
        let refused = |a: Features<'_>, b: Features<'_>| energy_distance(&a, &b).unwrap_err().to_string();
        assert!(refused(features(&[1.0, 2.0], 2), features(&[1.0, 2.0], 1)).contains("cannot be compared"));
        assert!(refused(features(&[1.0, 2.0], 1), features(&[1.0], 1)).contains("not 2 and 1"));
    }
}
