use super::config::named;
use super::{Checkpoint, TrainError};
use crate::gpu::{Gpu, Store};
use crate::ign::{FrequencyStatistics, Noise, Role};
use crate::native::wait;
use crate::nn::{Mode, Sequential};
use crate::ops::{Compiled, compile};
use crate::tape::Tape;
use serde::de::value::Error as NotOneOf;
use serde::{Deserialize, Serialize};

/// Which statistics batch norm uses in a trained network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistics {
    /// The running averages of the role of what it is applied to, so that an image's result does not depend on its
    /// neighbours.
    Role,
    /// Those of the images it is applied to at a time, as in training.
    Batch,
}

impl Statistics {
    /// Parses the name of a kind of statistics.
    pub fn named(name: &str) -> Result<Self, NotOneOf> {
        named(name)
    }
}

/// A trained network that is applied to any number of images.
pub struct Generator {
    gpu: Gpu,
    store: Store,
    layers: Sequential,
    image: [usize; 3],
    batch: usize,
    /// One for each role, in the order of [`Role::ALL`], or one for all of them.
    programs: Vec<Compiled>,
}

impl Generator {
    /// The network whose tensors are in `store`, applied to `batch` images `[C, H, W]` at a time.
    pub fn new(
        gpu: &Gpu,
        store: &Store,
        layers: &Sequential,
        image: [usize; 3],
        batch: usize,
        statistics: Statistics,
    ) -> Result<Self, TrainError> {
        let [c, h, w] = image;
        let program = |mode: Mode<'_, '_>| -> Result<Compiled, TrainError> {
            let tape = Tape::new();
            let y = layers.apply(tape.input("x", [batch, c, h, w]), mode)?;
            Ok(wait(gpu, compile(gpu, store, &tape, &[("y", y)]))?)
        };
        let modes = match statistics {
            Statistics::Role => Role::ALL.map(|role| Mode::Running(role.prefix())).to_vec(),
            Statistics::Batch => vec![Mode::Batch],
        };
        let programs = modes.into_iter().map(program).collect::<Result<_, _>>()?;
        Ok(Self { gpu: gpu.clone(), store: store.clone(), layers: layers.clone(), image, batch, programs })
    }

    /// The same network, on the same tensors, with these statistics.
    pub fn with(&self, statistics: Statistics) -> Result<Self, TrainError> {
        Self::new(&self.gpu, &self.store, &self.layers, self.image, self.batch, statistics)
    }

    /// The network of a checkpoint, for `count` images at a time or fewer.
    pub fn load(gpu: &Gpu, checkpoint: &Checkpoint, count: usize, statistics: Statistics) -> Result<Self, TrainError> {
        let mut store = Store::new();
        for (name, contents) in &checkpoint.tensors {
            wait(gpu, store.set(gpu, name, contents))?;
        }
        let image = checkpoint.config.network.image();
        Self::new(gpu, &store, &checkpoint.layers(), image, count.clamp(1, 64), statistics)
    }

    /// `[C, H, W]` of its images.
    pub fn image(&self) -> [usize; 3] {
        self.image
    }

    /// f(images), the images being what `role` says.
    pub fn apply(&self, role: Role, images: &[f32]) -> Result<Vec<f32>, TrainError> {
        let role = Role::ALL.iter().position(|r| *r == role).unwrap_or_default();
        let program = &self.programs[role % self.programs.len()];
        let extents = [self.batch, self.image.iter().product()];
        Ok(wait(&self.gpu, program.run_batched("x", images, extents, &["y"]))?.concat())
    }

    /// f(images), f(f(images)), …, `times` of them, the images being what `role` says.
    pub fn repeat(&self, role: Role, images: &[f32], times: usize) -> Result<Vec<Vec<f32>>, TrainError> {
        let mut results: Vec<Vec<f32>> = vec![];
        for _ in 0..times {
            let next = match results.last() {
                None => self.apply(role, images)?,
                Some(last) => self.apply(Role::Sample, last)?,
            };
            results.push(next);
        }
        Ok(results)
    }
}

impl Checkpoint {
    /// The noise that the network was trained on.
    pub fn noise(&self) -> Noise {
        let flat = self.tensors.get(super::checkpoint::FREQUENCIES);
        let statistics = flat.and_then(|flat| FrequencyStatistics::from_flat(flat, self.config.network.image()));
        statistics.map_or(Noise::Gaussian, Noise::Frequency)
    }
}
