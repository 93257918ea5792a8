//! Data-parallel training: processes, called ranks, that train replicas of one network together, each on its shard of
//! every batch.

#[cfg(feature = "mpi")]
mod mpi;

#[cfg(feature = "mpi")]
pub use mpi::Mpi;

use crate::error::Error;

/// The communication of a rank with the others. Every call but [`rank`](Self::rank), [`count`](Self::count) and
/// [`local`](Self::local) is collective: all ranks make the same calls in the same order, and wait for each other.
pub trait Ranks {
    /// The number of this rank, from 0. Rank 0 writes the files.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn count(&self) -> usize;

    /// The number of this rank among those of its machine, from 0.
    fn local(&self) -> usize;

    /// Replaces each value by its sum over all ranks (an all-reduce).
    fn sum(&self, values: &mut [f32]);

    /// The `value` of each rank, by rank (an all-gather).
    fn gather(&self, value: u64) -> Vec<u64>;

    /// Whether `value` is true at any rank.
    fn any(&self, value: bool) -> bool {
        self.gather(value.into()).contains(&1)
    }

    /// Checks that `value`, which stands for `what` after `step` steps, is the same at every rank.
    ///
    /// # Errors
    /// If it is not; the error names the first rank with another value than rank 0.
    fn check_same(&self, value: u64, step: u64, what: &'static str) -> Result<(), Error> {
        let values = self.gather(value);
        match values.iter().position(|other| *other != values[0]) {
            Some(rank) => Err(Error::Replicas { step, rank, what }),
            None => Ok(()),
        }
    }

    /// Ends the communication, as the last call of a rank that succeeded. A rank that ends without it has failed, and
    /// the launcher ends the others.
    fn finish(&self) {}
}

/// A single rank, without any other.
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn count(&self) -> usize {
        1
    }

    fn local(&self) -> usize {
        0
    }

    fn sum(&self, _values: &mut [f32]) {}

    fn gather(&self, value: u64) -> Vec<u64> {
        vec![value]
    }
}
