use crate::compile::{Check, Finding};
use crate::data::{Batches, DataError, Images, Loaded, Split, Summary};
use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::files::safetensors;
use crate::gpu::{Gpu, MemoryReport, Profile};
use crate::method::{Objective, PREFIXES, Role, TrainingStep, Weights};
use crate::model::{Checkpoint, Config, FrequencyStatistics, Generator, Noise, NoiseKind, NormStatistics};
use crate::nn::{Adam, Average};
use crate::picture::Grid;
use crate::random::Stream;
use crate::ranks::{Alone, Ranks};
use crate::run::Losses;
use crate::tape::{self, Tape};
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

/// The training of an Idempotent Generative Network.
pub struct Trainer {
    descent: Descent<Idempotence>,
    preview: Generator,
    data: Summary,
}

/// The training task: settings, data and noise.
struct Idempotence {
    config: Config,
    images: Images,
    batches: Batches,
    noise: Noise,
    ranks: Rc<dyn Ranks>,
}

/// Number of images per row of a preview.
const PREVIEW: usize = 12;
/// Maximum number of images for the statistics of frequency noise.
const FREQUENCY_IMAGES: usize = 1000;

impl Idempotence {
    fn step<'t>(&self, tape: &'t Tape) -> tape::Result<TrainingStep<'t>> {
        let Config { network, accumulate, .. } = self.config;
        let batches = [accumulate, self.shard().len()];
        self.config.objective().record_batches(tape, &self.config.layers(), batches, network.image())
    }

    /// The part of every batch that this rank takes.
    fn shard(&self) -> Range<usize> {
        let size = self.config.batch / self.ranks.count();
        self.ranks.rank() * size..(self.ranks.rank() + 1) * size
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
        let mut indices = vec![];
        (0..count).for_each(|i| indices.extend(&self.batches.indices(done * count + i)[shard.clone()]));
        let x = self.images.gather(indices);
        // The noise of all ranks, of which this one takes its shard, so that it does not depend on the number of ranks.
        let batch = self.config.batch * elements;
        let all = self.noise.draw(self.config.seed, Stream::Noise, done, count as usize * batch);
        let z = all.chunks(batch).flat_map(|all| &all[shard.start * elements..shard.end * elements]).copied().collect();
        let Weights { rec, idem, tight } = self.config.weights(done);
        let mut inputs = vec![("x", x), ("z", z), (Objective::WEIGHTS, vec![rec, idem, tight])];
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

/// The training images.
fn load(config: &Config) -> Result<Loaded, DataError> {
    Images::load(&config.data, Split::Train, config.network.image(), config.background)
}

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
    ranks.check_same(hash(&images.pixels), checkpoint.step, "images")
}

fn recorded<'t>(step: &TrainingStep<'t>) -> Recorded<'t> {
    let [rec, idem, tight] = step.losses;
    Recorded {
        losses: vec![("rec", rec), ("idem", idem), ("tight", tight), ("variance", step.variance)],
        parameters: step.parameters.clone(),
        gradients: step.total.clone(),
    }
}

impl Trainer {
    /// A new training.
    ///
    /// # Errors
    /// If a setting is out of range, the data cannot be read, or the adapter fails.
    pub fn new(gpu: &Gpu, config: &Config) -> Result<Self, Error> {
        Self::new_among(gpu, config, Rc::new(Alone))
    }

    /// A new training of several ranks, each with its shard of every batch. Collective.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if a batch cannot be divided among the ranks, or the ranks differ in settings or data.
    pub fn new_among(gpu: &Gpu, config: &Config, ranks: Rc<dyn Ranks>) -> Result<Self, Error> {
        config.check()?;
        let loaded = load(config)?;
        let images = &loaded.images;
        let layers = config.layers();
        let mut tensors = layers.initialise(config.seed, &PREFIXES);
        if config.averaged().is_some() {
            tensors.extend(Average::initial(&layers, &PREFIXES, &tensors));
        }
        if config.noise == NoiseKind::Frequency {
            let first = images.gather(0..FREQUENCY_IMAGES.min(images.len()));
            tensors.insert(Checkpoint::FREQUENCIES.into(), FrequencyStatistics::of(&first, images.shape)?.to_flat());
        }
        Self::with(gpu, Checkpoint { config: config.clone(), step: 0, tensors }, loaded, ranks)
    }

    /// Resumes a training from a checkpoint, with results bit-identical to an uninterrupted training.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the checkpoint is a published model, which lacks the optimiser's moments.
    pub fn resume(gpu: &Gpu, checkpoint: Checkpoint) -> Result<Self, Error> {
        Self::resume_among(gpu, checkpoint, Rc::new(Alone))
    }

