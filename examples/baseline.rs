//! Trains a baseline for the Idempotent Generative Network, and measures its samples with the metrics of `evaluate`.
//!
//!     cargo run --release --example baseline -- dcgan

#[path = "support/explain.rs"]
mod explain;
#[path = "support/load.rs"]
mod load;
#[path = "support/samples.rs"]
mod samples;

use clap::{Parser, ValueEnum};
use explain::explained;
use ign::baselines::{Baseline, BaselineConfig, Kind};
use ign::data::Split;
use ign::metrics::{Classifier, Reference, SampleMetrics, SampleSizes};
use ign::native::open;
use ign::picture::{Background, Grid};
use serde::Serialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Trains a DCGAN or a VAE on MNIST, with encoder and decoder of the 28×28 network. Writes samples.png and
/// evaluation.json.
#[derive(Parser)]
struct Arguments {
    /// Baseline to train.
    kind: Name,
    /// Number of training steps.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Number of images per batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Number of channels of the encoder's first layer.
    #[arg(long, default_value_t = 32)]
    width: usize,
    /// Learning rate of Adam [default: 0.0002 for dcgan, 0.001 for vae].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Variance per pixel, in [-1, 1], of vae's Gaussian likelihood. Smaller values give sharper images, larger values
    /// give latents closer to a standard normal distribution [default: 0.1].
    #[arg(long)]
    variance: Option<f32>,
    /// Seed of initialisation, data order and noise, in training and for samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of samples to measure; some metrics use fewer, as the table states.
    #[arg(long, default_value_t = 10_000)]
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
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Dcgan,
    Vae,
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
    classifier: PathBuf,
    /// Number of images per metric.
    extent: BTreeMap<&'static str, usize>,
    samples: Vec<SampleMetrics>,
}

fn main() {
    explained(|| run(Arguments::parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { steps, batch, width, variance, seed, samples, .. } = arguments;
    if steps == 0 || samples < 4 {
        return Err("--steps must be at least 1, --samples at least 4".into());
    }
    let start = Instant::now();
    let (name, kind) = match arguments.kind {
        Name::Dcgan if variance.is_some() => return Err("--variance is for vae: dcgan has no likelihood".into()),
        Name::Dcgan => ("dcgan", Kind::Dcgan),
        Name::Vae => ("vae", Kind::Vae { variance: variance.unwrap_or(0.1) }),
    };
    let learning_rate = arguments.learning_rate.unwrap_or(kind.learning_rate());
    let settings = BaselineConfig { kind, width, batch, learning_rate, seed };
    settings.check()?;
    let gpu = open(arguments.adapter.as_deref())?;
    println!("adapter  {}", gpu.caps());
    let classifier = Classifier::load(&gpu, &arguments.classifier)?;
    let splits = [Split::Train, Split::Test];
    let [train, test] = load::load(&arguments.data, splits, kind.image(), Background::Auto)?;
    let out = arguments.out.unwrap_or_else(|| ["runs", name].iter().collect());
    let path = out.join("evaluation.json");
    if path.exists() {
        return Err(format!("{} already contains a baseline; choose another folder with --out", out.display()).into());
    }
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let sizes = SampleSizes::new(samples, seed);
    let reference = Reference::new(&classifier, &train, &test, sizes)?;
    let mut baseline = Baseline::new(&gpu, train, settings)?;
    println!("network  {name}, width {width}, {} parameters; {steps} steps", kind.parameters(width));

    let training = Instant::now();
    let losses = learn(&mut baseline, steps, batch)?;
    let training_seconds = training.elapsed().as_secs_f64();
    println!("trained {steps} steps in {training_seconds:.0} s");

    let images = baseline.sample(seed, samples)?;
    let rows = images.chunks(16 * kind.image().iter().product::<usize>()).take(6);
    let grid = rows.fold(Grid::new(kind.image()), |grid, row| grid.row(name, row));
    grid.save(&out.join("samples.png"))?;

    let metrics = vec![reference.compare(name, &images)?, reference.real()?];
    println!("\nafter {steps} steps, {samples} samples, seed {seed}\n");
    samples::print(&metrics, &sizes);
    let given: Vec<_> = std::env::args().skip(1).collect();
    let record = Record {
        command: format!("cargo run --release --example baseline -- {}", given.join(" ")),
        adapter: gpu.caps().to_string(),
        settings,
        steps,
        parameters: kind.parameters(width),
        losses,
        training_seconds,
        seconds: start.elapsed().as_secs_f64(),
        classifier: arguments.classifier,
        extent: [("samples", samples), ("manifold", sizes.manifold), ("nearest", sizes.nearest)].into(),
        samples: metrics,
    };
    ign::files::replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    println!("pictures: {}\nmetrics: {}", out.join("samples.png").display(), path.display());
    Ok(())
}

/// Trains for `steps` steps and returns the losses of the last one.
fn learn(baseline: &mut Baseline, steps: u64, batch: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let (mut since, mut printed) = (Instant::now(), 0);
    loop {
        let losses = baseline.advance()?;
        let step = baseline.step();
        if !losses.iter().all(|(_, loss)| loss.is_finite()) {
            return Err(format!("the losses are no longer finite at step {step}: {losses:?}").into());
        }
        if step == 1 || step == steps || since.elapsed() > Duration::from_secs(10) {
            let rate = (batch as u64 * (step - printed)) as f64 / since.elapsed().as_secs_f64();
            let losses: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
            println!("step {step}/{steps}  {}  {rate:.0} images/s", losses.join("  "));
            (since, printed) = (Instant::now(), step);
        }
        if step == steps {
            return Ok(losses.into_iter().map(|(_, loss)| loss).collect());
        }
    }
}
