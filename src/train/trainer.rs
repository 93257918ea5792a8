use super::checkpoint::FREQUENCIES;
use super::{Checkpoint, Config, Generator, NoiseKind, Statistics, TrainError};
use crate::data::{Batches, Images, Split};
use crate::gpu::{Gpu, GpuError, MemoryReport, Profile, Store};
use crate::ign::{FrequencyStatistics, Noise, Objective, PREFIXES, Role, Step, Weights};
use crate::native::wait;
use crate::nn::{Adam, Average};
use crate::ops::{Check, Compiled, Finding, compile};
use crate::picture::Grid;
use crate::random::Stream;
use crate::tape::{Tape, Var};
use crate::tensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The losses of a step before weighting, and the variance of f(z) over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Losses {
    pub rec: f32,
    pub idem: f32,
    pub tight: f32,
    pub variance: f32,
}

/// A training: the tape of a step compiled once, and what each step is fed with.
pub struct Trainer {
    config: Config,
    gpu: Gpu,
    store: Store,
    tape: Tape,
    program: Compiled,
    images: Images,
    batches: Batches,
    noise: Noise,
    preview: Generator,
    step: u64,
    /// The inputs of the next step, if they are ready.
    next: Option<Inputs>,
}

/// Images of a preview.
const PREVIEW: usize = 12;
/// Images whose frequencies are taken.
const FREQUENCY_IMAGES: usize = 1000;

/// Records a step on a tape: the objective, Adam, and the average of the weights.
pub(super) fn record<'t>(tape: &'t Tape, config: &Config) -> Result<Step<'t>, TrainError> {
    let layers = config.layers();
    let step = config.objective().record(tape, &layers, config.batch, config.network.image())?;
    config.adam(0).record(tape, &step.parameters, &step.total)?;
    if config.averaged().is_some() {
        Average::record(tape, &layers, &PREFIXES)?;
    }
    Ok(step)
}

impl Trainer {
    /// A training from the beginning.
    pub fn new(gpu: &Gpu, config: &Config) -> Result<Self, TrainError> {
        config.check()?;
        let images = Images::load(&config.data, Split::Train, config.network.image())?;
        let layers = config.layers();
        let mut tensors = layers.initialise(config.seed, &PREFIXES);
        if config.averaged().is_some() {
            tensors.extend(Average::initial(&layers, &PREFIXES, &tensors));
        }
        for (name, shape) in Checkpoint::shapes(config) {
            tensors.entry(name).or_insert_with(|| vec![0.0; shape.elements()]);
        }
        if config.noise == NoiseKind::Frequency {
            let first = images.gather(0..FREQUENCY_IMAGES.min(images.len()));
            tensors.insert(FREQUENCIES.into(), FrequencyStatistics::of(&first, images.shape).to_flat());
        }
        Self::with(gpu, Checkpoint { config: config.clone(), step: 0, tensors }, images)
    }

    /// Goes on from a checkpoint, bit for bit as if it had never stopped.
    pub fn resume(gpu: &Gpu, checkpoint: Checkpoint) -> Result<Self, TrainError> {
        checkpoint.config.check()?;
        let images = Images::load(&checkpoint.config.data, Split::Train, checkpoint.config.network.image())?;
        Self::with(gpu, checkpoint, images)
    }

