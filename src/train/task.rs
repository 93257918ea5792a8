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
        let (f, features) = (self.config.layers(), self.config.features());
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

    /// The images `x`, of which the share of the settings is degraded, each in a way of its own.
    fn degraded(&self, x: &[f32], done: u64) -> Vec<f32> {
        let shape = self.images.shape;
        let rank = self.ranks.rank() as u64;
        let mut rng = stream(self.config.seed, Stream::Augmentation, done * self.ranks.count() as u64 + rank);
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
        let mut indices: Vec<usize> = vec![];
        (0..count).for_each(|i| indices.extend(&self.batches.indices(done * count + i)[shard.clone()]));
        let labels = self.labels(&indices);
        let x = self.images.gather(indices);
        let degraded = (self.config.degraded > 0.0).then(|| self.degraded(&x, done));
        // The noise of all ranks, of which this one takes its shard, so that it does not depend on the number of ranks.
        let batch = self.config.batch * elements;
        let all = self.noise.draw(self.config.seed, Stream::Noise, done, count as usize * batch);
        let z = all.chunks(batch).flat_map(|all| &all[shard.start * elements..shard.end * elements]).copied().collect();
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
