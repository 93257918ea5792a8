//! Projects images onto what a trained network has learned: spoiled test images, or a picture of yours.
//!
//!     cargo run --release --example project -- runs/quick
//!     cargo run --release --example project -- runs/quick --image digit.png

use clap::Parser;
use ign::data::{Images, Split, read_picture};
use ign::ign::{Degradation, Role};
use ign::native::open;
use ign::picture::Grid;
use ign::random::{Stream, stream};
use ign::train::{Checkpoint, Generator, Statistics};
use std::error::Error;
use std::path::PathBuf;

/// Projects images that a trained network never saw onto those it learned. Rows: input, f(input), f(f(input)), original.
#[derive(Parser)]
struct Arguments {
    /// A run folder or a checkpoint; without one, the model that comes with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// A picture of any size, instead of spoiled test images.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The picture's dark and light the other way round, for dark ink on light paper.
    #[arg(long, requires = "image")]
    invert: bool,
    /// How many test images.
    #[arg(long, default_value_t = 12)]
    count: usize,
    /// Other seeds spoil other images in other ways.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The data set [default: that of the training].
    #[arg(long, value_name = "DIR")]
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
    let count = if arguments.image.is_some() { 1 } else { arguments.count };
    let generator = Generator::load(&gpu, &checkpoint, count, Statistics::Role)?;
    let shape = generator.image();
    let mut grid = Grid::new(shape);
    if let Some(path) = &arguments.image {
        let mut x = read_picture(path, shape)?;
        if arguments.invert {
            x.iter_mut().for_each(|x| *x = -*x);
        }
        let f = generator.repeat(Role::Image, &x, 2)?;
        grid = grid.row("input", &x).row("f", &f[0]).row("f(f)", &f[1]);
    } else {
        let data = arguments.data.as_ref().unwrap_or(&checkpoint.config.data);
        let test = Images::load(data, Split::Test, shape)?;
        let first = arguments.seed as usize * count;
        let original = test.gather(first..first + count);
        for (i, degradation) in Degradation::all(shape[0]).into_iter().enumerate() {
            let mut rng = stream(arguments.seed, Stream::Degradation, i as u64);
            let input = degradation.apply(&original, shape, &mut rng);
            let f = generator.repeat(Role::Image, &input, 2)?;
            let name = degradation.name();
            grid = grid.row(&name, &input).row("f", &f[0]).row("f(f)", &f[1]).row("original", &original).space();
        }
    }
    let out = arguments.out.unwrap_or_else(|| Checkpoint::beside(&arguments.run, "projections.png"));
    grid.save(&out)?;
    println!("projections after {} steps: {}", checkpoint.step, out.display());
    Ok(())
}
