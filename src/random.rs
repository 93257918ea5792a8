//! Random numbers with the state (seed, step). Every use has a separate stream, selected by its purpose and a counter.
//! Seed and step are therefore enough to resume a run bit for bit, and the number of draws from one stream does not
//! affect the others.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Purpose of a random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Initial parameters. The counter is the number of the parameter.
    Initialisation = 0,
    /// Order of the data. The counter is the epoch.
    Order = 1,
    /// Training noise z. The counter is the step.
    Noise = 2,
    /// Noise of sample pictures and of the examples.
    Preview = 3,
    /// Degradations. The counter is the number of the degradation.
    Degradation = 4,
    /// Changes of training images and of pictures: shifts, degradations, weights of interpolations and times between them and
    /// noise. The counter is the step or the batch.
    Augmentation = 5,
    /// Noise of evaluations.
    Evaluation = 6,
    /// Resamples and random subsets of evaluations. The counter is the number of the use.
    Resampling = 7,
}

/// The random generator for a purpose and a counter. Equal arguments give equal numbers on every machine.
pub fn stream(seed: u64, stream: Stream, counter: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(counter << 3 | stream as u64);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use std::collections::HashSet;

    #[test]
    fn streams_are_reproducible_and_distinct() {
        let first = |seed, s, counter| stream(seed, s, counter).next_u64();
        use Stream::*;
        assert_eq!(first(1, Noise, 5), first(1, Noise, 5));
        let kinds = [Initialisation, Order, Noise, Preview, Degradation, Augmentation, Evaluation, Resampling];
        let each = |seed| kinds.iter().flat_map(move |&s| (0..50).map(move |c| (seed, s, c)));
        let all = (0..2).flat_map(each);
        let numbers: HashSet<u64> = all.map(|(seed, s, c)| first(seed, s, c)).collect();
        assert_eq!(numbers.len(), 2 * 8 * 50);
    }
}
