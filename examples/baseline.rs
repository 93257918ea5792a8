//! Trains what the Idempotent Generative Network is compared with, and measures its samples as `evaluate` does.
//!
//!     cargo run --release --example baseline -- dcgan

#[path = "support/figures.rs"]
mod figures;

use clap::{Parser, ValueEnum};
use ign::baselines::{Baseline, Kind, Settings};
use ign::data::{Images, Split};
use ign::metrics::{Classifier, Extent, Reference, SampleFigures};
use ign::native::open;
use ign::picture::Grid;
use serde::Serialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Trains a DCGAN or a VAE, with encoder and decoder of the 28×28 network, on MNIST. Writes samples.png and
/// evaluation.json.
#[derive(Parser)]
struct Arguments {
    /// Which baseline.
    kind: Name,
    /// Steps to train.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Images of a batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Channels of the encoder's first layer.
    #[arg(long, default_value_t = 32)]
    width: usize,
    /// Adam's step size [default: the published one, 0.0002 for dcgan and 0.001 for vae].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// The variance of a pixel in [-1, 1] in the likelihood of vae: smaller for sharper images, larger for latents that
    /// are nearer to normal [default: 0.1].
    #[arg(long)]
    variance: Option<f32>,
    /// Fixes initialisation, order of the data, and noise, that of the samples too.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many samples to measure; some figures are of fewer, and say so.
    #[arg(long, default_value_t = 10_000)]
    samples: usize,
    /// A folder with MNIST's files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist")]
    data: PathBuf,
    /// The folder for what is written [default: runs/KIND].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The classifier whose features samples are compared by.
    #[arg(long, value_name = "FILE", default_value = Classifier::FILE)]
    classifier: PathBuf,
    /// The adapter, by index or part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Dcgan,
    Vae,
}

/// What is written.
#[derive(Serialize)]
struct Record {
    command: String,
    adapter: String,
    #[serde(flatten)]
    settings: Settings,
    steps: u64,
    parameters: usize,
    losses: [f32; 2],
    training_seconds: f64,
    seconds: f64,
    classifier: PathBuf,
    /// Of how many images the figures are.
    extent: BTreeMap<&'static str, usize>,
    samples: Vec<SampleFigures>,
}

fn main() {
    if let Err(error) = run(Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
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
    let settings = Settings { kind, width, batch, learning_rate, seed };
    let gpu = open(arguments.adapter.as_deref())?;
    println!("adapter  {}", gpu.caps());
    let classifier = Classifier::load(&gpu, &arguments.classifier)?;
    let [train, test] = [Split::Train, Split::Test].map(|split| Images::load(&arguments.data, split, kind.image()));
    let (train, test) = (train?, test?);
    let out = arguments.out.unwrap_or_else(|| ["runs", name].iter().collect());
    let path = out.join("evaluation.json");
    if path.exists() {
        return Err(format!("there is a baseline in {} already; name another folder with --out", out.display()).into());
    }
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let extent = Extent::new(samples, seed);
    let reference = Reference::new(&classifier, &train, &test, extent)?;
    let mut baseline = Baseline::new(&gpu, train, settings)?;
    println!("network  {name}, width {width}, {} parameters; {steps} steps", kind.parameters(width));

    let training = Instant::now();
    let losses = learn(&mut baseline, kind, steps, batch)?;
    let training_seconds = training.elapsed().as_secs_f64();
    println!("trained {steps} steps in {training_seconds:.0} s");

    let images = baseline.sample(seed, samples)?;
    let rows = images.chunks(16 * kind.image().iter().product::<usize>()).take(6);
    let grid = rows.fold(Grid::new(kind.image()), |grid, row| grid.row(name, row));
    grid.save(&out.join("samples.png"))?;

    let figures = vec![reference.compare(name, &images)?, reference.real()?];
    println!("\nafter {steps} steps, {samples} samples, seed {seed}\n");
    figures::print(&figures, &extent);
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
        extent: [("samples", samples), ("manifold", extent.manifold), ("nearest", extent.nearest)].into(),
        samples: figures,
    };
    ign::file::replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    println!("pictures: {}\nfigures: {}", out.join("samples.png").display(), path.display());
    Ok(())
}

/// Trains up to `steps`, and returns the last losses.
fn learn(baseline: &mut Baseline, kind: Kind, steps: u64, batch: usize) -> Result<[f32; 2], Box<dyn Error>> {
    let (mut since, mut printed) = (Instant::now(), 0);
    loop {
        let losses = baseline.advance()?;
        let step = baseline.step();
        if !losses.iter().all(|loss| loss.is_finite()) {
            return Err(format!("the losses are no longer finite at step {step}: {losses:?}").into());
        }
        if step == 1 || step == steps || since.elapsed() > Duration::from_secs(10) {
            let [first, second] = kind.losses();
            let rate = (batch as u64 * (step - printed)) as f64 / since.elapsed().as_secs_f64();
            println!("step {step}/{steps}  {first} {:.4}  {second} {:.4}  {rate:.0} images/s", losses[0], losses[1]);
            (since, printed) = (Instant::now(), step);
        }
        if step == steps {
            return Ok(losses);
        }
    }
}
