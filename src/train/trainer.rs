use super::task::Idempotence;
use crate::compile::{Check, Finding};
use crate::data::{Batches, Images, Loaded, Summary};
use crate::descent::Descent;
use crate::error::Error;
use crate::gpu::{Gpu, MemoryReport, Profile};
use crate::method::{Losses, PREFIXES, Role, Weights};
use crate::model::{Checkpoint, Config, FrequencyStatistics, Generator, NoiseKind, NormStatistics};
use crate::nn::Average;
use crate::random::Stream;
use crate::ranks::{Alone, Ranks};
use siphasher::sip::SipHasher13;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The training of an Idempotent Generative Network.
pub struct Trainer {
    pub(super) descent: Descent<Idempotence>,
    preview: Generator,
    data: Summary,
    /// The device, to wait for.
    #[cfg(feature = "train")]
    pub(super) gpu: Gpu,
}

/// Images that show what the network has learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Noise, the same at every step.
    pub z: Vec<f32>,
    /// f(z), f(f(z)) and f(f(f(z))).
    pub f: Vec<Vec<f32>>,
    /// Training images, the same at every step.
    pub x: Vec<f32>,
    /// f(x).
    pub fx: Vec<f32>,
}

/// Maximum number of images for the statistics of frequency noise.
const FREQUENCY_IMAGES: usize = 1000;

/// Checks that every rank has a shard of each batch that batch norm can use.
fn check_shards(config: &Config, ranks: usize) -> Result<(), Error> {
    let batch = config.batch;
    match ranks == 1 || batch.is_multiple_of(ranks) && batch / ranks >= 2 {
        true => Ok(()),
        false => {
            let reason = format!("is {batch}, and must be a multiple of the {ranks} ranks, with 2 images or more each");
            Err(Error::Setting { name: "batch", reason })
        }
    }
}

/// Checks that the ranks start with the same settings and data.
fn check_alike(ranks: &dyn Ranks, checkpoint: &Checkpoint, images: &Images) -> Result<(), Error> {
    if ranks.count() == 1 {
        return Ok(());
    }
    let hash = |bytes: &[u8]| SipHasher13::new().hash(bytes);
    let settings = serde_json::to_vec(&checkpoint.config).map_err(|e| Error::Unsuited(e.to_string()))?;
    ranks.check_same(hash(&settings), checkpoint.step, "settings")?;
    ranks.check_same(hash(&images.pixels), checkpoint.step, "images")?;
    ranks.check_same(hash(images.labels.as_deref().unwrap_or_default()), checkpoint.step, "labels")
}

/// Checks that the images have the shape that the network takes, and the labels that a conditional one needs.
fn check_images(config: &Config, data: &Loaded) -> Result<(), Error> {
    let Loaded { images, summary } = data;
    images.check()?;
    let (expected, found) = (config.network.image(), images.shape);
    if found != expected {
        return Err(Error::Unsuited(format!("the images have shape {found:?}; the network takes {expected:?}")));
    }
    let refused = |found: String| {
        Err(Error::Setting {
            name: "classes",
            reason: format!("is {}, and the training images {found}", config.classes),
        })
    };
    let greatest = images.labels.iter().flatten().max();
    match (config.classes, greatest) {
        (0, _) => Ok(()),
        (_, None) => {
            let reason = summary.unclassed.as_deref().unwrap_or("neither a file of labels nor folders as classes");
            refused(format!("have no labels: {reason}"))
        }
        (classes, Some(&most)) if usize::from(most) >= classes => refused(format!("have labels up to {most}")),
        _ => Ok(()),
    }
}

impl Trainer {
    /// Number of images in each part of a [`Preview`].
    pub const PREVIEW: usize = 12;

    /// A new training on `data`.
    ///
    /// # Errors
    /// If a setting is out of range, the images have another shape than the network's, or the adapter fails.
    pub async fn new(gpu: &Gpu, config: &Config, data: impl Into<Loaded>) -> Result<Self, Error> {
        Self::new_among(gpu, config, data, BTreeMap::new(), Rc::new(Alone)).await
    }

    /// A new training of several ranks, each with its shard of every batch, with the tensors of the
    /// [features](Config::features) of a perceptual distance, if there is one. Collective.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the features are missing, a batch cannot be divided among the ranks, or the ranks differ
    /// in settings or data.
    pub async fn new_among(
        gpu: &Gpu,
        config: &Config,
        data: impl Into<Loaded>,
        features: BTreeMap<String, Vec<f32>>,
        ranks: Rc<dyn Ranks>,
    ) -> Result<Self, Error> {
        config.check()?;
        let data = data.into();
        let images = &data.images;
        check_images(config, &data)?;
        let layers = config.layers();
        let mut tensors = layers.initialise(config.seed, &PREFIXES);
        tensors.extend(features);
        if config.averaged().is_some() {
            tensors.extend(Average::initial(&layers, &PREFIXES, &tensors));
        }
        if config.noise == NoiseKind::Frequency {
            let first = images.gather(0..FREQUENCY_IMAGES.min(images.len()));
            tensors.insert(Checkpoint::FREQUENCIES.into(), FrequencyStatistics::of(&first, images.shape)?.to_flat());
        }
        Self::with(gpu, Checkpoint { config: config.clone(), step: 0, tensors }, data, ranks).await
    }

