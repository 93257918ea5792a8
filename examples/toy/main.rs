//! Shows what the three losses of the Idempotent Generative Network do to a network f: ℝ² → ℝ².
//!
//!     cargo run --release --example toy

mod drawing;
mod encode;
#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/explain.rs"]
mod explain;
#[path = "../support/options.rs"]
mod options;

use clap::{Parser, ValueEnum};
use drawing::{Scene, compose};
use encode::encode;
use explain::explained;
use ign::files::replace;
use ign::gpu::Gpu;
use ign::method::{Clamp, Distance, Objective, Weights};
use ign::native::open;
use ign::run::check_results;
use ign::toy::{Config, Data, Settings, Toy, mean_distance};
use options::{SEED, WIDTH, number, parse, whole};
use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tiny_skia::Pixmap;

/// Trains a network f: ℝ² → ℝ² on points of the plane, and draws its field f(x) − x. The fixed points of f, where the field
/// is near zero, are the learned set. Writes field.png, the result, and learning.png, an animation (APNG) of the training.
#[derive(Parser)]
struct Arguments {
    /// Data.
    #[arg(long, default_value = "moons")]
    data: Name,
    /// Number of training steps. From 1 to 1000000.
    #[arg(long, value_parser = whole::<u64>(1..=1_000_000), default_value_t = 3000)]
    steps: u64,
    /// Number of points per batch. From 1 to 65536.
    #[arg(long, value_parser = whole::<usize>(1..=65_536), default_value_t = 256)]
    batch: usize,
    /// Number of units of each of the three hidden layers. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(WIDTH), default_value_t = 64)]
    width: usize,
    /// Learning rate of Adam. It falls linearly to a tenth. From 0 to 1.
    #[arg(long, value_parser = number(0.0..=1.0), default_value_t = 0.002)]
    learning_rate: f64,
    /// Weight of the reconstruction loss D(f(x), x). From 0 to 1000000.
    #[arg(long, value_parser = number(0.0..=1e6), default_value_t = 1.0)]
    rec: f64,
    /// Weight of the idempotence loss D(f(f(z)), f(z)). From 0 to 1000000.
    #[arg(long, value_parser = number(0.0..=1e6), default_value_t = 1.0)]
    idem: f64,
    /// Weight of the tightness loss −D(f(f(z)), f(z)). From 0 to 1000000.
    #[arg(long, value_parser = number(0.0..=1e6), default_value_t = 0.2)]
    tight: f64,
    /// Standard deviation of the noise z. From 0 to 1000.
    #[arg(long, value_parser = number(0.0..=1000.0), default_value_t = 1.0)]
    noise: f64,
    /// Seed of the initial weights, the data and the noise. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    seed: u64,
    /// Number of frames of the animation; 0 for none. From 0 to 200.
    #[arg(long, value_parser = whole::<u64>(0..=200), default_value_t = 50)]
    frames: u64,
    /// Also trains with only some of the three losses, and draws the results side by side in losses.png.
    #[arg(long)]
    compare: bool,
    /// Output folder.
    #[arg(long, value_name = "DIR", default_value = "runs/toy")]
    out: PathBuf,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Moons,
    Rings,
    Spiral,
}

/// The clamp a of tightness, a·D(f(z), z) per sample.
const CLAMP: f32 = 1.5;
/// The learning rate at the last step, relative to the first.
const END: f64 = 0.1;

fn main() {
    explained(|| run(&parse()));
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let [field, learning, losses] = ["field.png", "learning.png", "losses.png"].map(|file| arguments.out.join(file));
    let wanted = [(&field, true), (&learning, arguments.frames > 0), (&losses, arguments.compare)];
    let outputs: Vec<_> = wanted.iter().filter(|(_, wanted)| *wanted).map(|(path, _)| path.as_path()).collect();
    if let Some(output) = outputs.iter().find(|output| output.symlink_metadata().is_ok()) {
        return Err(format!("{} exists; choose another folder with --out", output.display()).into());
    }
    check_results(&[], &outputs)?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());

    let given = [arguments.rec, arguments.idem, arguments.tight];
    let mut frames = vec![];
    let toy = train(&gpu, arguments, given, |toy| {
        frames.push(compose(&[Scene::of(toy, title(toy), 480)?.draw()], 1));
        Ok(())
    })?;
    describe(&toy)?;
    replace(&field, &encode(&[compose(&[Scene::of(&toy, title(&toy), 640)?.draw()], 1)], 256, 1)?)?;
    if !frames.is_empty() {
        replace(&learning, &encode(&frames, 32, 15)?)?;
    }
    if arguments.compare {
        replace(&losses, &encode(&[compare(&gpu, arguments, given, &toy)?], 256, 1)?)?;
    }
    outputs.iter().for_each(|path| say!("picture  {}", path.display()));
    Ok(())
}

