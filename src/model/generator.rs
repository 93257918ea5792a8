use super::{Checkpoint, Config};
use crate::compile::{Compiled, compile};
use crate::error::Error;
use crate::gpu::{Gpu, Store};
use crate::method::{Objective, Role};
use crate::nn::{Mode, Sequential, one_hot};
use crate::tape::Tape;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// The batch normalisation statistics of a trained network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormStatistics {
    /// The running averages of the images' role, so that results do not depend on other images of the batch.
    Role,
    /// The statistics of each batch, as in training. A last batch of fewer images is filled up with the same images.
    Batch,
}

/// A trained network, compiled for batches of images and applied to any number of images.
#[derive(Clone)]
pub struct Generator {
    pub(super) gpu: Gpu,
    pub(super) store: Store,
    pub(super) layers: Sequential,
    pub(super) image: [usize; 3],
    batch: usize,
    statistics: NormStatistics,
    /// With statistics per role, one program per role in the order of [`Role::ALL`]; else a single program.
    programs: Rc<Vec<Compiled>>,
    /// The labels of a conditional network's images, one after the other and then from the first on again.
    labels: Vec<u8>,
}

impl Generator {
    /// Compiles the network `layers` for `batch` images `[C, H, W]` at a time, with its tensors in `store`.
    ///
    /// # Errors
    /// If the store lacks a tensor of the network, or the adapter fails.
    pub async fn new(
        gpu: &Gpu,
        store: &Store,
        layers: &Sequential,
        image: [usize; 3],
        batch: usize,
        statistics: NormStatistics,
    ) -> Result<Self, Error> {
        let program = async |mode: Mode<'_, '_>| -> Result<Compiled, Error> {
            let [c, h, w] = image;
            let tape = Tape::new();
            let labels = layers.classes().map(|classes| tape.input(Objective::LABELS, [batch, classes]));
            let y = layers.apply_to(tape.input("x", [batch, c, h, w]), labels, mode);
            Ok(compile(gpu, store, &tape, &[("y", y)]).await?)
        };
        let modes = match statistics {
            NormStatistics::Role => Role::ALL.map(|role| Mode::Running(role.prefix())).to_vec(),
            NormStatistics::Batch => vec![Mode::Batch],
        };
        let mut programs = vec![];
        for mode in modes {
            programs.push(program(mode).await?);
        }
        let (gpu, store, layers, programs) = (gpu.clone(), store.clone(), layers.clone(), Rc::new(programs));
        Ok(Self { gpu, store, layers, image, batch, statistics, programs, labels: vec![] })
    }

