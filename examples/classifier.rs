//! Trains the classifier that computes the features for sample metrics, on digits or on any data set with labels.
//!
//!     cargo run --release --example classifier

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/data.rs"]
mod data;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/options.rs"]
mod options;
#[path = "support/stop.rs"]
mod stop;
#[path = "support/suited.rs"]
mod suited;

use clap::Parser;
use explain::explained;
use ign::classifier::{Architecture, Classifier, ClassifierConfig, Training};
use ign::data::Split;
use ign::files::{replace, unused};
use ign::metrics::{Features, accuracy};
use ign::model::{Network, named};
use ign::native::open;
use ign::picture::Background;
use ign::run::{arguments as given, check_results};
use options::{BATCH, SEED, STEPS, number, parse, whole};
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Trains a small classifier of MNIST's digits, or of any data set with labels. Writes the classifier after each epoch, and a record of its training at
/// the end. Ctrl-C, SIGTERM and SIGHUP end the training with what it has.
#[derive(Parser)]
struct Arguments {
    /// Convolutions: doubling (4×4 kernels, channels that double from 16 on) or uniform (5×5 kernels, 24 channels in every
    /// layer).
    #[arg(long, value_parser = named::<Architecture>, default_value = "doubling")]
    architecture: Architecture,
    /// Number of epochs. From 1 to 10000.
    #[arg(long, value_parser = whole::<u64>(1..=10_000), default_value_t = 5)]
    epochs: u64,
    /// Number of steps, instead of --epochs. From 1 to 1000000000.
    #[arg(long, value_parser = whole::<u64>(STEPS), conflicts_with = "epochs")]
    steps: Option<u64>,
    /// Number of images per batch. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH), default_value_t = 128)]
    batch: usize,
    /// Initial learning rate of Adam; it decays to zero. From 0 to 1.
    #[arg(long, value_parser = number(0.0..=1.0), default_value_t = 3e-3)]
    learning_rate: f64,
    /// Maximum random shift of training images in pixels, vertically and horizontally. From 0 to 28.
    #[arg(long, value_parser = whole::<usize>(0..=28), default_value_t = 2)]
    shift: usize,
    /// Seed of initialisation, data order and shifts. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    seed: u64,
    /// Data folder: a data set in MNIST's format with labels, or pictures in subfolders whose names are the classes.
    #[arg(long, value_name = "DIR", default_value = "data/mnist")]
    data: PathBuf,
    /// Network whose images are to be recognised: mnist, faces, or channels and side, as 3x32 [default: the largest that fits
    /// the data, up to 64×64].
    #[arg(long, value_parser = named::<Network>)]
    network: Option<Network>,
    /// Background of transparent pictures: white, black, or auto (white behind dark strokes, black behind light ones).
    #[arg(long, value_parser = named::<Background>, default_value = "auto")]
    background: Background,
    /// File to write. The record has the same name with extension json [default: runs/classifier.safetensors, or the
    /// next free name].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replaces the files given by --out.
    #[arg(long, requires = "out")]
    force: bool,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() {
    explained(|| run(parse()));
}

/// The record of a training.
#[derive(Serialize)]
struct Record {
    command: String,
    adapter: String,
    architecture: Architecture,
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
    let out = arguments.out.unwrap_or_else(|| unused(Path::new("runs/classifier.safetensors"), &["json"]));
    let path = out.with_extension("json");
    if path == out {
        return Err(format!("--out {}: json is the extension of the record", out.display()).into());
    }
    for output in [&out, &path] {
        if !arguments.force && output.symlink_metadata().is_ok() {
            return Err(
                format!("{} exists; name another with --out, or replace it with --force", output.display()).into()
            );
        }
    }
    check_results(&[&arguments.data], &[&out, &path])?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());
    let splits = [Split::Train, Split::Test];
    let network = arguments.network.map_or_else(|| suited::network(&arguments.data), Ok)?;
    let image = network.image();
    let [train, test] = data::load(&arguments.data, splits, image, arguments.background)?;
    let steps = arguments.steps.unwrap_or(arguments.epochs * (train.len() / arguments.batch.max(1)) as u64);
    let Arguments { architecture, batch, learning_rate, shift, seed, .. } = arguments;
    let config = ClassifierConfig { architecture, batch, steps, learning_rate, shift, seed };
    let mut training = Training::new(&gpu, train, config)?;
    let classifier = training.classifier()?;
    let signature = training.signature();
    let labels = test.labels.clone().ok_or("the test images have no labels")?;
    signature.check(test.shape, &labels)?;
    let (parameters, classes) = (Classifier::parameters(signature), signature.classes);
    let [c, h, w] = test.shape;
    say!("network  {c}×{h}×{w}, {classes} classes, {parameters} parameters; {steps} steps");

    let images = test.gather(0..test.len());
    let stop = stop::requests()?;
    let mut stopped = false;
    let (mut losses, mut accuracies) = (vec![], vec![]);
    let (mut sum, mut count) = (0.0, 0);
    while training.step() < steps && !stopped {
        sum += f64::from(training.advance()?);
        count += 1;
        let step = training.step();
        let loss = sum / f64::from(count);
        stopped = stop.load(Ordering::Relaxed);
        if step.is_multiple_of(training.per_epoch()) || step == steps || stopped {
            training.save(&out)?;
            let seen = classifier.blocking_look(&images)?;
            let accuracy = accuracy(&Features::new(&seen.probabilities, classes)?, &labels)?;
            let seconds = start.elapsed().as_secs_f64();
            say!("step {step}/{steps}  loss {loss:.4}  test accuracy {:.2} %  {seconds:.0} s", 100.0 * accuracy);
            losses.push(loss);
            accuracies.push(accuracy);
            (sum, count) = (0.0, 0);
        } else if step.is_multiple_of(50) {
            say!("step {step}/{steps}  loss {loss:.4}");
        }
    }
    let steps = training.step();
    let record = Record {
        command: format!("cargo run --release --example classifier -- {}", given()),
        adapter: gpu.caps().to_string(),
        architecture,
        parameters,
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
    replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    if stopped {
        say!("stopped after step {steps}");
    }
    say!("written to {} and {}", out.display(), path.display());
    Ok(())
}
