//! Projects degraded test images, or your own pictures, with a trained network.
//!
//!     cargo run --release --example project -- runs/quick
//!     cargo run --release --example project -- runs/quick --image digit.png

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/classifier.rs"]
mod classifier;
#[path = "support/data.rs"]
mod data;
#[path = "support/degradations.rs"]
mod degradations;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/labels.rs"]
mod labels;
#[path = "support/model.rs"]
mod model;
#[path = "support/options.rs"]
mod options;

use clap::Parser;
use explain::explained;
use ign::classifier::Classifier;
use ign::data::Split;
use ign::gpu::Gpu;
use ign::method::{Degradation, Role};
use ign::metrics::{DegradationMetrics, Projector};
use ign::model::{AdaptiveGenerator, Bottleneck, Checkpoint, Generator, NormStatistics, named};
use ign::native::open;
use ign::picture::{Background, Grid, normalise, read_picture};
use ign::random::{Stream, stream};
use ign::run::{check_results, result};
use labels::labelled;
use model::load;
use options::{SEED, parse, whole};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Projects images outside the training data with a trained network f. Draws rows of inputs, f(input) and f(f(input)).
/// For degraded test images, also draws the originals, and reports metrics below the rows and in a printed table. The
/// metrics include more images than are drawn.
#[derive(Parser)]
struct Arguments {
    /// Run folder or checkpoint. The default is the model shipped with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// Picture of any size to project, instead of degraded test images. May be given several times.
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
    /// Inverts the pictures, for dark ink on light paper.
    #[arg(long, requires = "image")]
    invert: bool,
    /// Class of the images, for a conditional network, from 0 to 255. Several are taken in turn [default: the labels of the
    /// test images; for own pictures every class, in rows].
    #[arg(long, value_name = "CLASS", value_parser = whole::<u8>(0..=255))]
    label: Vec<u8>,
    /// Steps of test-time training for each picture alone: they minimise |f(x) − x|² over scale and shift of batch norm.
    /// Pictures of yours get statistics of their own too. Nothing is adapted if the network is conditional or has minibatch
    /// deviation, or, without this option, if it learned from degraded images. With test images, the column "alone" of the
    /// table is adapted, which takes long: choose a small --measured. From 0 to 1000 [default: 20 for pictures; test images
    /// are not adapted].
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0..=AdaptiveGenerator::MOST_STEPS as u64))]
    adapt: Option<usize>,
    /// Number of test images to draw, at most all that are measured. From 1 to 1000.
    #[arg(long, value_parser = whole::<usize>(1..=1000), default_value_t = 12, conflicts_with = "image")]
    count: usize,
    /// Number of test images to measure, including the drawn ones. From 1 to 100000.
    #[arg(long, value_parser = whole::<usize>(1..=100_000), default_value_t = 1000, conflicts_with = "image")]
    measured: usize,
    /// Classifier that measures the accuracy before and after projection
    /// [default: models/classifier.safetensors, for 28×28 images with labels].
    #[arg(long, value_name = "FILE", conflicts_with = "image")]
    classifier: Option<PathBuf>,
    /// Seed of the choice of test images and of their degradations. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1, conflicts_with = "image")]
    seed: u64,
    /// Data folder [default: the data of the training].
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    data: Option<PathBuf>,
    /// Background of transparent pictures: white, black, or auto (white behind dark strokes, black behind light ones)
    /// [default: that of the training].
    #[arg(long, value_parser = named::<Background>)]
    background: Option<Background>,
    /// Picture to write [default: projections.png in the run folder; pictures.png for pictures of yours].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() {
    explained(|| run(parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let checkpoint = load(&arguments.run)?;
    let name = if arguments.image.is_empty() { "projections.png" } else { "pictures.png" };
    let out = arguments.out.clone().unwrap_or_else(|| result(&arguments.run, name));
    let data = arguments.data.as_ref().unwrap_or(&checkpoint.config.data);
    let classifier = arguments.classifier.as_deref().unwrap_or(Path::new(Classifier::FILE));
    let inputs = [&arguments.run, data, classifier].into_iter().chain(arguments.image.iter().map(PathBuf::as_path));
    check_results(&inputs.collect::<Vec<_>>(), &[&out])?;
    let adapts = checkpoint.config.classes == 0 && checkpoint.config.bottleneck == Bottleneck::Plain;
    if !adapts && arguments.adapt.is_some() {
        return Err("--adapt is for networks without labels and with a plain bottleneck; this one is another".into());
    }
    // Test-time training undoes the repair that such a network learned: docs/study.md, degraded images in training.
    let repairs = checkpoint.config.degraded > 0.0;
    let adapts = adapts && (arguments.adapt.is_some() || !repairs);
    let gpu = open(arguments.adapter.as_deref())?;
    let grid = match arguments.image.is_empty() {
        true => degraded(&arguments, &checkpoint, &gpu)?,
        false => own(&arguments, &checkpoint, adapts, &gpu)?,
    };
    grid.save(&out)?;
    say!("projections after {} steps: {}", checkpoint.step, out.display());
    Ok(())
}

/// Projects the user's pictures, each independently of the others. If `adapts`, f is adapted to each; the second f is not.
fn own(arguments: &Arguments, checkpoint: &Checkpoint, adapts: bool, gpu: &Gpu) -> Result<Grid, Box<dyn Error>> {
    let generator = Generator::blocking_load(gpu, checkpoint, arguments.image.len(), NormStatistics::Role)?;
    let mut x = vec![];
    for path in &arguments.image {
        let picture = read_picture(path, generator.image(), background(arguments, checkpoint))?;
        if let Some(level) = picture.background {
            say!("{}: transparent parts put on {}", path.display(), if level == 0 { "black" } else { "white" });
        }
        x.extend(picture.pixels.into_iter().map(normalise));
    }
    if arguments.invert {
        x.iter_mut().for_each(|x| *x = -*x);
    }
    let grid = Grid::new(generator.image()).row("input", &x);
    if generator.classes().is_some() {
        return of_classes(arguments, &generator, &x, grid);
    }
    let generator = labelled(&generator, &arguments.label)?;
    let steps = arguments.adapt.unwrap_or(AdaptiveGenerator::STEPS);
    let f = match adapts {
        true => AdaptiveGenerator::blocking_new(&generator, steps)?.blocking_apply(&x)?,
        false => generator.blocking_apply(Role::Image, &x)?,
    };
    let ff = generator.blocking_apply(Role::Sample, &f)?;
    Ok(grid.row("f", &f).row("f(f)", &ff))
}

/// Draws the projections f(x|c) of pictures x by a conditional network: with the labels given, else with every class.
fn of_classes(arguments: &Arguments, generator: &Generator, x: &[f32], mut grid: Grid) -> Result<Grid, Box<dyn Error>> {
    let every = generator.every_class();
    let rows: Vec<_> = match arguments.label[..] {
        [] => every.labels().iter().map(|&class| (format!(" as {class}"), vec![class])).collect(),
        ref labels => vec![(String::new(), labels.to_vec())],
    };
    for (name, labels) in rows {
        let f = generator.labelled(&labels)?.blocking_repeat(Role::Image, x, 2)?;
        grid = grid.row(&format!("f{name}"), &f[0]).row(&format!("f(f){name}"), &f[1]);
    }
    Ok(grid)
}

fn background(arguments: &Arguments, checkpoint: &Checkpoint) -> Background {
    arguments.background.unwrap_or(checkpoint.config.background)
}

/// Draws and measures the projections of test images under every degradation.
fn degraded(arguments: &Arguments, checkpoint: &Checkpoint, gpu: &Gpu) -> Result<Grid, Box<dyn Error>> {
    let seed = arguments.seed;
    let shape = checkpoint.config.network.image();
    let data = arguments.data.as_ref().unwrap_or(&checkpoint.config.data);
    let [test] = data::load(data, [Split::Test], shape, background(arguments, checkpoint))?;
    let measured = arguments.measured.min(test.len());
    let first = seed as usize % test.len() * measured;
    let originals = test.select(first..first + measured);
    let drawn = arguments.count.min(measured) * originals.elements();

    let classifier = match (&arguments.classifier, &test.labels) {
        (Some(_), None) => return Err("--classifier needs images with labels".into()),
        (None, None) => None,
        (given, Some(_)) => classifier::fitting(gpu, &classifier::CLASSIFIER, given.as_deref(), &test)?,
    };
    let generator = Generator::blocking_load(gpu, checkpoint, measured, NormStatistics::Batch)?;
    let generator = match arguments.label[..] {
        [] => generator.for_labels(originals.labels.as_deref())?,
        ref labels => generator.labelled(labels)?,
    };
    let projector = Projector::new(&generator, classifier.as_ref())?;
    let projector = match arguments.adapt {
        Some(steps) => projector.adapted(steps)?,
        None => projector,
    };
    let mut grid = Grid::new(shape)
        .text(&format!("Test images, degraded and projected. Means over {measured} of them:"))
        .text("error       mean absolute pixel difference from the original, pixels in [-1, 1]")
        .text("repeat      mean absolute pixel change by a second f");
    let accuracy = projector.accuracy(&originals)?;
    if let Some(accuracy) = accuracy {
        let share = format!("{:.1} % of the originals", 100.0 * accuracy);
        grid = grid.text(&format!("recognised  share of digits that the classifier recognises, {share}"));
    }
    degradations::head(classifier.is_some());
    let original = originals.gather(0..measured);
    for (i, degradation) in Degradation::all(shape[0]).into_iter().enumerate() {
        let mut rng = stream(seed, Stream::Degradation, i as u64);
        let projected = projector.project(&originals, degradation, &mut rng)?;
        let rows = [&projected.degraded, &projected.once, &projected.twice, &original];
        grid = grid.space();
        for (label, images) in [&degradation.name(), "f", "f(f)", "original"].into_iter().zip(rows) {
            grid = grid.row(label, &images[..drawn]);
        }
        grid = grid.text(&line(&projected.metrics));
        degradations::row(&projected.metrics);
    }
    degradations::foot(measured, accuracy, arguments.adapt);
    Ok(grid)
}

/// The line of metrics below the images of one degradation.
fn line(metrics: &DegradationMetrics) -> String {
    let DegradationMetrics { error_before, error_after, idempotence, .. } = metrics;
    let errors = format!("error {error_before:.3} -> {error_after:.3}   repeat {idempotence:.3}");
    match (metrics.accuracy_before, metrics.accuracy_after) {
        (Some(before), Some(after)) => {
            format!("{errors}   recognised {:>5.1} % -> {:.1} %", 100.0 * before, 100.0 * after)
        }
        _ => errors,
    }
}
