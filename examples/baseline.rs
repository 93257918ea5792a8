//! Trains a baseline for the Idempotent Generative Network, and measures its samples with the metrics of `evaluate`.
//!
//!     cargo run --release --example baseline -- dcgan

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/data.rs"]
mod data;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/model.rs"]
mod model;
#[path = "support/options.rs"]
mod options;
#[path = "support/samples.rs"]
mod samples;
#[path = "support/stop.rs"]
mod stop;

use clap::{Parser, ValueEnum};
use explain::explained;
use ign::baselines::{Baseline, BaselineConfig, Kind, Latent, LatentConfig, LowRank};
use ign::classifier::Classifier;
use ign::data::Images;
use ign::data::Split;
use ign::files::replace;
use ign::gpu::Gpu;
use ign::metrics::{Judges, Reference, SampleMetrics, SampleSizes};
use ign::model::Checkpoint;
use ign::native::open;
use ign::picture::{Background, Grid};
use ign::run::{arguments as given, check_results};
use options::{BATCH, SEED, STEPS, WIDTH, number, parse, whole};
use serde::Serialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Trains a DCGAN, a WGAN-GP, a VAE, a regularised autoencoder, a rectified flow or an Idempotent Generative Network on codes,
/// on MNIST and with encoder and decoder of the 28×28 network; or samples the decoder of a trained model. Writes samples.png
/// and evaluation.json. Ctrl-C, SIGTERM and SIGHUP end the training, and what it has is measured.
#[derive(Parser)]
struct Arguments {
    /// Baseline to train.
    kind: Name,
    /// Number of training steps [default: 2000]. From 1 to 1000000000.
    #[arg(long, value_parser = whole::<u64>(STEPS))]
    steps: Option<u64>,
    /// Number of images per batch [default: 64]. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH))]
    batch: Option<usize>,
    /// Number of channels of the encoder's first layer [default: 32]. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(WIDTH))]
    width: Option<usize>,
    /// Learning rate of Adam [default: 0.0002 for dcgan, 0.0001 for wgan-gp, 0.001 for the others]. From 0 to 1.
    #[arg(long, value_parser = number(0.0..=1.0))]
    learning_rate: Option<f64>,
    /// Variance per pixel, in [-1, 1], of vae's Gaussian likelihood. Smaller values give sharper images, larger values
    /// give latents closer to a standard normal distribution [default: 0.1]. From 0.000001 to 1000000.
    #[arg(long, value_parser = number(1e-6..=1e6))]
    variance: Option<f64>,
    /// Updates of wgan-gp's critic in each step, which sees as many batches of images [default: 5]. From 1 to 100.
    #[arg(long, value_parser = whole::<usize>(1..=100))]
    critic_steps: Option<usize>,
    /// Steps of Euler's method, and so applications of the network, for each of flow's samples [default: 50]. From 1 to
    /// 10000.
    #[arg(long, value_parser = whole::<usize>(1..=10_000))]
    sampling_steps: Option<usize>,
    /// Units of each hidden layer of latent's network on codes [default: 256]. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(1..=1024))]
    latent_width: Option<usize>,
    /// Hidden layers of latent's network on codes [default: 3]. From 1 to 16.
    #[arg(long, value_parser = whole::<usize>(1..=16))]
    latent_depth: Option<usize>,
    /// Training steps of latent's network on codes, after those of the autoencoder [default: 3000]. From 1 to 1000000000.
    #[arg(long, value_parser = whole::<u64>(STEPS))]
    latent_steps: Option<u64>,
    /// Number of codes per batch of latent's network on codes [default: 128]. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH))]
    latent_batch: Option<usize>,
    /// Learning rate of latent's network on codes [default: 0.001]. From 0 to 1.
    #[arg(long, value_parser = number(0.0..=1.0))]
    latent_learning_rate: Option<f64>,
    /// Weight of tightness of latent's network on codes [default: 0.2]. From 0 to 1000000.
    #[arg(long, value_parser = number(0.0..=1e6))]
    latent_tight: Option<f64>,
    /// Trained model, run folder or file, whose codes low-rank samples [default: models/mnist.safetensors].
    #[arg(long, value_name = "RUN")]
    model: Option<PathBuf>,
    /// Number of principal components of low-rank's normal distribution, at most the number of codes [default: 32]. From 1
    /// to 8192.
    #[arg(long, value_parser = whole::<usize>(1..=8192))]
    rank: Option<usize>,
    /// Seed of initialisation, data order and noise, in training and for samples. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    seed: u64,
    /// Number of samples to measure; some metrics use fewer, as the table states. From 4 to 100000.
    #[arg(long, value_parser = whole::<usize>(4..=100_000), default_value_t = 10_000)]
    samples: usize,
    /// Folder with MNIST's files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist")]
    data: PathBuf,
    /// Output folder [default: runs/KIND].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Classifier that computes the features for sample metrics.
    #[arg(long, value_name = "FILE", default_value = Classifier::FILE)]
    classifier: PathBuf,
    /// Second classifier, which measures the Fréchet distance and KID once more.
    #[arg(long, value_name = "FILE", default_value = Classifier::JUDGE)]
    judge: PathBuf,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Name {
    /// Generative adversarial network.
    Dcgan,
    /// Wasserstein GAN with a gradient penalty.
    WganGp,
    /// Variational autoencoder.
    Vae,
    /// Deterministic autoencoder with L2 penalties, sampled from a normal distribution of its codes.
    Rae,
    /// Rectified flow.
    Flow,
    /// Idempotent Generative Network on the codes of rae.
    Latent,
    /// Normal distribution of low rank on the codes of a trained Idempotent Generative Network, without training.
    LowRank,
}

impl Name {
    fn text(self) -> String {
        self.to_possible_value().expect("every kind has a name").get_name().into()
    }
}

impl Arguments {
    /// Checks that each given option is one of this baseline.
    fn check(&self) -> Result<(), String> {
        let settings = [
            ("variance", self.variance.is_some(), Name::Vae),
            ("critic-steps", self.critic_steps.is_some(), Name::WganGp),
            ("sampling-steps", self.sampling_steps.is_some(), Name::Flow),
            ("latent-width", self.latent_width.is_some(), Name::Latent),
            ("latent-depth", self.latent_depth.is_some(), Name::Latent),
            ("latent-steps", self.latent_steps.is_some(), Name::Latent),
            ("latent-batch", self.latent_batch.is_some(), Name::Latent),
            ("latent-learning-rate", self.latent_learning_rate.is_some(), Name::Latent),
            ("latent-tight", self.latent_tight.is_some(), Name::Latent),
            ("model", self.model.is_some(), Name::LowRank),
            ("rank", self.rank.is_some(), Name::LowRank),
        ];
        if let Some((option, _, name)) = settings.iter().find(|(_, given, name)| *given && *name != self.kind) {
            return Err(format!("--{option} is for {}: {} has none", name.text(), self.kind.text()));
        }
        let training = [
            ("steps", self.steps.is_some()),
            ("batch", self.batch.is_some()),
            ("width", self.width.is_some()),
            ("learning-rate", self.learning_rate.is_some()),
        ];
        match training.iter().find(|(_, given)| *given && self.kind == Name::LowRank) {
            Some((option, _)) => Err(format!("--{option} is for a training: low-rank has none")),
            None => Ok(()),
        }
    }

