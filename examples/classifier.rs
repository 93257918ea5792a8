//! Trains the classifier that computes the features for sample metrics.
//!
//!     cargo run --release --example classifier

#[path = "support/explain.rs"]
mod explain;
#[path = "support/load.rs"]
mod load;

use clap::Parser;
use explain::explained;
use ign::data::Split;
use ign::metrics::{Classifier, ClassifierConfig, Features, Training, accuracy};
use ign::native::open;
use ign::picture::Background;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Trains a small classifier of MNIST's digits. Writes the classifier and a record of its training.
#[derive(Parser)]
struct Arguments {
    /// Number of epochs.
    #[arg(long, default_value_t = 5)]
    epochs: u64,
    /// Number of steps, instead of --epochs.
    #[arg(long, conflicts_with = "epochs")]
    steps: Option<u64>,
    /// Number of images per batch.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Initial learning rate of Adam; it decays to zero.
    #[arg(long, default_value_t = 3e-3)]
    learning_rate: f64,
    /// Maximum random shift of training images in pixels, vertically and horizontally.
    #[arg(long, default_value_t = 2)]
    shift: usize,
    /// Seed of initialisation, data order and shifts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder with MNIST's files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist")]
    data: PathBuf,
    /// File to write. The record has the same name with extension json.
    #[arg(long, value_name = "FILE", default_value = Classifier::FILE)]
    out: PathBuf,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() {
    explained(|| run(Arguments::parse()));
}

/// The record of a training.
#[derive(Serialize)]
struct Record {
    command: String,
    adapter: String,
    parameters: usize,
    seed: u64,
    batch: usize,
    learning_rate: f64,
    shift: usize,
    steps: u64,
    epochs: f64,
    images_seen: u64,
    loss_per_epoch: Vec<f64>,
    test_accuracy_per_epoch: Vec<f64>,
    seconds: f64,
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let gpu = open(arguments.adapter.as_deref())?;
    println!("adapter  {}", gpu.caps());
    let splits = [Split::Train, Split::Test];
    let [train, test] = load::load(&arguments.data, splits, Classifier::IMAGE, Background::Auto)?;
    let labels = test.labels.clone().ok_or("the test images have no labels")?;
    Classifier::check_labels(&labels)?;
    let steps = arguments.steps.unwrap_or(arguments.epochs * (train.len() / arguments.batch.max(1)) as u64);
    let Arguments { batch, learning_rate, shift, seed, .. } = arguments;
    let mut training = Training::new(&gpu, train, ClassifierConfig { batch, steps, learning_rate, shift, seed })?;
    let classifier = training.classifier()?;
    println!("network  {} parameters; {steps} steps", Classifier::parameters());

    let images = test.gather(0..test.len());
    let (mut losses, mut accuracies) = (vec![], vec![]);
    let (mut sum, mut count) = (0.0, 0);
    while training.step() < steps {
        sum += f64::from(training.advance()?);
        count += 1;
        let step = training.step();
        let loss = sum / f64::from(count);
        if step.is_multiple_of(training.per_epoch()) || step == steps {
            let seen = classifier.look(&images)?;
            let accuracy = accuracy(&Features::new(&seen.probabilities, Classifier::CLASSES)?, &labels)?;
            let seconds = start.elapsed().as_secs_f64();
            println!("step {step}/{steps}  loss {loss:.4}  test accuracy {:.2} %  {seconds:.0} s", 100.0 * accuracy);
            losses.push(loss);
            accuracies.push(accuracy);
            (sum, count) = (0.0, 0);
        } else if step.is_multiple_of(50) {
            println!("step {step}/{steps}  loss {loss:.4}");
        }
    }
    training.save(&arguments.out)?;
    let given: Vec<_> = std::env::args().skip(1).collect();
    let record = Record {
        command: format!("cargo run --release --example classifier -- {}", given.join(" ")),
        adapter: gpu.caps().to_string(),
        parameters: Classifier::parameters(),
        seed,
        batch,
        learning_rate,
        shift,
        steps,
        epochs: steps as f64 / training.per_epoch() as f64,
        images_seen: steps * batch as u64,
        loss_per_epoch: losses,
        test_accuracy_per_epoch: accuracies,
        seconds: start.elapsed().as_secs_f64(),
    };
    let path = arguments.out.with_extension("json");
    ign::files::replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    println!("written to {} and {}", arguments.out.display(), path.display());
    Ok(())
}