    /// Resumes a training with several ranks, of which there may have been another number before. Collective. Running
    /// averages of batch norm continue from those of the checkpoint, and with it rank 0's.
    ///
    /// # Errors
    /// As [`resume`](Self::resume) and [`new_among`](Self::new_among).
    pub fn resume_among(gpu: &Gpu, checkpoint: Checkpoint, ranks: Rc<dyn Ranks>) -> Result<Self, Error> {
        checkpoint.config.check()?;
        checkpoint.check_resumable()?;
        let loaded = load(&checkpoint.config)?;
        Self::with(gpu, checkpoint, loaded, ranks)
    }

    fn with(
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
        let descent =
            Descent::blocking_new(gpu, Idempotence { config, images, batches, noise, ranks }, &tensors, step)?;
        let preview = Generator::blocking_new(gpu, descent.store(), &layers, image, PREVIEW, NormStatistics::Role)?;
        Ok(Self { descent, preview, data: summary })
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

    /// Submits one step and prepares the inputs of the next one. Does not wait for the adapter to finish.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.descent.blocking_advance()
    }

    /// Reads the losses of the last step.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub fn losses(&self) -> Result<Losses, Error> {
        let losses = self.descent.blocking_losses()?;
        let [rec, idem, tight, variance] = [0, 1, 2, 3].map(|i| losses[i].1);
        Ok(Losses { rec, idem, tight, variance })
    }

    /// Runs one step and measures the time of every operation.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn profile(&mut self) -> Result<Profile, Error> {
        self.descent.blocking_profile()
    }

    /// Runs one step line by line, up to the first line that fails `check`.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn check(&mut self, check: Check) -> Result<Option<Finding>, Error> {
        self.descent.blocking_check(check)
    }

    /// Runs one step and writes its values to a safetensors file: `x`, `z`, `y` = f(z), `w` = f(y), the unweighted
    /// losses `loss.*`, the unweighted gradients per term `grad.{rec,idem,tight}.*`, the total gradients
    /// `grad.total.*`, and all tensors of the store before and after the step, `before.*` and `after.*`.
    ///
    /// # Errors
    /// If the adapter fails, or the file cannot be written.
    pub fn trace(&mut self, path: &Path) -> Result<(), Error> {
        let tape = Tape::new();
        let step = self.descent.task().step(&tape)?;
        let mut named = vec![("x".into(), step.x), ("z".into(), step.z), ("y".into(), step.y), ("w".into(), step.w)];
        for ((term, loss), gradients) in ["rec", "idem", "tight"].iter().zip(step.losses).zip(&step.gradients) {
            named.push((format!("loss.{term}"), loss));
            named.extend(step.parameters.iter().zip(gradients).map(|(p, g)| (format!("grad.{term}.{}", p.name()), *g)));
        }
        named.extend(step.parameters.iter().zip(&step.total).map(|(p, g)| (format!("grad.total.{}", p.name()), *g)));
        let outputs: Vec<_> = named.iter().map(|(name, var)| (name.as_str(), *var)).collect();

        let before = self.descent.blocking_tensors()?;
        let contents = self.descent.blocking_advance_on(&tape, &recorded(&step), &outputs)?;
        let after = self.descent.blocking_tensors()?;
        let shapes = Checkpoint::shapes(self.config());
        let mut tensors: Vec<safetensors::Named<'_>> = vec![];
        for (when, state) in [("before", &before), ("after", &after)] {
            let shape = |name: &String, values: &[f32]| {
                shapes.get(name).map_or_else(|| vec![values.len()], |shape| shape.dims().to_vec())
            };
            tensors.extend(
                state.iter().map(|(name, values)| (format!("{when}.{name}"), shape(name, values), &values[..])),
            );
        }
        let kept = named.iter().zip(&contents);
        tensors.extend(kept.map(|((name, var), values)| (name.clone(), var.shape().dims().to_vec(), &values[..])));
        Ok(safetensors::write(path, &tensors, HashMap::new())?)
    }

    /// A checkpoint that can resume this training.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        Ok(Checkpoint {
            config: self.config().clone(),
            step: self.step(),
            tensors: self.descent.blocking_finite_tensors()?,
        })
    }

    /// A grid with rows of z, f(z), f(f(z)) and f(f(f(z))), and of training images x and f(x). z and x are the same at
    /// every step.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn picture(&self) -> Result<Grid, Error> {
        let Idempotence { config, images, noise, .. } = self.descent.task();
        let z = noise.draw(config.seed, Stream::Preview, 0, PREVIEW * images.elements());
        let x = images.gather(0..PREVIEW);
        let f = self.preview.blocking_repeat(Role::Noise, &z, 3)?;
        let fx = self.preview.blocking_apply(Role::Image, &x)?;
        let grid = Grid::new(images.shape).row("z", &z);
        let grid = grid.row("f(z)", &f[0]).row("f(f(z))", &f[1]).row("f(f(f(z)))", &f[2]);
        Ok(grid.space().row("x", &x).row("f(x)", &fx))
    }
}