/// A training with these weights of rec, idem and tight. `show` is called for each frame, more often at the beginning.
fn train(
    gpu: &Gpu,
    arguments: &Arguments,
    [rec, idem, tight]: [f64; 3],
    mut show: impl FnMut(&Toy) -> Result<(), Box<dyn Error>>,
) -> Result<Toy, Box<dyn Error>> {
    let &Arguments { steps, batch, width, learning_rate, noise, seed, frames, .. } = arguments;
    let data = match arguments.data {
        Name::Moons => Data::Moons,
        Name::Rings => Data::Rings,
        Name::Spiral => Data::Spiral,
    };
    let objective = Objective { distance: Distance::L1, clamp: Clamp::Noise(CLAMP), dropout: 0.0, nearest: 0.0 };
    let config = Config { width, batch, objective, seed };
    let weights = Weights { rec: rec as f32, idem: idem as f32, tight: tight as f32 };
    let settings = Settings { data, weights, learning_rate, noise: noise as f32 };
    let mut toy = Toy::blocking_new(gpu, config, settings.clone())?;
    // The frames are dense at the beginning, where the network changes most.
    let frame = |i: u64| (steps as f64 * (i as f64 / (frames - 1).max(1) as f64).powi(2)).round() as u64;
    let shown: BTreeSet<u64> = (0..frames).map(frame).collect();
    let mut printed = Instant::now();
    for done in 0..=steps {
        if shown.contains(&done) {
            show(&toy)?;
        }
        if done == steps || printed.elapsed() > Duration::from_secs(10) {
            let losses = toy.blocking_losses()?;
            let losses: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
            say!("step {done}/{steps}  {}", losses.join("  "));
            printed = Instant::now();
        }
        if done < steps {
            let rate = learning_rate * (1.0 - (1.0 - END) * done as f64 / steps as f64);
            toy.set(Settings { learning_rate: rate, ..settings.clone() })?;
            toy.blocking_advance()?;
        }
        // The adapter is not more than some steps behind.
        if done.is_multiple_of(20) {
            gpu.blocking_idle()?;
        }
    }
    Ok(toy)
}

/// Trains with some of the losses, and draws the results beside that of all, `toy`.
fn compare(gpu: &Gpu, arguments: &Arguments, given: [f64; 3], toy: &Toy) -> Result<Pixmap, Box<dyn Error>> {
    const NAMES: [&str; 3] = ["rec", "idem", "tight"];
    const SUBSETS: [[bool; 3]; 5] =
        [[true, false, false], [false, true, false], [false, false, true], [true, true, false], [true, false, true]];
    let mut pictures = vec![];
    for subset in SUBSETS {
        let weights = [0, 1, 2].map(|i| if subset[i] { given[i] } else { 0.0 });
        let names: Vec<_> = NAMES.iter().zip(subset).filter(|(_, used)| *used).map(|(name, _)| *name).collect();
        let title = names.join(" + ");
        say!("\n{title}");
        let toy = train(gpu, arguments, weights, |_| Ok(()))?;
        describe(&toy)?;
        pictures.push(Scene::of(&toy, title, 320)?.draw());
    }
    pictures.push(Scene::of(toy, NAMES.join(" + "), 320)?.draw());
    Ok(compose(&pictures, 3))
}

/// Prints how far samples are from the data, and how far f is from idempotent.
fn describe(toy: &Toy) -> Result<(), Box<dyn Error>> {
    const COUNT: usize = 1000;
    let (x, z) = (toy.data(COUNT), toy.noise(COUNT));
    let [y, w] = toy.blocking_repeat(&z, 2)?.try_into().expect("f was applied twice");
    let moved = |a: &[[f32; 2]], b: &[[f32; 2]]| {
        a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum::<f32>() / COUNT as f32
    };
    say!("samples  {:.3} from the data, the data {:.3} from samples", mean_distance(&y, &x), mean_distance(&x, &y));
    say!(
        "f        moves noise by {:.3}, samples by {:.3}, data by {:.3}",
        moved(&z, &y),
        moved(&y, &w),
        moved(&x, &toy.blocking_apply(&x)?)
    );
    Ok(())
}

fn title(toy: &Toy) -> String {
    format!("{}, step {}", toy.settings().data.name(), toy.step())
}