    /// The settings of the training; `None` without one. That of `latent` begins with the autoencoder's.
    fn training(&self) -> Option<BaselineConfig> {
        let kind = match self.kind {
            Name::Dcgan => Kind::Dcgan,
            Name::WganGp => Kind::WganGp { critic_steps: self.critic_steps.unwrap_or(5) },
            Name::Vae => Kind::Vae { variance: self.variance.unwrap_or(0.1) },
            Name::Rae | Name::Latent => Kind::Rae,
            Name::Flow => Kind::Flow { sampling_steps: self.sampling_steps.unwrap_or(50) },
            Name::LowRank => return None,
        };
        let learning_rate = self.learning_rate.unwrap_or(kind.learning_rate());
        let (width, batch) = (self.width.unwrap_or(32), self.batch.unwrap_or(64));
        Some(BaselineConfig { kind, width, batch, learning_rate, seed: self.seed })
    }

    /// The settings of the training on codes.
    fn latent(&self) -> LatentConfig {
        LatentConfig {
            width: self.latent_width.unwrap_or(256),
            depth: self.latent_depth.unwrap_or(3),
            batch: self.latent_batch.unwrap_or(128),
            learning_rate: self.latent_learning_rate.unwrap_or(1e-3),
            tight: self.latent_tight.unwrap_or(0.2) as f32,
            seed: self.seed,
        }
    }
}

/// The contents of evaluation.json.
#[derive(Serialize)]
struct Record {
    command: String,
    adapter: String,
    #[serde(flatten)]
    made: Made,
    seconds: f64,
    #[serde(serialize_with = "ign::files::path::serialize")]
    classifier: PathBuf,
    #[serde(serialize_with = "ign::files::path::serialize")]
    judge: PathBuf,
    /// Number of images per metric.
    extent: BTreeMap<&'static str, usize>,
    samples: Vec<SampleMetrics>,
}

/// How the samples were made.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    trained: Option<Trained>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latent: Option<LatentRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_rank: Option<LowRankRecord>,
    /// Name and images of each set.
    #[serde(skip)]
    sets: Vec<(String, Vec<f32>)>,
}