    fn with(gpu: &Gpu, checkpoint: Checkpoint, images: Images) -> Result<Self, TrainError> {
        let (noise, layers) = (checkpoint.noise(), checkpoint.layers());
        let Checkpoint { config, step, tensors } = checkpoint;
        let mut store = Store::new();
        for (name, contents) in &tensors {
            wait(gpu, store.set(gpu, name, contents))?;
        }
        let tape = Tape::new();
        let program = {
            let step = record(&tape, &config)?;
            let [rec, idem, tight] = step.losses;
            let outputs = [("rec", rec), ("idem", idem), ("tight", tight), ("variance", step.variance)];
            wait(gpu, compile(gpu, &store, &tape, &outputs))?
        };
        Ok(Self {
            batches: Batches::new(images.len(), config.batch, config.seed)?,
            preview: Generator::new(gpu, &store, &layers, config.network.image(), PREVIEW, Statistics::Role)?,
            gpu: gpu.clone(),
            config,
            store,
            tape,
            program,
            images,
            noise,
            step,
            next: None,
        })
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes for how long to train.
    pub fn set_steps(&mut self, steps: u64) {
        self.config.steps = steps;
        // What is prepared may follow a schedule that ends elsewhere.
        self.next = None;
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Images that there are to train on.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// What the intermediate values of a step cost.
    pub fn memory(&self) -> MemoryReport {
        self.program.memory()
    }

    /// Submits one step. Returns before the adapter is done, and prepares the next batch meanwhile.
    pub fn advance(&mut self) -> Result<(), TrainError> {
        self.feed()?;
        self.program.run()?;
        self.step += 1;
        self.next = Some(self.inputs());
        Ok(())
    }

    /// The losses of the last step.
    pub fn losses(&self) -> Result<Losses, TrainError> {
        let values = wait(&self.gpu, self.program.read(&["rec", "idem", "tight", "variance"]))?;
        let one = |i: usize| values[i][0];
        Ok(Losses { rec: one(0), idem: one(1), tight: one(2), variance: one(3) })
    }

    /// Does one step, timing every operation.
    pub fn profile(&mut self) -> Result<Profile, TrainError> {
        self.feed()?;
        let profile = wait(&self.gpu, self.program.profile())?;
        self.step += 1;
        Ok(profile)
    }

    /// Does one step line by line, up to the first line that `check` objects to.
    pub fn check(&mut self, check: Check) -> Result<Option<Finding>, TrainError> {
        self.feed()?;
        let finding = wait(&self.gpu, self.program.check(&self.tape, check))?;
        self.step += 1;
        Ok(finding)
    }

    /// Does one step, and writes everything in it to a safetensors file: `x`, `z`, `y` = f(z), `w` = f(y), the losses
    /// before weighting, and for every parameter its value before and after, the gradient of each term, unweighted, and
    /// the total. Everything else in the store is among before and after too.
    pub fn trace(&mut self, path: &Path) -> Result<(), TrainError> {
        let tape = Tape::new();
        let step = record(&tape, &self.config)?;
        let mut named = vec![("x".into(), step.x), ("z".into(), step.z), ("y".into(), step.y), ("w".into(), step.w)];
        for ((term, loss), gradients) in ["rec", "idem", "tight"].iter().zip(step.losses).zip(&step.gradients) {
            named.push((format!("loss.{term}"), loss));
            named.extend(step.parameters.iter().zip(gradients).map(|(p, g)| (format!("grad.{term}.{}", p.name()), *g)));
        }
        named.extend(step.parameters.iter().zip(&step.total).map(|(p, g)| (format!("grad.total.{}", p.name()), *g)));
        let outputs: Vec<_> = named.iter().map(|(name, var)| (name.as_str(), *var)).collect();
        let program = wait(&self.gpu, compile(&self.gpu, &self.store, &tape, &outputs))?;

        let inputs = self.next.take().unwrap_or_else(|| self.inputs());
        let shapes = Checkpoint::shapes(&self.config);
        let state = |when: &str| -> Result<Vec<_>, TrainError> {
            let contents = wait(&self.gpu, self.store.read(&self.gpu))?;
            let shape = |name: &str, n: usize| shapes.get(name).map_or_else(|| vec![n], |s| s.dims().to_vec());
            Ok(contents.into_iter().map(|(n, c)| (format!("{when}.{n}"), shape(&n, c.len()), c)).collect())
        };
        let mut tensors = state("before")?;
        inputs.write(&program)?;
        program.run()?;
        let names: Vec<_> = outputs.iter().map(|(name, _)| *name).collect();
        let contents = wait(&self.gpu, program.read(&names))?;
        let shape = |var: Var<'_>| var.shape().dims().to_vec();
        tensors.extend(outputs.iter().zip(contents).map(|((name, var), c)| (name.to_string(), shape(*var), c)));
        tensors.extend(state("after")?);
        self.step += 1;
        tensors::write(path, &tensors, HashMap::new()).map_err(|reason| TrainError::file(path, reason))
    }

    /// Everything to go on from.
    pub fn checkpoint(&self) -> Result<Checkpoint, TrainError> {
        let tensors = wait(&self.gpu, self.store.read(&self.gpu))?;
        Ok(Checkpoint { config: self.config.clone(), step: self.step, tensors })
    }

    /// Rows of z, f(z), f(f(z)) and f³(z), and of real x and f(x). The same z and x at every step.
    pub fn picture(&self) -> Result<Grid, TrainError> {
        let shape = self.images.shape;
        let z = self.noise.draw(self.config.seed, Stream::Preview, 0, PREVIEW * self.images.elements());
        let x = self.images.gather(0..PREVIEW);
        let f = self.preview.repeat(Role::Noise, &z, 3)?;
        let grid = Grid::new(shape).row("z", &z).row("f(z)", &f[0]).row("f(f(z))", &f[1]).row("f(f(f(z)))", &f[2]);
        Ok(grid.space().row("x", &x).row("f(x)", &self.preview.apply(Role::Image, &x)?))
    }

    /// What the next step is fed with.
    fn inputs(&mut self) -> Inputs {
        let x = self.images.gather(self.batches.indices(self.step).iter().copied());
        let z = self.noise.draw(self.config.seed, Stream::Noise, self.step, x.len());
        let rates = self.config.adam(self.step).rates(self.step + 1);
        let average = Average { decay: self.config.average }.rate(self.step + 1);
        Inputs { x, z, rates, weights: self.config.weights(self.step), average, dropout_seed: self.dropout_seed() }
    }

    /// What the masks of dropout are drawn by: a whole number for each seed and step. In f32 they are exact up to 2²⁴, and repeat from there.
    fn dropout_seed(&self) -> f32 {
        let start = self.config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        (start.wrapping_add(self.step) % (1 << 24)) as f32
    }

    fn feed(&mut self) -> Result<(), TrainError> {
        let inputs = self.next.take().unwrap_or_else(|| self.inputs());
        Ok(inputs.write(&self.program)?)
    }
}

/// What a step is fed with.
struct Inputs {
    x: Vec<f32>,
    z: Vec<f32>,
    rates: [f32; 2],
    weights: Weights,
    average: f32,
    dropout_seed: f32,
}

impl Inputs {
    fn write(&self, program: &Compiled) -> Result<(), GpuError> {
        program.write("x", &self.x)?;
        program.write("z", &self.z)?;
        program.write(Adam::RATES, &self.rates)?;
        program.write(Average::RATE, &[self.average])?;
        program.write(Objective::DROPOUT_SEED, &[self.dropout_seed])?;
        let Weights { rec, idem, tight } = self.weights;
        program.write(Objective::WEIGHTS, &[rec, idem, tight])
    }
}