    /// The same network, tensors and labels with the given statistics.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn with(&self, statistics: NormStatistics) -> Result<Self, Error> {
        let labels = self.labels.clone();
        let other = Self::new(&self.gpu, &self.store, &self.layers, self.image, self.batch, statistics).await?;
        Ok(Self { labels, ..other })
    }

    /// The same conditional network for images with these labels: the first image has the first label, and after the last
    /// label follows the first again.
    ///
    /// # Errors
    /// If the network is not conditional, or a label is none of its classes.
    pub fn labelled(&self, labels: &[u8]) -> Result<Self, Error> {
        let classes =
            self.classes().ok_or_else(|| Error::Unsuited("the network has no classes: it takes no labels".into()))?;
        match labels.iter().find(|label| usize::from(**label) >= classes) {
            None => Ok(Self { labels: labels.to_vec(), ..self.clone() }),
            Some(label) => {
                Err(Error::Unsuited(format!("{label} is no label of the network; those are 0 to {}", classes - 1)))
            }
        }
    }

    /// The same network for images with the `labels` of a data set, of which only a conditional one takes notice.
    ///
    /// # Errors
    /// As [`labelled`](Self::labelled), and if a conditional network is given no labels.
    pub fn for_labels(&self, labels: Option<&[u8]>) -> Result<Self, Error> {
        match (self.classes(), labels) {
            (None, _) => Ok(self.clone()),
            (Some(_), Some(labels)) => self.labelled(labels),
            (Some(classes), None) => Err(missing(classes)),
        }
    }

    /// The same network for images of every class in turn, if it is conditional.
    #[must_use]
    pub fn every_class(&self) -> Self {
        let labels = (0..=u8::MAX).take(self.classes().unwrap_or_default()).collect();
        Self { labels, ..self.clone() }
    }

    /// The number of classes of a conditional network.
    pub fn classes(&self) -> Option<usize> {
        self.layers.classes()
    }

    /// Loads the network of a checkpoint, for batches of `count` images, at most 64.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn load(
        gpu: &Gpu,
        checkpoint: &Checkpoint,
        count: usize,
        statistics: NormStatistics,
    ) -> Result<Self, Error> {
        let mut store = Store::new();
        store.set_all(gpu, &checkpoint.tensors).await?;
        let Config { network, .. } = checkpoint.config;
        Self::new(gpu, &store, &checkpoint.layers(), network.image(), count.clamp(1, 64), statistics).await
    }

    /// The labels of the images, one after the other.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The image shape `[C, H, W]`.
    pub fn image(&self) -> [usize; 3] {
        self.image
    }

    /// f(images), for images of the given role.
    ///
    /// # Errors
    /// If the last image is incomplete, the network is conditional and has no [labels](Self::labelled), or the adapter
    /// fails.
    pub async fn apply(&self, role: Role, images: &[f32]) -> Result<Vec<f32>, Error> {
        let elements = Error::check_images(images, self.image)?;
        let program = match self.statistics {
            NormStatistics::Role => &self.programs[role as usize],
            NormStatistics::Batch => &self.programs[0],
        };
        let Some(classes) = self.classes() else {
            return Ok(program.run_batched("x", images, [self.batch, elements], &["y"]).await?.concat());
        };
        if self.labels.is_empty() {
            return Err(missing(classes));
        }
        let count = images.len() / elements;
        let labels = one_hot(self.labels.iter().copied().cycle().take(count), classes);
        let inputs = [("x", images), (Objective::LABELS, &labels[..])];
        Ok(program.run_batches(&inputs, [count, self.batch], &["y"]).await?.concat())
    }

    /// The results of `times` repeated applications, f(images), f(f(images)), …, for images of the given role.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn repeat(&self, role: Role, images: &[f32], times: usize) -> Result<Vec<Vec<f32>>, Error> {
        let mut results: Vec<Vec<f32>> = vec![];
        for _ in 0..times {
            let next = match results.last() {
                None => self.apply(role, images).await?,
                Some(last) => self.apply(Role::Sample, last).await?,
            };
            results.push(next);
        }
        Ok(results)
    }
}

/// The error of a conditional network of `classes` without labels.
fn missing(classes: usize) -> Error {
    Error::Unsuited(format!("the network is conditional: every image needs a label, from 0 to {}", classes - 1))
}

/// Blocking forms of the methods, for targets with threads.
#[cfg(not(target_arch = "wasm32"))]
impl Generator {
    /// Blocking form of [`new`](Self::new).
    pub fn blocking_new(
        gpu: &Gpu,
        store: &Store,
        layers: &Sequential,
        image: [usize; 3],
        batch: usize,
        statistics: NormStatistics,
    ) -> Result<Self, Error> {
        gpu.wait(Self::new(gpu, store, layers, image, batch, statistics))
    }

    /// Blocking form of [`load`](Self::load).
    pub fn blocking_load(
        gpu: &Gpu,
        checkpoint: &Checkpoint,
        count: usize,
        statistics: NormStatistics,
    ) -> Result<Self, Error> {
        gpu.wait(Self::load(gpu, checkpoint, count, statistics))
    }

    /// Blocking form of [`with`](Self::with).
    pub fn blocking_with(&self, statistics: NormStatistics) -> Result<Self, Error> {
        self.gpu.wait(self.with(statistics))
    }

    /// Blocking form of [`apply`](Self::apply).
    pub fn blocking_apply(&self, role: Role, images: &[f32]) -> Result<Vec<f32>, Error> {
        self.gpu.wait(self.apply(role, images))
    }

    /// Blocking form of [`repeat`](Self::repeat).
    pub fn blocking_repeat(&self, role: Role, images: &[f32], times: usize) -> Result<Vec<Vec<f32>>, Error> {
        self.gpu.wait(self.repeat(role, images, times))
    }
}