/// The training of a baseline.
#[derive(Serialize)]
struct Trained {
    #[serde(flatten)]
    settings: BaselineConfig,
    steps: u64,
    parameters: usize,
    losses: Vec<f32>,
    training_seconds: f64,
}

/// The training of `latent` on the codes.
#[derive(Serialize)]
struct LatentRecord {
    #[serde(flatten)]
    settings: LatentConfig,
    steps: u64,
    parameters: usize,
    losses: Vec<f32>,
    /// As [`LatentSamples::idempotence`](ign::baselines::LatentSamples::idempotence).
    idempotence: f64,
    training_seconds: f64,
}

/// The distribution of `low-rank`.
#[derive(Serialize)]
struct LowRankRecord {
    #[serde(serialize_with = "ign::files::path::serialize")]
    model: PathBuf,
    rank: usize,
    /// Share of the codes' variance.
    share: f64,
}

fn main() {
    explained(|| run(parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { seed, samples, .. } = arguments;
    let start = Instant::now();
    let name = arguments.kind.text();
    arguments.check()?;
    if let Some(settings) = arguments.training() {
        settings.check()?;
    }
    let out = arguments.out.clone().unwrap_or_else(|| ["runs", &name].iter().collect());
    let [picture, path] = ["samples.png", "evaluation.json"].map(|file| out.join(file));
    for output in [&picture, &path] {
        if output.symlink_metadata().is_ok() {
            return Err(format!("{} exists; choose another folder with --out", output.display()).into());
        }
    }
    let mut inputs = vec![arguments.data.as_path(), &arguments.classifier, &arguments.judge];
    inputs.extend(arguments.model.as_deref());
    check_results(&inputs, &[&picture, &path])?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());
    let [classifier, judge] = [&arguments.classifier, &arguments.judge].map(|file| Classifier::load(&gpu, file));
    let (classifier, judge) = (classifier?, judge?);
    let splits = [Split::Train, Split::Test];
    let shape = Kind::Rae.image();
    let [train, test] = data::load(&arguments.data, splits, shape, Background::Auto)?;
    let sizes = SampleSizes::new(samples, seed);
    let judges = Judges { classifier: Some(&classifier), judge: Some(&judge) };
    let reference = Reference::new(judges, &train, &test, sizes)?;

    let made = match arguments.training() {
        Some(settings) => trained(&gpu, &arguments, settings, train)?,
        None => low_rank(&gpu, &arguments, &train)?,
    };

    let (columns, elements) = (16, shape.iter().product::<usize>());
    let mut grid = Grid::new(shape);
    for (name, images) in &made.sets {
        for row in images.chunks(columns * elements).take(6 / made.sets.len()) {
            grid = grid.row(name, row);
        }
    }
    grid.save(&picture)?;

    let mut metrics = vec![];
    for (name, images) in &made.sets {
        metrics.push(reference.compare(name, images)?);
    }
    metrics.push(reference.real()?);
    say!("\n{samples} samples, seed {seed}\n");
    samples::print(&metrics, &sizes);
    let record = Record {
        command: format!("cargo run --release --example baseline -- {}", given()),
        adapter: gpu.caps().to_string(),
        made,
        seconds: start.elapsed().as_secs_f64(),
        classifier: arguments.classifier,
        judge: arguments.judge,
        extent: [("samples", samples), ("manifold", sizes.manifold), ("nearest", sizes.nearest)].into(),
        samples: metrics,
    };
    replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    say!("pictures: {}\nmetrics: {}", picture.display(), path.display());
    Ok(())
}

/// Trains a baseline, and for `latent` the network on its codes, and generates images.
fn trained(gpu: &Gpu, arguments: &Arguments, settings: BaselineConfig, train: Images) -> Result<Made, Box<dyn Error>> {
    let (name, steps) = (arguments.kind.text(), arguments.steps.unwrap_or(2000));
    let BaselineConfig { kind, width, batch, seed, .. } = settings;
    let latent = (arguments.kind == Name::Latent).then(|| arguments.latent());
    let mut baseline = Baseline::new(gpu, train, settings)?;
    let parameters = kind.parameters(width);
    say!("network  {name}, width {width}, {parameters} parameters; {steps} steps");
    let training = Instant::now();
    let stop = stop::requests()?;
    let losses = learn(steps, batch * kind.batches(), &stop, |_| {
        let losses = baseline.advance()?;
        Ok((baseline.step(), Some(losses)))
    })?;
    let training_seconds = training.elapsed().as_secs_f64();
    let steps = baseline.step();
    say!("trained {steps} steps in {training_seconds:.0} s");
    let trained = Some(Trained { settings, steps, parameters, losses, training_seconds });
    let Some(settings) = latent else {
        let sets = vec![(name, baseline.sample(seed, arguments.samples)?)];
        return Ok(Made { trained, latent: None, low_rank: None, sets });
    };

    let codes = baseline.codes()?.ok_or("the autoencoder has no codes")?;
    let dimensions = codes.len() / baseline.images();
    let parameters = settings.parameters(dimensions);
    let steps = arguments.latent_steps.unwrap_or(3000);
    say!("network  on {dimensions} codes, width {}, {parameters} parameters; {steps} steps", settings.width);
    let mut f = Latent::new(gpu, codes, dimensions, settings)?;
    let training = Instant::now();
    let losses = learn(steps, settings.batch, &stop, |due| {
        f.advance()?;
        Ok((f.step(), if due { Some(f.losses()?) } else { None }))
    })?;
    let training_seconds = training.elapsed().as_secs_f64();
    let made = f.sample(seed, arguments.samples)?;
    say!("trained {} steps in {training_seconds:.0} s; idempotence {:.4}", f.step(), made.idempotence);
    let idempotence = made.idempotence;
    let latent = Some(LatentRecord { settings, steps: f.step(), parameters, losses, idempotence, training_seconds });
    let mut sets = vec![];
    for (name, codes) in APPLICATIONS.iter().zip(&made.codes) {
        sets.push((name.to_string(), baseline.decode(codes)?));
    }
    Ok(Made { trained, latent, low_rank: None, sets })
}

/// Generates images of `low-rank`.
fn low_rank(gpu: &Gpu, arguments: &Arguments, train: &Images) -> Result<Made, Box<dyn Error>> {
    let model = arguments.model.clone().unwrap_or_else(|| Checkpoint::SHIPPED.into());
    let rank = arguments.rank.unwrap_or(32);
    let sampler = LowRank::new(gpu, &model::load(&model)?, train, rank)?;
    let share = sampler.share();
    say!("{rank} principal components have {:.1} % of the variance of the codes", 100.0 * share);
    let images = sampler.sample(arguments.seed, arguments.samples)?;
    let sets = ["low-rank", "low-rank f"].map(String::from).into_iter().zip(images).collect();
    Ok(Made { trained: None, latent: None, low_rank: Some(LowRankRecord { model, rank, share }), sets })
}

/// The names of `latent`'s samples, by the number of applications of f.
const APPLICATIONS: [&str; 3] = ["latent", "latent ff", "latent fff"];

type Losses = Vec<(&'static str, f32)>;

/// Trains for `steps` steps of `images` images, or until `stop` is set, and returns the losses of the last one. `advance`
/// takes a step and gives its number and, at least if they are due, its losses.
fn learn(
    steps: u64,
    images: usize,
    stop: &AtomicBool,
    mut advance: impl FnMut(bool) -> Result<(u64, Option<Losses>), ign::error::Error>,
) -> Result<Vec<f32>, Box<dyn Error>> {
    let (mut since, mut printed, mut step) = (Instant::now(), 0, 0);
    loop {
        let last = step + 1 == steps || stop.load(Ordering::Relaxed);
        let due = step == 0 || last || since.elapsed() > Duration::from_secs(10);
        let (done, losses) = advance(due)?;
        step = done;
        let Some(losses) = losses.filter(|_| due) else { continue };
        let rate = (images as u64 * (step - printed)) as f64 / since.elapsed().as_secs_f64();
        let text: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
        say!("step {step}/{steps}  {}  {rate:.0} images/s", text.join("  "));
        (since, printed) = (Instant::now(), step);
        if last {
            return Ok(losses.into_iter().map(|(_, loss)| loss).collect());
        }
    }
}