    /// Resumes a training from a checkpoint, on the same `data`, with results bit-identical to an uninterrupted training.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the checkpoint is a published model, which lacks the optimiser's moments.
    pub async fn resume(gpu: &Gpu, checkpoint: Checkpoint, data: impl Into<Loaded>) -> Result<Self, Error> {
        Self::resume_among(gpu, checkpoint, data, Rc::new(Alone)).await
    }

    /// Resumes a training with several ranks, of which there may have been another number before. Collective. Running
    /// averages of batch norm continue from those of the checkpoint, and with it rank 0's.
    ///
    /// # Errors
    /// As [`resume`](Self::resume) and [`new_among`](Self::new_among).
    pub async fn resume_among(
        gpu: &Gpu,
        checkpoint: Checkpoint,
        data: impl Into<Loaded>,
        ranks: Rc<dyn Ranks>,
    ) -> Result<Self, Error> {
        checkpoint.config.check()?;
        checkpoint.check_resumable()?;
        let data = data.into();
        check_images(&checkpoint.config, &data)?;
        Self::with(gpu, checkpoint, data, ranks).await
    }

    async fn with(
        gpu: &Gpu,
        checkpoint: Checkpoint,
        Loaded { images, summary }: Loaded,
        ranks: Rc<dyn Ranks>,
    ) -> Result<Self, Error> {
        check_shards(&checkpoint.config, ranks.count())?;
        check_alike(ranks.as_ref(), &checkpoint, &images)?;
        let (noise, layers) = (checkpoint.noise()?, checkpoint.layers());
        let Checkpoint { config, step, tensors } = checkpoint;
        let batches = Batches::new(images.len(), config.batch, config.seed)?;
        let image = config.network.image();
        let task = Idempotence { config, images, batches, noise, ranks };
        let descent = Descent::new(gpu, task, &tensors, step).await?;
        let preview = Generator::new(gpu, descent.store(), &layers, image, Self::PREVIEW, NormStatistics::Role).await?;
        Ok(Self {
            descent,
            preview,
            data: summary,
            #[cfg(feature = "train")]
            gpu: gpu.clone(),
        })
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.descent.task().config
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// What was done and left out when the data was read.
    pub fn data(&self) -> &Summary {
        &self.data
    }

    /// The ranks that train together.
    pub fn ranks(&self) -> &dyn Ranks {
        self.descent.task().ranks.as_ref()
    }

    /// The number of training images.
    pub fn images(&self) -> usize {
        self.descent.task().images.len()
    }

    /// The memory for the intermediate values of a step.
    pub fn memory(&self) -> MemoryReport {
        self.descent.memory()
    }

    /// Changes the initial weights of the losses and the initial learning rate, from the next step on. Their schedules
    /// stay.
    ///
    /// # Errors
    /// If one is out of range. All of them then stay.
    pub fn set(&mut self, weights: Weights, learning_rate: f64) -> Result<(), Error> {
        let Weights { rec, idem, tight } = weights;
        let config = Config { rec, idem, tight, learning_rate, ..self.config().clone() };
        config.check()?;
        self.descent.task_mut().config = config;
        Ok(())
    }

    /// Submits one step and prepares the inputs of the next one. Does not wait for the adapter to finish.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn advance(&mut self) -> Result<(), Error> {
        self.descent.advance().await
    }

    /// Reads the losses of the last step.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub async fn losses(&self) -> Result<Losses, Error> {
        let losses = self.descent.losses().await?;
        let [rec, idem, tight, variance] = [0, 1, 2, 3].map(|i| losses[i].1);
        Ok(Losses { rec, idem, tight, variance })
    }

    /// Runs one step and measures the time of every operation.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn profile(&mut self) -> Result<Profile, Error> {
        self.descent.profile().await
    }

    /// Runs one step line by line, up to the first line that fails `check`.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn check(&mut self, check: Check) -> Result<Option<Finding>, Error> {
        self.descent.check(check).await
    }

    /// A checkpoint that can resume this training.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub async fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let tensors = self.descent.finite_tensors().await?;
        Ok(Checkpoint { config: self.config().clone(), step: self.step(), tensors })
    }

    /// Images that show what the network has learned, [`PREVIEW`](Self::PREVIEW) of each kind.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn preview(&self) -> Result<Preview, Error> {
        let Idempotence { config, images, noise, .. } = self.descent.task();
        let z = noise.draw(config.seed, Stream::Preview, 0, Self::PREVIEW * images.elements());
        let x = images.gather(0..Self::PREVIEW);
        let f = self.preview.every_class().repeat(Role::Noise, &z, 3).await?;
        let labels = images.labels.as_ref().map(|labels| &labels[..Self::PREVIEW.min(labels.len())]);
        let fx = self.preview.for_labels(labels)?.apply(Role::Image, &x).await?;
        Ok(Preview { z, f, x, fx })
    }
}
