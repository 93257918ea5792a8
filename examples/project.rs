//! Projects images onto what a trained network has learned: spoiled test images, or a picture of yours.
//!
//!     cargo run --release --example project -- runs/quick
//!     cargo run --release --example project -- runs/quick --image digit.png

#[path = "support/degradations.rs"]
mod degradations;

use clap::Parser;
use ign::data::{Images, Split, read_picture};
use ign::gpu::Gpu;
use ign::ign::{Degradation, Role};
use ign::metrics::{Classifier, DegradationFigures, Projector};
use ign::native::open;
use ign::picture::Grid;
use ign::random::{Stream, stream};
use ign::train::{Checkpoint, Generator, Statistics};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Projects images that a trained network never saw onto those it learned. Rows: input, f(input), f(f(input)), original;
/// beneath them, and in a table, what that did to many more images than are drawn.
#[derive(Parser)]
struct Arguments {
    /// A run folder or a checkpoint; without one, the model that comes with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// A picture of any size, instead of spoiled test images. May be given several times.
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
    /// The pictures' dark and light the other way round, for dark ink on light paper.
    #[arg(long, requires = "image")]
    invert: bool,
    /// How many test images to draw.
    #[arg(long, default_value_t = 12, conflicts_with = "image")]
    count: usize,
    /// How many test images the figures are of, those drawn among them.
    #[arg(long, default_value_t = 1000, conflicts_with = "image")]
    measured: usize,
    /// The classifier that is asked which digits it knows, before and after
    /// [default: models/classifier.safetensors, for 28×28 images with labels].
    #[arg(long, value_name = "FILE", conflicts_with = "image")]
    classifier: Option<PathBuf>,
    /// Other seeds spoil other images in other ways.
    #[arg(long, default_value_t = 1, conflicts_with = "image")]
    seed: u64,
    /// The data set [default: that of the training].
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    data: Option<PathBuf>,
    /// The picture to write [default: projections.png in the run folder].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.count == 0 {
        return Err("--count must be at least 1".into());
    }
    let checkpoint = Checkpoint::load(&arguments.run)?;
    let gpu = open(arguments.adapter.as_deref())?;
    let grid = match arguments.image.is_empty() {
        true => spoiled(&arguments, &checkpoint, &gpu)?,
        false => own(&arguments, &checkpoint, &gpu)?,
    };
    let out = arguments.out.unwrap_or_else(|| Checkpoint::beside(&arguments.run, "projections.png"));
    grid.save(&out)?;
    println!("projections after {} steps: {}", checkpoint.step, out.display());
    Ok(())
}

/// Pictures of the user's, each projected on its own.
fn own(arguments: &Arguments, checkpoint: &Checkpoint, gpu: &Gpu) -> Result<Grid, Box<dyn Error>> {
    let generator = Generator::load(gpu, checkpoint, arguments.image.len(), Statistics::Role)?;
    let mut x = vec![];
    for path in &arguments.image {
        x.extend(read_picture(path, generator.image())?);
    }
    if arguments.invert {
        x.iter_mut().for_each(|x| *x = -*x);
    }
    let f = generator.repeat(Role::Image, &x, 2)?;
    Ok(Grid::new(generator.image()).row("input", &x).row("f", &f[0]).row("f(f)", &f[1]))
}

/// Test images, spoiled in every way, with figures.
fn spoiled(arguments: &Arguments, checkpoint: &Checkpoint, gpu: &Gpu) -> Result<Grid, Box<dyn Error>> {
    let seed = arguments.seed;
    let shape = checkpoint.config.network.image();
    let data = arguments.data.as_ref().unwrap_or(&checkpoint.config.data);
    let test = Images::load(data, Split::Test, shape)?;
    let measured = arguments.measured.max(arguments.count).min(test.len());
    let first = seed as usize % test.len() * measured;
    let originals = test.select(first..first + measured);
    let drawn = arguments.count.min(measured) * originals.elements();

    let classifier = classifier(arguments, &originals, gpu)?;
    let generator = Generator::load(gpu, checkpoint, measured, Statistics::Batch)?;
    let projector = Projector::new(&generator, classifier.as_ref())?;
    let mut grid = Grid::new(shape)
        .text(&format!("Test images, spoiled and projected. Means over {measured} of them:"))
        .text("error    distance of a pixel from the original's, of [-1, 1]")
        .text("repeat   how far a second f moves it");
    if classifier.is_some() {
        grid = grid.text("known    share of digits that a classifier knows");
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
        grid = grid.text(&line(&projected.figures));
        degradations::row(&projected.figures);
    }
    degradations::foot(measured);
    Ok(grid)
}

/// The classifier, where it can say something about these images.
fn classifier(arguments: &Arguments, images: &Images, gpu: &Gpu) -> Result<Option<Classifier>, Box<dyn Error>> {
    let path = match &arguments.classifier {
        Some(_) if images.labels.is_none() => return Err("--classifier needs images with labels".into()),
        Some(path) => path,
        None if images.labels.is_none() || images.shape != Classifier::IMAGE => return Ok(None),
        None => Path::new(Classifier::FILE),
    };
    Ok(Some(Classifier::load(gpu, path)?))
}

/// The figures in the letters of a picture.
fn line(figures: &DegradationFigures) -> String {
    let DegradationFigures { error_before, error_after, idempotence, .. } = figures;
    let errors = format!("error {error_before:.3} -> {error_after:.3}   repeat {idempotence:.3}");
    match (figures.accuracy_before, figures.accuracy_after) {
        (Some(before), Some(after)) => {
            format!("{errors}   known {:>5.1} % -> {:.1} %", 100.0 * before, 100.0 * after)
        }
        _ => errors,
    }
}
