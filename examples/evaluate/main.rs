//! Evaluates a trained network.
//!
//!     cargo run --release --example evaluate -- runs/quick

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/classifier.rs"]
mod classifier;
#[path = "../support/data.rs"]
mod data;
#[path = "../support/explain.rs"]
mod explain;
#[path = "../support/model.rs"]
mod model;
#[path = "../support/options.rs"]
mod options;
#[path = "../support/samples.rs"]
mod samples;
mod table;

use clap::Parser;
use classifier::File;
use explain::explained;
use ign::data::Split;
use ign::files::replace;
use ign::metrics::{Evaluation, Judges, SampleSizes, Subject, evaluate};
use ign::model::{Checkpoint, Generator, NormStatistics, named};
use ign::native::open;
use ign::run::{check_results, result};
use model::load;
use options::{SEED, parse, whole};
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Evaluates a trained network: quality and coverage of its samples compared with test images, its idempotence, and its
/// projections of degraded images.
#[derive(Parser)]
struct Arguments {
    /// Run folder or checkpoint. The default is the model shipped with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// Number of samples; some metrics use fewer, as the table states. From 4 to 100000.
    #[arg(long, value_parser = whole::<usize>(4..=100_000), default_value_t = 10_000)]
    samples: usize,
    /// Seed of noise, degradations, and the resamples and blocks of confidence intervals. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    seed: u64,
    /// Statistics for batch normalisation: role (running averages of images, noise or samples) or batch (statistics of
    /// each batch of at most 64 images). Degraded images are always measured with both.
    #[arg(long, value_parser = named::<NormStatistics>, default_value = "role")]
    statistics: NormStatistics,
    /// Evaluates the weights of the last step, even if the run has averaged weights.
    #[arg(long)]
    last_step: bool,
    /// JSON file to write [default: evaluation.json in the run folder].
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Classifier that computes the features for sample metrics [default: models/classifier.safetensors, if it knows the
    /// images; without one, what needs features is not measured].
    #[arg(long, value_name = "FILE")]
    classifier: Option<PathBuf>,
    /// Second classifier, which measures the Fréchet distance and KID once more: it judges a training that used the features
    /// of the first [default: models/judge.safetensors, if it knows the images].
    #[arg(long, value_name = "FILE")]
    judge: Option<PathBuf>,
    /// Data folder [default: the data of the training].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// The contents of the JSON file.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(serialize_with = "ign::files::path::serialize")]
    run: PathBuf,
    classifier: Option<File>,
    judge: Option<File>,
    adapter: String,
    statistics: NormStatistics,
    last_step: bool,
    seconds: f64,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

fn main() {
    explained(|| run(parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let checkpoint = load(&arguments.run)?;
    let checkpoint = if arguments.last_step { checkpoint.last_step()? } else { checkpoint };
    let path = arguments.json.unwrap_or_else(|| result(&arguments.run, "evaluation.json"));
    let data = arguments.data.as_ref().unwrap_or(&checkpoint.config.data);
    let named =
        [(classifier::CLASSIFIER, arguments.classifier.as_deref()), (classifier::JUDGE, arguments.judge.as_deref())];
    let files = named.each_ref().map(|(shipped, given)| given.unwrap_or(Path::new(shipped.file)));
    check_results(&[&arguments.run, data, files[0], files[1]], &[&path])?;
    let gpu = open(arguments.adapter.as_deref())?;
    let generator = Generator::blocking_load(&gpu, &checkpoint, arguments.samples, arguments.statistics)?;
    let splits = [Split::Train, Split::Test];
    let [train, test] = data::load(data, splits, generator.image(), checkpoint.config.background)?;
    let [classifier, judge] = named.map(|(shipped, given)| classifier::fitting(&gpu, &shipped, given, &test));
    let (classifier, judge) = (classifier?, judge?);
    let subject = Subject {
        checkpoint: &checkpoint,
        generator: &generator,
        judges: Judges { classifier: classifier.as_ref(), judge: judge.as_ref() },
        train: &train,
        test: &test,
    };
    let sizes = SampleSizes::new(arguments.samples, arguments.seed);
    let evaluation = evaluate(&subject, sizes, &mut |next| note!("{:4.0} s  {next}", start.elapsed().as_secs_f64()))?;
    table::print(&evaluation);

    let record = Record {
        run: arguments.run,
        classifier: classifier.map(|_| File(files[0].into())),
        judge: judge.map(|_| File(files[1].into())),
        adapter: gpu.caps().to_string(),
        statistics: arguments.statistics,
        last_step: arguments.last_step,
        seconds: start.elapsed().as_secs_f64(),
        evaluation: &evaluation,
    };
    replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    say!("metrics: {}", path.display());
    Ok(())
}
