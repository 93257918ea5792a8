//! Shows what the three losses of the Idempotent Generative Network do to a network f: ℝ² → ℝ².
//!
//!     cargo run --release --example toy

#[macro_use]
#[path = "../support/say.rs"]
mod say;
mod canvas;
mod chart;
mod drawing;
mod encode;
mod exact;
#[path = "../support/explain.rs"]
mod explain;
mod numbers;
#[path = "../support/options.rs"]
mod options;
mod plane;
mod strip;
mod sweep;
mod train;

use clap::{Parser, ValueEnum};
use drawing::{Scene, compose};
use encode::encode;
use explain::explained;
use ign::files::replace;
use ign::gpu::Gpu;
use ign::native::open;
use ign::run::check_results;
use ign::toy::{Data, Toy, mean_nearest_distance};
use options::{SEED, WIDTH, number, parse, whole};
use plane::distance;
use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use strip::Strip;
use tiny_skia::Pixmap;
use train::Run;

/// Trains a network f: ℝ² → ℝ² on points of the plane, and draws its field f(x) − x. The fixed points of f, where the field
/// is near zero, are the learned set. D is the L1 distance; tightness is clamped at 1.5 times D(f(z), z). Writes field.png,
/// the result, and learning.png, an animation (APNG) of the training.
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
    /// Also draws the training as a strip: the density of f(z) beside that of the data and the lengths |f(x) − x|, at six
    /// steps, in strip.png, with numbers in strip.csv.
    #[arg(long)]
    strip: bool,
    /// Trains with six weights of tightness from 0.02 to 1.5, two data sets and two seeds instead. Writes only sweep.png and
    /// sweep.csv.
    #[arg(long, conflicts_with_all = ["compare", "strip", "frames", "data", "tight"])]
    sweep: bool,
    /// Trains on all three data sets instead, and beside each f one that is idempotent by construction. Writes only exact.png
    /// and exact.csv.
    #[arg(long, conflicts_with_all = ["compare", "strip", "frames", "sweep", "data"])]
    exact: bool,
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

impl From<Name> for Data {
    fn from(name: Name) -> Self {
        match name {
            Name::Moons => Self::Moons,
            Name::Rings => Self::Rings,
            Name::Spiral => Self::Spiral,
        }
    }
}

fn main() {
    explained(|| run(&parse()));
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let &Arguments { frames, compare, strip, sweep, exact, .. } = arguments;
    let one = !sweep && !exact;
    let files = [
        ("field.png", one),
        ("learning.png", one && frames > 0),
        ("losses.png", compare),
        ("strip.png", strip),
        ("strip.csv", strip),
        ("sweep.png", sweep),
        ("sweep.csv", sweep),
        ("exact.png", exact),
        ("exact.csv", exact),
    ];
    let path = |file: &str| arguments.out.join(file);
    let outputs: Vec<_> = files.iter().filter(|(_, wanted)| *wanted).map(|(file, _)| path(file)).collect();
    if let Some(output) = outputs.iter().find(|output| output.symlink_metadata().is_ok()) {
        return Err(format!("{} exists; choose another folder with --out", output.display()).into());
    }
    check_results(&[], &outputs.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());

    let picture = |file: &str, picture: Pixmap| -> Result<(), Box<dyn Error>> {
        Ok(replace(&path(file), &encode(&[picture], 256, 1)?)?)
    };
    let both = |name: &str, (drawn, table): (Pixmap, String)| -> Result<(), Box<dyn Error>> {
        say!("\n{}", table.trim_end());
        picture(&format!("{name}.png"), drawn)?;
        Ok(replace(&path(&format!("{name}.csv")), table.as_bytes())?)
    };
    if sweep {
        both("sweep", sweep::sweep(&gpu, arguments)?)?;
    }
    if exact {
        both("exact", exact::compare(&gpu, arguments)?)?;
    }
    if one {
        // The frames are dense at the beginning, where the network changes most.
        let frame = |i: u64| (arguments.steps as f64 * (i as f64 / (frames - 1).max(1) as f64).powi(2)).round() as u64;
        let framed: BTreeSet<u64> = (0..frames).map(frame).collect();
        let stripped: BTreeSet<u64> = Strip::steps(arguments.steps).filter(|_| strip).collect();
        let (mut animation, mut columns) = (vec![], Strip::default());
        let toy = Run::of(arguments).train(&gpu, arguments, |toy| {
            if framed.contains(&toy.step()) {
                animation.push(compose(&[Scene::of(toy, title(toy), 480)?.draw()], 1));
            }
            if stripped.contains(&toy.step()) {
                columns.push(toy)?;
            }
            Ok(())
        })?;
        describe(&toy)?;
        picture("field.png", compose(&[Scene::of(&toy, title(&toy), 640)?.draw()], 1))?;
        if !animation.is_empty() {
            replace(&path("learning.png"), &encode(&animation, 32, 15)?)?;
        }
        if strip {
            both("strip", columns.finish())?;
        }
        if compare {
            picture("losses.png", losses(&gpu, arguments, &toy)?)?;
        }
    }
    outputs.iter().for_each(|path| say!("written  {}", path.display()));
    Ok(())
}

/// Trains with some of the losses, and draws the results beside that of all, `toy`.
fn losses(gpu: &Gpu, arguments: &Arguments, toy: &Toy) -> Result<Pixmap, Box<dyn Error>> {
    const NAMES: [&str; 3] = ["rec", "idem", "tight"];
    const SUBSETS: [[bool; 3]; 5] =
        [[true, false, false], [false, true, false], [false, false, true], [true, true, false], [true, false, true]];
    let all = Run::of(arguments);
    let mut pictures = vec![];
    for subset in SUBSETS {
        let weights = [0, 1, 2].map(|i| if subset[i] { all.weights[i] } else { 0.0 });
        let names: Vec<_> = NAMES.iter().zip(subset).filter(|(_, used)| *used).map(|(name, _)| *name).collect();
        let title = names.join(" + ");
        say!("\n{title}");
        let toy = Run { weights, ..all.clone() }.train(gpu, arguments, |_| Ok(()))?;
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
    let moved =
        |a: &[[f32; 2]], b: &[[f32; 2]]| a.iter().zip(b).map(|(a, b)| distance(a, b)).sum::<f32>() / COUNT as f32;
    say!(
        "samples  {:.3} from the data, the data {:.3} from samples",
        mean_nearest_distance(&y, &x),
        mean_nearest_distance(&x, &y)
    );
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
