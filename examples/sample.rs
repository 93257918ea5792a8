//! Draws what a trained network makes of noise: rows z, f(z), f(f(z)) and f³(z).
//!
//!     cargo run --release --example sample -- runs/quick

use clap::Parser;
use ign::ign::Role;
use ign::native::open;
use ign::picture::Grid;
use ign::random::Stream;
use ign::train::{Checkpoint, Generator, Statistics};
use std::error::Error;
use std::path::PathBuf;

/// Draws samples of a trained network. One application turns noise into images, a second one repairs them.
#[derive(Parser)]
struct Arguments {
    /// A run folder or a checkpoint; without one, the model that comes with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// How many samples.
    #[arg(long, default_value_t = 32)]
    count: usize,
    /// Samples side by side.
    #[arg(long, default_value_t = 16)]
    columns: usize,
    /// Other noise gives other samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The picture to write [default: samples.png in the run folder].
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
    if arguments.count == 0 || arguments.columns == 0 {
        return Err("--count and --columns must be at least 1".into());
    }
    let checkpoint = Checkpoint::load(&arguments.run)?;
    let gpu = open(arguments.adapter.as_deref())?;
    let generator = Generator::load(&gpu, &checkpoint, arguments.count, Statistics::Role)?;
    let elements = generator.image().iter().product::<usize>();
    let z = checkpoint.noise().draw(arguments.seed, Stream::Preview, 1, arguments.count * elements);
    let f = generator.repeat(Role::Noise, &z, 3)?;

    let line = arguments.columns * elements;
    let mut grid = Grid::new(generator.image());
    for from in (0..z.len()).step_by(line) {
        let part = from..(from + line).min(z.len());
        grid = grid.row("z", &z[part.clone()]);
        for (label, images) in ["f(z)", "f(f(z))", "f(f(f(z)))"].iter().zip(&f) {
            grid = grid.row(label, &images[part.clone()]);
        }
        grid = grid.space();
    }
    let out = arguments.out.unwrap_or_else(|| Checkpoint::beside(&arguments.run, "samples.png"));
    grid.save(&out)?;
    println!("{} samples after {} steps: {}", arguments.count, checkpoint.step, out.display());
    Ok(())
}
