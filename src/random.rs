//! Random numbers whose state is (seed, step). Every use draws from a stream of its own, found by what it is for and a
//! counter, so that nothing but seed and step has to be saved to go on bit for bit, and a stream drawn from more or less
//! often does not shift the others.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Initial parameters; counted by parameter.
    Initialisation = 0,
    /// The order of the data; counted by epoch.
    Order = 1,
    /// The noise that becomes images; counted by step.
    Noise = 2,
    /// The noise of sample pictures and of the examples.
    Preview = 3,
    /// Degradations; counted by degradation.
    Degradation = 4,
    /// Shifts of training images; counted by step.
    Augmentation = 5,
    /// The noise of evaluations.
    Evaluation = 6,
}

/// The generator number `counter` of `stream`. Equal arguments give equal numbers on every machine.
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
        assert_eq!(first(1, Stream::Noise, 5), first(1, Stream::Noise, 5));
        use Stream::*;
        let kinds = [Initialisation, Order, Noise, Preview, Degradation, Augmentation, Evaluation];
        let each = |seed| kinds.iter().flat_map(move |&s| (0..50).map(move |c| (seed, s, c)));
        let all = (0..2).flat_map(each);
        let numbers: HashSet<u64> = all.map(|(seed, s, c)| first(seed, s, c)).collect();
        assert_eq!(numbers.len(), 2 * 7 * 50);
    }
}
