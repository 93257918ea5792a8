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
#[path = "support/options.rs"]
mod options;
#[path = "support/samples.rs"]
mod samples;
#[path = "support/stop.rs"]
mod stop;

use clap::{Parser, ValueEnum};
use explain::explained;
use ign::baselines::{Baseline, BaselineConfig, Kind};
use ign::classifier::Classifier;
use ign::data::Split;
use ign::files::replace;
use ign::metrics::{Judges, Reference, SampleMetrics, SampleSizes};
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

/// Trains a DCGAN, a WGAN-GP, a VAE, a regularised autoencoder or a rectified flow on MNIST, with encoder and decoder of
/// the 28×28 network. Writes samples.png and evaluation.json. Ctrl-C, SIGTERM and SIGHUP end the training, and what it has
/// is measured.
#[derive(Parser)]
struct Arguments {
    /// Baseline to train.
    kind: Name,
    /// Number of training steps. From 1 to 1000000000.
    #[arg(long, value_parser = whole::<u64>(STEPS), default_value_t = 2000)]
    steps: u64,
    /// Number of images per batch. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH), default_value_t = 64)]
    batch: usize,
    /// Number of channels of the encoder's first layer. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(WIDTH), default_value_t = 32)]
    width: usize,
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
}

impl Name {
    fn text(self) -> String {
        self.to_possible_value().expect("every kind has a name").get_name().into()
    }
}

impl Arguments {
    /// The baseline with its settings.
    fn kind(&self) -> Result<Kind, String> {
        let settings = [
            ("variance", self.variance.is_some(), Name::Vae),
            ("critic-steps", self.critic_steps.is_some(), Name::WganGp),
            ("sampling-steps", self.sampling_steps.is_some(), Name::Flow),
        ];
        if let Some((option, _, name)) = settings.iter().find(|(_, given, name)| *given && *name != self.kind) {
            return Err(format!("--{option} is for {}: {} has none", name.text(), self.kind.text()));
        }
        Ok(match self.kind {
            Name::Dcgan => Kind::Dcgan,
            Name::WganGp => Kind::WganGp { critic_steps: self.critic_steps.unwrap_or(5) },
            Name::Vae => Kind::Vae { variance: self.variance.unwrap_or(0.1) },
            Name::Rae => Kind::Rae,
            Name::Flow => Kind::Flow { sampling_steps: self.sampling_steps.unwrap_or(50) },
        })
    }
}

/// The contents of evaluation.json.
#[derive(Serialize)]
struct Record {
    command: String,
    adapter: String,
    #[serde(flatten)]
    settings: BaselineConfig,
    steps: u64,
    parameters: usize,
    losses: Vec<f32>,
    training_seconds: f64,
    seconds: f64,
    #[serde(serialize_with = "ign::files::path::serialize")]
    classifier: PathBuf,
    #[serde(serialize_with = "ign::files::path::serialize")]
    judge: PathBuf,
    /// Number of images per metric.
    extent: BTreeMap<&'static str, usize>,
    samples: Vec<SampleMetrics>,
}

fn main() {
    explained(|| run(parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { steps, batch, width, seed, samples, .. } = arguments;
    let start = Instant::now();
    let (name, kind) = (arguments.kind.text(), arguments.kind()?);
    let learning_rate = arguments.learning_rate.unwrap_or(kind.learning_rate());
    let settings = BaselineConfig { kind, width, batch, learning_rate, seed };
    settings.check()?;
    let out = arguments.out.unwrap_or_else(|| ["runs", &name].iter().collect());
    let [picture, path] = ["samples.png", "evaluation.json"].map(|file| out.join(file));
    for output in [&picture, &path] {
        if output.symlink_metadata().is_ok() {
            return Err(format!("{} exists; choose another folder with --out", output.display()).into());
        }
    }
    check_results(&[&arguments.data, &arguments.classifier, &arguments.judge], &[&picture, &path])?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());
    let [classifier, judge] = [&arguments.classifier, &arguments.judge].map(|file| Classifier::load(&gpu, file));
    let (classifier, judge) = (classifier?, judge?);
    let splits = [Split::Train, Split::Test];
    let [train, test] = data::load(&arguments.data, splits, kind.image(), Background::Auto)?;
    let sizes = SampleSizes::new(samples, seed);
    let judges = Judges { classifier: Some(&classifier), judge: Some(&judge) };
    let reference = Reference::new(judges, &train, &test, sizes)?;
    let mut baseline = Baseline::new(&gpu, train, settings)?;
    say!("network  {name}, width {width}, {} parameters; {steps} steps", kind.parameters(width));

    let training = Instant::now();
    let stop = stop::requests()?;
    let losses = learn(&mut baseline, steps, batch * kind.batches(), &stop)?;
    let steps = baseline.step();
    let training_seconds = training.elapsed().as_secs_f64();
    say!("trained {steps} steps in {training_seconds:.0} s");

    let images = baseline.sample(seed, samples)?;
    let rows = images.chunks(16 * kind.image().iter().product::<usize>()).take(6);
    let grid = rows.fold(Grid::new(kind.image()), |grid, row| grid.row(&name, row));
    grid.save(&picture)?;

    let metrics = vec![reference.compare(&name, &images)?, reference.real()?];
    say!("\nafter {steps} steps, {samples} samples, seed {seed}\n");
    samples::print(&metrics, &sizes);
    let record = Record {
        command: format!("cargo run --release --example baseline -- {}", given()),
        adapter: gpu.caps().to_string(),
        settings,
        steps,
        parameters: kind.parameters(width),
        losses,
        training_seconds,
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

/// Trains for `steps` steps of `images` images, or until `stop` is set, and returns the losses of the last one.
fn learn(baseline: &mut Baseline, steps: u64, images: usize, stop: &AtomicBool) -> Result<Vec<f32>, Box<dyn Error>> {
    let (mut since, mut printed) = (Instant::now(), 0);
    loop {
        let losses = baseline.advance()?;
        let step = baseline.step();
        let last = step == steps || stop.load(Ordering::Relaxed);
        if step == 1 || last || since.elapsed() > Duration::from_secs(10) {
            let rate = (images as u64 * (step - printed)) as f64 / since.elapsed().as_secs_f64();
            let losses: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
            say!("step {step}/{steps}  {}  {rate:.0} images/s", losses.join("  "));
            (since, printed) = (Instant::now(), step);
        }
        if last {
            return Ok(losses.into_iter().map(|(_, loss)| loss).collect());
        }
    }
}
