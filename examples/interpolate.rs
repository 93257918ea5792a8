//! Interpolates between noise samples, and adds and subtracts them.
//!
//!     cargo run --release --example interpolate -- runs/quick

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

/// Draws outputs of a trained network f for noise on straight lines from one noise sample to another (walks), and for
/// noise samples z₁, z₂, z₃ with their sum z₁ − z₂ + z₃.
#[derive(Parser)]
struct Arguments {
    /// Run folder or checkpoint. The default is the model shipped with the project.
    #[arg(default_value = Checkpoint::SHIPPED)]
    run: PathBuf,
    /// Number of walks, and number of sums. From 1 to 1000.
    #[arg(long, value_parser = whole::<usize>(1..=1000), default_value_t = 6)]
    count: usize,
    /// Number of images per walk, including both ends. From 2 to 1000.
    #[arg(long, value_parser = whole::<usize>(2..=1000), default_value_t = 12)]
    steps: usize,
    /// Number of applications of f. From 1 to 100.
    #[arg(long, value_parser = whole::<usize>(1..=100), default_value_t = 2)]
    times: usize,
    /// Class of the images of a conditional network, from 0 to 255. Walks and sums have several in turn [default: every class].
    #[arg(long, value_name = "CLASS", value_parser = whole::<u8>(0..=255))]
    label: Vec<u8>,
    /// Seed of the noise. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    seed: u64,
    /// Picture to write [default: interpolations.png in the run folder].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// The greatest number of images in a picture.
const IMAGES: usize = 10_000;

fn main() {
    explained(|| run(parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { count, steps, times, seed, .. } = arguments;
    let images = count * (steps + 4);
    if images > IMAGES {
        let text = format!("{count} walks of {steps} images and {count} sums are {images} images, more than {IMAGES}");
        return Err(text.into());
    }
    let checkpoint = load(&arguments.run)?;
    let out = arguments.out.unwrap_or_else(|| result(&arguments.run, "interpolations.png"));
    check_results(&[&arguments.run], &[&out])?;
    let gpu = open(arguments.adapter.as_deref())?;
    let generator = Generator::blocking_load(&gpu, &checkpoint, steps, NormStatistics::Role)?;
    let elements = generator.image().iter().product::<usize>();
    let noise = checkpoint.noise()?;
    let noise = |i: usize| noise.draw(seed, Stream::Preview, 2 + i as u64, elements);
    let classes = labelled(&generator, &arguments.label)?.labels().to_vec();
    let f = |i: usize, z: &[f32]| -> Result<Vec<f32>, Box<dyn Error>> {
        let generator = match classes.get(i % classes.len().max(1)) {
            Some(&class) => &generator.labelled(&[class])?,
            None => &generator,
        };
        Ok(generator.blocking_repeat(Role::Noise, z, times)?.pop().expect("f is applied at least once"))
    };

    let mut grid = Grid::new(generator.image());
    for walk in 0..count {
        let (from, to) = (noise(2 * walk), noise(2 * walk + 1));
        let point = |i: usize| {
            let t = i as f32 / (steps - 1) as f32;
            from.iter().zip(&to).map(|(a, b)| (1.0 - t) * a + t * b).collect::<Vec<_>>()
        };
        let points: Vec<f32> = (0..steps).flat_map(point).collect();
        grid = grid.row(&format!("walk {}", walk + 1), &f(walk, &points)?);
    }
    grid = grid.space();
    let mut columns = [const { vec![] }; 4];
    for sum in 0..count {
        let z = [0, 1, 2].map(|i| noise(2 * count + 3 * sum + i));
        let combined = (0..elements).map(|i| z[0][i] - z[1][i] + z[2][i]).collect();
        let [z1, z2, z3] = z;
        for (column, z) in columns.iter_mut().zip([z1, z2, z3, combined]) {
            column.extend(f(sum, &z)?);
        }
    }
    for (z, column) in ["z1", "z2", "z3", "z1-z2+z3"].iter().zip(&columns) {
        grid = grid.row(&format!("{}{z}{}", "f(".repeat(times), ")".repeat(times)), column);
    }
    grid.save(&out)?;
    say!("walks and sums after {} steps: {}", checkpoint.step, out.display());
    Ok(())
}
