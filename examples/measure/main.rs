//! Measures what one wants to know of an adapter, and writes it as a page and as JSON. Takes about ten minutes.
//!
//!     cargo run --release --example measure

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/explain.rs"]
mod explain;
#[path = "../support/options.rs"]
mod options;
mod page;
#[path = "../support/step.rs"]
mod step;

use clap::Parser;
use explain::explained;
use ign::files::{replace, unused};
use ign::gpu::{Gpu, Profile};
use ign::model::Network;
use ign::native::roof::Roof;
use ign::ops::blocking_variants;
use ign::run::check_results;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;
use step::Settings;

/// Measures an adapter: roof and bandwidth, training steps of both networks at several widths and batch sizes, every
/// variant of the kernels, and the operations of 1 GFLOP and more.
#[derive(Parser)]
struct Arguments {
    /// Folder for ADAPTER.md and ADAPTER.json, or the next free names.
    #[arg(long, value_name = "DIR", default_value = "measurements")]
    out: PathBuf,
    /// Number of timed steps per case. From 1 to 1000.
    #[arg(long, value_parser = options::whole::<usize>(1..=1000), default_value_t = 10)]
    steps: usize,
    /// Only smallest networks and batches, in seconds, to try the program.
    #[arg(long)]
    tiny: bool,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// All that is measured.
#[derive(Serialize)]
struct Measurements {
    adapter: String,
    backend: String,
    driver: String,
    version: &'static str,
    roof_gflops: f64,
    copy_gbytes: f64,
    /// Time of an empty dispatch, in microseconds.
    dispatch_us: f64,
    steps: Vec<Case>,
    /// The first case with each variant of the kernels.
    variants: Vec<Case>,
    /// The operations of 1 GFLOP and more, the lowest share of the roof first.
    operations: Vec<Operation>,
}

/// A training step.
#[derive(Serialize)]
struct Case {
    variant: &'static str,
    network: Network,
    width: usize,
    batch: usize,
    /// What was measured, or why nothing could be.
    #[serde(flatten)]
    result: Result<Step, String>,
}

#[derive(Serialize)]
struct Step {
    /// Time to compile and to run the first step, in seconds.
    first_s: f64,
    median_ms: f64,
    best_ms: f64,
    /// Time of the host in a step, in milliseconds.
    host_ms: f64,
    gflops: f64,
    share_of_roof: f64,
    /// The roof in the same minute.
    roof_gflops: f64,
    /// Memory for intermediate values, in bytes.
    planned_bytes: u64,
}

/// An operation of a training step of the first case or of the faces.
#[derive(Serialize)]
struct Operation {
    network: Network,
    width: usize,
    batch: usize,
    op: String,
    shape: String,
    gflop: f64,
    share_of_roof: f64,
}

/// Network, width and batch of each case. The variants run the first one.
const CASES: [(Network, usize, usize); 6] = [
    (Network::MNIST, 32, 64),
    (Network::MNIST, 64, 64),
    (Network::FACES, 32, 16),
    (Network::MNIST, 32, 16),
    (Network::MNIST, 32, 256),
    (Network::FACES, 64, 64),
];
const TINY: [(Network, usize, usize); 2] = [(Network::MNIST, 2, 2), (Network::FACES, 1, 2)];

fn main() {
    explained(|| run(options::parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let gpu = ign::native::open(arguments.adapter.as_deref())?;
    let caps = gpu.caps().clone();
    let name = format!("{} {}", caps.name, caps.driver).to_lowercase();
    let mut words: Vec<&str> = vec![];
    for word in name.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|word| !word.is_empty()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let name = words.join("-");
    let markdown = unused(&arguments.out.join(format!("{name}.md")), &["json"]);
    let json = markdown.with_extension("json");
    check_results(&[], &[&json, &markdown])?;
    say!("{caps}");

    let cases: &[_] = if arguments.tiny { &TINY } else { &CASES };
    let mut operations = vec![];
    let mut steps = vec![];
    for (i, &(network, width, batch)) in cases.iter().enumerate() {
        let settings = Settings { network, width, batch };
        let roof = Roof::measure(&gpu)?;
        let (case, profile) = measure("default", &gpu, &settings, &arguments, &roof);
        if let Some(profile) = profile.filter(|_| i == 0 || network == Network::FACES) {
            operations.extend(large(&settings, &profile, &roof));
        }
        steps.push(case);
    }
    operations.sort_by(|a, b| a.share_of_roof.total_cmp(&b.share_of_roof));
    let (network, width, batch) = cases[0];
    let mut variants = vec![];
    for (variant, gpu) in blocking_variants(&gpu)? {
        let roof = Roof::measure(&gpu)?;
        variants.push(measure(variant, &gpu, &Settings { network, width, batch }, &arguments, &roof).0);
    }
    let roof = Roof::measure(&gpu)?;
    let measurements = Measurements {
        adapter: caps.name,
        backend: caps.backend,
        driver: caps.driver,
        version: env!("CARGO_PKG_VERSION"),
        roof_gflops: roof.gflops,
        copy_gbytes: roof.gbytes,
        dispatch_us: 1e6 * roof.copy(0),
        steps,
        variants,
        operations,
    };
    replace(&json, &serde_json::to_vec_pretty(&measurements)?)?;
    replace(&markdown, page::page(&measurements).as_bytes())?;
    say!("written: {} and {}", markdown.display(), json.display());
    Ok(())
}

/// Times the training step `settings`, and profiles one. A case that the adapter cannot run is a result too.
fn measure(
    variant: &'static str,
    gpu: &Gpu,
    settings: &Settings,
    arguments: &Arguments,
    roof: &Roof,
) -> (Case, Option<Profile>) {
    let Settings { network, width, batch } = *settings;
    let timed = || -> Result<(Step, Profile), Box<dyn Error>> {
        let start = Instant::now();
        let step = step::prepare(gpu, settings)?;
        let first_s = start.elapsed().as_secs_f64();
        let times = step::times(gpu, &step, arguments.steps)?;
        let gflops = settings.flops() / times.median / 1e9;
        let measured = Step {
            first_s,
            median_ms: 1e3 * times.median,
            best_ms: 1e3 * times.best,
            host_ms: 1e3 * times.host,
            gflops,
            share_of_roof: gflops / roof.gflops,
            roof_gflops: roof.gflops,
            planned_bytes: step.program().memory().planned,
        };
        Ok((measured, step.program().blocking_profile()?))
    };
    let (result, profile) = match timed() {
        Ok((step, profile)) => (Ok(step), Some(profile)),
        Err(e) => (Err(e.to_string()), None),
    };
    let said = match &result {
        Ok(step) => format!("{:.1} ms, {:.1} % of the roof", step.median_ms, 100.0 * step.share_of_roof),
        Err(reason) => reason.clone(),
    };
    say!("{}, w = {width}, batch {batch}, {variant}: {said}", network);
    (Case { variant, network, width, batch, result }, profile)
}

/// The operations of 1 GFLOP and more.
fn large(settings: &Settings, profile: &Profile, roof: &Roof) -> Vec<Operation> {
    let rows = profile.by_shape().into_iter();
    let large = rows.filter(|row| row.cost.flops as f64 / row.calls as f64 >= 1e9);
    large
        .map(|row| Operation {
            network: settings.network,
            width: settings.width,
            batch: settings.batch,
            gflop: row.cost.flops as f64 / row.calls as f64 / 1e9,
            share_of_roof: row.gflops() / roof.gflops,
            op: row.key[0].clone(),
            shape: row.key[1].clone(),
        })
        .collect()
}
