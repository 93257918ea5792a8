//! Steps of several ranks.

use super::{Recorded, Task, update};
use crate::compile::{Compiled, compile};
use crate::error::Error;
use crate::gpu::{Gpu, Store};
use crate::nn::Adam;
use crate::ranks::Ranks;
use crate::tape::Tape;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::rc::Rc;

/// The second half of a step of several ranks: the mean of losses and gradients over all ranks, and the update of each
/// replica with it.
pub(super) struct Shared {
    ranks: Rc<dyn Ranks>,
    gpu: Gpu,
    program: Compiled,
    /// The outputs of the first half: losses, then gradients. The gradients are inputs of `program`.
    outputs: Vec<String>,
    losses: usize,
    /// The state that every rank has alike: parameters and moments. Running averages of batch norm are each rank's own.
    alike: Vec<String>,
    /// The mean losses of the last step.
    means: Vec<Vec<f32>>,
}

/// Number of steps between two comparisons of the replicas.
const COMPARISON: u64 = 100;

impl Shared {
    /// The second half of the step `recorded`. The store must hold all state.
    pub async fn new<T: Task>(gpu: &Gpu, store: &Store, task: &T, recorded: &Recorded<'_>) -> Result<Self, Error> {
        let tape = Tape::new();
        let names: Vec<_> = recorded.parameters.iter().map(|p| p.name()).collect();
        let gradients: Vec<_> = names.iter().map(|name| format!("gradient of {name}")).collect();
        let program = {
            let shapes = || recorded.parameters.iter().map(|p| p.shape());
            let second = Recorded {
                losses: vec![],
                parameters: names.iter().zip(shapes()).map(|(name, shape)| tape.state(name, shape)).collect(),
                gradients: gradients.iter().zip(shapes()).map(|(name, shape)| tape.input(name, shape)).collect(),
            };
            update(task, &tape, &second);
            compile(gpu, store, &tape, &[]).await?
        };
        let losses = recorded.losses.len();
        let outputs = recorded.losses.iter().map(|(name, _)| name.to_string()).chain(gradients).collect();
        let moments = names.iter().flat_map(|name| Adam::moments(name));
        let alike = names.iter().cloned().chain(moments).collect();
        Ok(Self { ranks: task.ranks(), gpu: gpu.clone(), program, outputs, losses, alike, means: vec![] })
    }

    /// The names of the outputs that the first half must have: losses, then gradients.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// The names of the inputs of the second half, other than the gradients.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.program.inputs().filter(|name| !self.outputs.iter().any(|output| output == name))
    }

    /// Writes an input of the second half.
    pub fn write(&self, name: &str, contents: &[f32]) -> Result<(), Error> {
        Ok(self.program.write(name, contents)?)
    }

    /// The mean losses of the last step.
    pub fn losses(&self) -> Vec<Vec<f32>> {
        self.means.clone()
    }

    /// Takes the second half of step `step`, after the `first`. Its inputs are written.
    pub async fn advance(&mut self, first: &Compiled, store: &Store, step: u64) -> Result<(), Error> {
        let names: Vec<_> = self.outputs.iter().map(String::as_str).collect();
        let mut parts = first.read(&names).await?;
        // One message for all of them.
        let mut all = parts.concat();
        self.ranks.sum(&mut all);
        let count = self.ranks.count() as f32;
        let mut sums = all.into_iter();
        for part in &mut parts {
            part.iter_mut().zip(&mut sums).for_each(|(mean, sum)| *mean = sum / count);
        }
        for (name, mean) in names.iter().zip(&parts).skip(self.losses) {
            self.program.write(name, mean)?;
        }
        parts.truncate(self.losses);
        self.means = parts;
        self.program.run()?;
        if step.is_multiple_of(COMPARISON) { self.compare(store, step).await } else { Ok(()) }
    }

    /// Compares the replicas after `step` steps, bit for bit.
    pub async fn compare(&self, store: &Store, step: u64) -> Result<(), Error> {
        let tensors = store.read(&self.gpu).await?;
        let mut hash = SipHasher13::new();
        for values in self.alike.iter().filter_map(|name| tensors.get(name)) {
            values.iter().for_each(|value| hash.write_u32(value.to_bits()));
        }
        self.ranks.check_same(hash.finish(), step, "parameters or moments")
    }
}
