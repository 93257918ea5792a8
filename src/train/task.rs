//! The training task: batches of images and noise, and the objective on them.

use crate::data::{Batches, Images};
use crate::descent::{Recorded, Task};
use crate::method::{Degradation, Networks, Objective, PREFIXES, TrainingStep, Weights};
use crate::model::{Config, Noise};
use crate::nn::{Adam, Average, one_hot};
use crate::random::{Stream, stream};
use crate::ranks::Ranks;
use crate::tape::{self, Tape};
use rand::RngExt;
use std::ops::Range;
use std::rc::Rc;

/// The training task: settings, data and noise.
pub(super) struct Idempotence {
    pub config: Config,
    pub images: Images,
    pub batches: Batches,
    pub noise: Noise,
    pub ranks: Rc<dyn Ranks>,
}

impl Idempotence {
    pub fn step<'t>(&self, tape: &'t Tape) -> tape::Result<TrainingStep<'t>> {
        let Config { network, accumulate, .. } = self.config;
        let batches = [accumulate, self.shard().len()];
        let (f, features) = (self.config.layers(), self.config.feature_extractor());
        let networks = Networks { f: &f, features: features.as_ref() };
        self.config.objective().record_batches(tape, networks, batches, network.image())
    }

    /// The part of every batch that this rank takes.
    fn shard(&self) -> Range<usize> {
        let size = self.config.batch / self.ranks.count();
        self.ranks.rank() * size..(self.ranks.rank() + 1) * size
    }

    /// The labels of the images at `indices` for a conditional network.
    fn labels(&self, indices: &[usize]) -> Option<Vec<f32>> {
        let known = self.images.labels.as_ref().filter(|_| self.config.classes > 0)?;
        Some(one_hot(indices.iter().map(|&i| known[i]), self.config.classes))
    }

    /// The images `x` of a step, of which the share of the settings is degraded, each in a way of its own.
    fn degraded(&self, x: &[f32], done: u64) -> Vec<f32> {
        let shape = self.images.shape;
        let mut rng = stream(self.config.seed, Stream::Augmentation, done);
        let one = |image: &[f32]| match rng.random_bool(self.config.degraded) {
            true => Degradation::random(shape[0], &mut rng).one(image, shape, &mut rng),
            false => image.to_vec(),
        };
        x.chunks_exact(self.images.elements()).flat_map(one).collect()
    }

    /// Seed of the dropout masks: a whole number per seed, rank and step, below 2²⁴ and so exact in f32. It repeats after
    /// 2²⁴ steps.
    fn dropout_seed(&self, done: u64) -> f32 {
        let start = self.config.seed.wrapping_add(self.ranks.rank() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        (start.wrapping_add(done) % (1 << 24)) as f32
    }
}

impl Task for Idempotence {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        Ok(recorded(&self.step(tape)?))
    }

    fn record_after(&self, tape: &Tape) {
        if self.config.averaged().is_some() {
            Average::record(tape, &self.config.layers(), &PREFIXES);
        }
    }

    fn clip(&self) -> Option<f32> {
        (self.config.clip > 0.0).then_some(self.config.clip)
    }

    fn ranks(&self) -> Rc<dyn Ranks> {
        self.ranks.clone()
    }

    fn adam(&self) -> Adam {
        self.config.adam(0)
    }

    fn learning_rate(&self, done: u64) -> f64 {
        self.config.adam(done).learning_rate
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let count = self.config.accumulate as u64;
        let (shard, elements) = (self.shard(), self.images.elements());
        let mut all: Vec<usize> = vec![];
        (0..count).for_each(|i| all.extend(self.batches.indices(done * count + i)));
        let indices: Vec<usize> = all.chunks(self.config.batch).flat_map(|all| &all[shard.clone()]).copied().collect();
        let labels = self.labels(&indices);
        let x = self.images.gather(indices);
        // What is random is drawn for all ranks, and this one takes its shard, so that it does not depend on their number.
        let batch = self.config.batch * elements;
        let own = |all: Vec<f32>| -> Vec<f32> {
            all.chunks(batch).flat_map(|all| &all[shard.start * elements..shard.end * elements]).copied().collect()
        };
        let z = own(self.noise.draw(self.config.seed, Stream::Noise, done, count as usize * batch));
        let degraded = (self.config.degraded > 0.0).then(|| own(self.degraded(&self.images.gather(all), done)));
        let Weights { rec, idem, tight } = self.config.weights(done);
        let mut inputs = vec![("x", x), ("z", z), (Objective::WEIGHTS, vec![rec, idem, tight])];
        inputs.extend(labels.map(|labels| (Objective::LABELS, labels)));
        inputs.extend(degraded.map(|degraded| (Objective::DEGRADED, degraded)));
        if self.config.dropout != 0.0 {
            inputs.push((Objective::DROPOUT_SEED, vec![self.dropout_seed(done)]));
        }
        if self.config.averaged().is_some() {
            let average = Average { decay: self.config.average };
            inputs.push((Average::RATE, vec![average.rate(done + 1)]));
        }
        inputs
    }
}

pub(super) fn recorded<'t>(step: &TrainingStep<'t>) -> Recorded<'t> {
    let [rec, idem, tight] = step.losses;
    Recorded {
        losses: vec![("rec", rec), ("idem", idem), ("tight", tight), ("variance", step.variance)],
        parameters: step.parameters.clone(),
        gradients: step.total.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Preset;
    use crate::ranks::Alone;

    /// One of several ranks, without the others.
    struct Rank(usize, usize);

    impl Ranks for Rank {
        fn rank(&self) -> usize {
            self.0
        }

        fn count(&self) -> usize {
            self.1
        }

        fn local(&self) -> usize {
            self.0
        }

        fn sum(&self, _: &mut [f32]) {}

        fn gather(&self, value: u64) -> Vec<u64> {
            vec![value; self.1]
        }
    }

    #[test]
    fn images_noise_and_degradations_do_not_depend_on_the_number_of_ranks() {
        const ELEMENTS: usize = 784;
        let inputs = |ranks: Rc<dyn Ranks>| {
            let config = Config { batch: 4, accumulate: 2, degraded: 0.5, ..Preset::Quick.config() };
            let pixels = (0..20 * ELEMENTS).map(|i| (i * 7 % 251) as u8).collect();
            let images = Images { shape: [1, 28, 28], pixels, labels: None };
            let batches = Batches::new(images.len(), config.batch, config.seed).unwrap();
            let mut task = Idempotence { config, images, batches, noise: Noise::Gaussian, ranks };
            let all = task.inputs(3);
            ["x", "z", Objective::DEGRADED].map(|name| all.iter().find(|(own, _)| *own == name).unwrap().1.clone())
        };
        let whole = inputs(Rc::new(Alone));
        assert!(whole[0] != whole[2], "no image is degraded");
        let parts = [0, 1].map(|rank| inputs(Rc::new(Rank(rank, 2))));
        for (i, whole) in whole.iter().enumerate() {
            // Each rank has its half of each batch of four.
            let half = |part: &[f32], batch: usize| part[batch * 2 * ELEMENTS..][..2 * ELEMENTS].to_vec();
            let joined: Vec<f32> =
                (0..2).flat_map(|batch| [half(&parts[0][i], batch), half(&parts[1][i], batch)].concat()).collect();
            assert!(joined == *whole);
        }
    }
}
