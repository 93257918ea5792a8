//! Trains the classifier whose features samples are compared by.
//!
//!     cargo run --release --example classifier

use clap::Parser;
use ign::data::{Images, Split};
use ign::metrics::{Classifier, Features, Settings, Training, accuracy};
use ign::native::open;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Trains a small classifier of MNIST's digits, and writes a record of the training beside it.
#[derive(Parser)]
struct Arguments {
    /// Times to see every training image.
    #[arg(long, default_value_t = 5)]
    epochs: u64,
    /// Steps to train, where an epoch is too long.
    #[arg(long, conflicts_with = "epochs")]
    steps: Option<u64>,
    /// Images of a batch.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Adam's step size at the beginning; it falls to zero.
    #[arg(long, default_value_t = 3e-3)]
    learning_rate: f64,
    /// Images are moved by up to so many pixels each way.
    #[arg(long, default_value_t = 2)]
    shift: usize,
    /// Fixes initialisation, order of the data, and shifts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder with MNIST's files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist")]
    data: PathBuf,
    /// The file to write; the record has the same name with the ending json.
    #[arg(long, value_name = "FILE", default_value = Classifier::FILE)]
    out: PathBuf,
    /// The adapter, by index or part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() {
    if let Err(error) = run(Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

/// What a training leaves beside its weights.
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
    let load = |split| Images::load(&arguments.data, split, Classifier::IMAGE);
    let (train, test) = (load(Split::Train)?, load(Split::Test)?);
    let labels = test.labels.clone().ok_or("the test images have no labels")?;
    let steps = arguments.steps.unwrap_or(arguments.epochs * (train.len() / arguments.batch.max(1)) as u64);
    let Arguments { batch, learning_rate, shift, seed, .. } = arguments;
    let mut training = Training::new(&gpu, train, Settings { batch, steps, learning_rate, shift, seed })?;
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
    std::fs::write(&path, serde_json::to_string_pretty(&record)? + "\n")?;
    println!("written to {} and {}", arguments.out.display(), path.display());
    Ok(())
}
