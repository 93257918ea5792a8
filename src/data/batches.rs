use super::DataError;
use crate::random::{Stream, stream};
use rand::seq::SliceRandom;

/// The image indices of each batch. Every epoch has a new random order and omits the incomplete last batch. The indices
/// of a step depend only on seed and step.
pub struct Batches {
    len: usize,
    batch: usize,
    seed: u64,
    epoch: u64,
    order: Vec<usize>,
}

impl Batches {
    /// Batches of size `batch` from `len` images.
    ///
    /// # Errors
    /// If `batch` is less than 2, which batch norm needs, or exceeds `len`.
    pub fn new(len: usize, batch: usize, seed: u64) -> Result<Self, DataError> {
        if !(2..=len).contains(&batch) {
            return Err(DataError::Batch { batch, len });
        }
        let mut batches = Self { len, batch, seed, epoch: 0, order: vec![] };
        batches.shuffle(0);
        Ok(batches)
    }

    /// Number of steps per epoch.
    pub fn per_epoch(&self) -> u64 {
        (self.len / self.batch) as u64
    }

    /// The image indices of step `step`, counted from 0.
    pub fn indices(&mut self, step: u64) -> &[usize] {
        let epoch = step / self.per_epoch();
        if epoch != self.epoch {
            self.shuffle(epoch);
        }
        let first = (step % self.per_epoch()) as usize * self.batch;
        &self.order[first..first + self.batch]
    }

    fn shuffle(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.order = (0..self.len).collect();
        self.order.shuffle(&mut stream(self.seed, Stream::Order, epoch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_draws_each_image_once() {
        let mut batches = Batches::new(23, 5, 1).unwrap();
        let epoch = |batches: &mut Batches, e: u64| -> Vec<usize> {
            (0..4).flat_map(|i| batches.indices(4 * e + i).to_vec()).collect()
        };
        let first = epoch(&mut batches, 0);
        let mut unique = first.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((first.len(), unique.len()), (20, 20));
        let second = epoch(&mut batches, 1);
        assert_ne!(first, second);
        // Steps may be requested in any order.
        assert_eq!(epoch(&mut batches, 0), first);
        assert_eq!(epoch(&mut Batches::new(23, 5, 1).unwrap(), 1), second);
        assert_ne!(epoch(&mut Batches::new(23, 5, 2).unwrap(), 0), first);
    }

    #[test]
    fn impossible_batches_are_refused() {
        let refused = |len, batch| Batches::new(len, batch, 1).err().unwrap().to_string();
        for batch in [0, 1, 11] {
            let error = refused(10, batch);
            assert!(error.contains(&format!("a batch of {batch} ")) && error.contains("between 2 and 10"), "{error}");
        }
        let error = refused(1, 4);
        assert!(error.contains("from 1 images: batch norm needs at least 2 images"), "{error}");
        assert!(!error.contains("between"), "{error}");
    }
}
