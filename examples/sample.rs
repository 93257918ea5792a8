//! Draws samples of a trained network: noise z, f(z), f(f(z)) and f³(z).
//!
//!     cargo run --release --example sample -- runs/quick

#[macro_use]
#[path = "support/say.rs"]
mod say;
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
use ign::method::Role;
use ign::model::{Checkpoint, Generator, NormStatistics};
use ign::native::open;
use ign::picture::Grid;
use ign::random::Stream;
use ign::run::{check_results, result};
use labels::labelled;
use model::load;
use options::{SEED, parse, whole};
use std::error::Error;
use std::path::PathBuf;

/// Draws samples of a trained network f in rows z, f(z), f(f(z)) and f(f(f(z))). The first application turns noise into
/// images, further ones change them little.
#[derive(Parser)]
struct Arguments {
    /// Run folder or checkpoint. The default is the model shipped with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// Number of samples. From 1 to 10000.
    #[arg(long, value_parser = whole::<usize>(1..=10_000), default_value_t = 32)]
    count: usize,
    /// Number of samples per row. From 1 to 10000 [default: 16; for a conditional network one for each class].
    #[arg(long, value_parser = whole::<usize>(1..=10_000))]
    columns: Option<usize>,
    /// Class of the samples of a conditional network, from 0 to 255. Several are drawn in turn [default: every class].
    #[arg(long, value_name = "CLASS", value_parser = whole::<u8>(0..=255))]
    label: Vec<u8>,
    /// Seed of the noise. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    seed: u64,
    /// Picture to write [default: samples.png in the run folder].
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
    let out = arguments.out.unwrap_or_else(|| result(&arguments.run, "samples.png"));
    check_results(&[&arguments.run], &[&out])?;
    let gpu = open(arguments.adapter.as_deref())?;
    let generator = Generator::blocking_load(&gpu, &checkpoint, arguments.count, NormStatistics::Role)?;
    let generator = labelled(&generator, &arguments.label)?;
    let elements = generator.image().iter().product::<usize>();
    let z = checkpoint.noise()?.draw(arguments.seed, Stream::Preview, 1, arguments.count * elements);
    let f = generator.blocking_repeat(Role::Noise, &z, 3)?;

    let columns = arguments.columns.or(generator.classes().filter(|_| arguments.label.is_empty())).unwrap_or(16);
    let line = columns * elements;
    let mut grid = Grid::new(generator.image());
    for from in (0..z.len()).step_by(line) {
        let part = from..(from + line).min(z.len());
        grid = grid.row("z", &z[part.clone()]);
        for (label, images) in ["f(z)", "f(f(z))", "f(f(f(z)))"].iter().zip(&f) {
            grid = grid.row(label, &images[part.clone()]);
        }
        grid = grid.space();
    }
    grid.save(&out)?;
    say!("{} samples after {} steps: {}", arguments.count, checkpoint.step, out.display());
    Ok(())
}
