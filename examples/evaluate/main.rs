//! Measures what a trained network is worth.
//!
//!     cargo run --release --example evaluate -- runs/quick

#[path = "../support/figures.rs"]
mod figures;
mod table;

use clap::Parser;
use ign::data::{Images, Split};
use ign::metrics::{Classifier, Evaluation, Extent, Subject, evaluate};
use ign::native::open;
use ign::train::{Checkpoint, Generator, Statistics};
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Measures a trained network: how near its samples come to MNIST and how much of it they cover, how idempotent it is,
/// and what it makes of spoiled images.
#[derive(Parser)]
struct Arguments {
    /// A run folder or a checkpoint; without one, the model that comes with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// How many samples; some figures are of fewer, and say so.
    #[arg(long, default_value_t = 10_000)]
    samples: usize,
    /// Other seeds draw other noise, and spoil images in other ways.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What batch norm uses for samples: the running averages of each role, or the statistics of each batch of 64
    /// images: role or batch. Spoiled images are measured with both.
    #[arg(long, value_parser = Statistics::named, default_value = "role")]
    statistics: Statistics,
    /// Evaluates the weights of the last step where the run has an average of them.
    #[arg(long)]
    last_step: bool,
    /// The file to write [default: evaluation.json in the run folder].
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The classifier whose features samples are compared by.
    #[arg(long, value_name = "FILE", default_value = Classifier::FILE)]
    classifier: PathBuf,
    /// The data set [default: that of the training].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The adapter, by index or part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// What is written.
#[derive(Serialize)]
struct Record<'a> {
    run: PathBuf,
    classifier: PathBuf,
    adapter: String,
    statistics: Statistics,
    last_step: bool,
    seconds: f64,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

fn main() {
    if let Err(error) = run(Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.samples < 4 {
        return Err("--samples must be at least 4".into());
    }
    let start = Instant::now();
    let checkpoint = Checkpoint::load(&arguments.run)?;
    let checkpoint = if arguments.last_step { checkpoint.last_step() } else { checkpoint };
    let gpu = open(arguments.adapter.as_deref())?;
    let classifier = Classifier::load(&gpu, &arguments.classifier)?;
    let generator = Generator::load(&gpu, &checkpoint, arguments.samples, arguments.statistics)?;
    let data = arguments.data.as_ref().unwrap_or(&checkpoint.config.data);
    let [train, test] = [Split::Train, Split::Test].map(|split| Images::load(data, split, generator.image()));
    let subject = Subject {
        checkpoint: &checkpoint,
        generator: &generator,
        classifier: &classifier,
        train: &train?,
        test: &test?,
    };
    let extent = Extent::new(arguments.samples, arguments.seed);
    let evaluation =
        evaluate(&subject, extent, &mut |next| eprintln!("{:4.0} s  {next}", start.elapsed().as_secs_f64()))?;
    table::print(&evaluation);

    let path = arguments.json.unwrap_or_else(|| Checkpoint::beside(&arguments.run, "evaluation.json"));
    let record = Record {
        run: arguments.run,
        classifier: arguments.classifier,
        adapter: gpu.caps().to_string(),
        statistics: arguments.statistics,
        last_step: arguments.last_step,
        seconds: start.elapsed().as_secs_f64(),
        evaluation: &evaluation,
    };
    ign::file::replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    println!("figures: {}", path.display());
    Ok(())
}
