//! Compares every operation of a training step with the roofline of the adapter, measured in the same run.
//!
//!     cargo run --release --example roofline -- --width 32 --batch 64

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/options.rs"]
mod options;
#[path = "../support/step.rs"]
mod step;

use clap::Parser;
use ign::files::{replace, unused};
use ign::gpu::ProfileRow;
use ign::native::roof::Roof;
use ign::ops::blocking_variants;
use ign::roof;
use ign::run::check_results;
use serde::Serialize;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Measures peak arithmetic and bandwidth, times every operation of a training step, and prints the share of its roof
/// that each operation reaches. The roof is min(peak arithmetic, bandwidth × arithmetic intensity).
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: step::Settings,
    /// Number of profiled steps. The median time of each dispatch counts. From 1 to 10000.
    #[arg(long, value_parser = options::whole::<usize>(1..=10_000), default_value_t = 5)]
    steps: usize,
    /// Kernel variant: subgroup, direct, workgroup or workgroup-subgroup.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// File for the plot, as SVG [default: roofline.svg, or the next free name].
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// File for the measurements, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Adapter, by its index or a part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// Measurements of an operation, in total over its dispatches with one shape and kernel.
#[derive(Serialize)]
struct Row {
    op: String,
    shape: String,
    kernel: String,
    calls: usize,
    ms: f64,
    gflops: f64,
    gbytes: f64,
    /// Arithmetic intensity: floating-point operations per byte.
    intensity: f64,
    /// Minimum time under the roofline, divided by the measured time.
    share_of_roof: f64,
    /// Time of copies of as many bytes with as many dispatches, divided by the measured time.
    share_of_copy: f64,
}

impl Row {
    fn new(row: &ProfileRow, point: &roof::Point, roof: &Roof) -> Self {
        let [op, shape, kernel] = row.key.clone();
        let copy = row.calls as f64 * roof.copy(row.cost.bytes / row.calls.max(1) as u64);
        Self {
            op,
            shape,
            kernel,
            calls: row.calls,
            ms: 1e3 * point.seconds,
            gflops: point.gflops(),
            gbytes: point.gbytes(),
            intensity: point.intensity(),
            share_of_roof: point.share(roof),
            share_of_copy: copy / point.seconds.max(1e-9),
        }
    }
}

/// Number of labels in the drawing: the operations with the longest times.
const LABELS: usize = 24;

fn point(i: usize, row: &ProfileRow) -> roof::Point {
    roof::Point {
        label: if i < LABELS { (i + 1).to_string() } else { String::new() },
        what: format!("{} {}", row.key[0], row.key[1]),
        cost: row.cost,
        seconds: row.time.as_secs_f64(),
        part: true,
    }
}

fn main() {
    say::without_display();
    if let Err(error) = run(options::parse()) {
        note!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let svg = arguments.svg.unwrap_or_else(|| unused(Path::new("roofline.svg"), &[]));
    let outputs: Vec<_> = [Some(&svg), arguments.json.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    check_results(&[], &outputs)?;
    let mut gpu = step::open(&arguments.settings, arguments.adapter.as_deref())?;
    if let Some(wanted) = &arguments.variant {
        let known = blocking_variants(&gpu)?;
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let found = known.iter().find(|(name, _)| name == wanted);
        let (_, variant) = found.ok_or_else(|| format!("--variant is `{wanted}`; this adapter can run {names:?}"))?;
        gpu = variant.clone();
    }
    say!("{}", gpu.caps());
    let step = step::prepare(&gpu, &arguments.settings)?;
    let mut profiles = vec![];
    for _ in 0..arguments.steps {
        profiles.push(step.program().blocking_profile()?);
    }
    // The median over the steps removes interruptions of single dispatches.
    let mut profile = profiles[0].clone();
    for (i, dispatch) in profile.dispatches.iter_mut().enumerate() {
        let mut times: Vec<_> = profiles.iter().map(|p| p.dispatches[i].time).collect();
        times.sort();
        dispatch.time = times[times.len() / 2];
    }
    let roof = Roof::measure(&gpu)?;
    say!("roof: {:.1} GFLOP/s, {:.2} GB/s; ridge at {:.1} FLOP/B", roof.gflops, roof.gbytes, roof.gflops / roof.gbytes);
    let copies = [0, 100_000, 1_000_000, 10_000_000].map(|bytes| 1e6 * roof.copy(bytes));
    say!("single copies of about 0, 0.1, 1 and 10 MB, timed like the operations: {copies:.0?} µs");

    let rows = profile.by_shape();
    let points: Vec<_> = rows.iter().enumerate().map(|(i, row)| point(i, row)).collect();
    let rows: Vec<_> = rows.iter().zip(&points).map(|(row, point)| Row::new(row, point, &roof)).collect();
    print(&rows, 1e3 * profile.total().as_secs_f64(), profile.method);
    let title = format!(
        "{:?}, width {}, batch {} on {}",
        arguments.settings.network,
        arguments.settings.width,
        arguments.settings.batch,
        gpu.caps().name
    );
    replace(&svg, roof::document(&title, &roof, &points).as_bytes())?;
    say!("plot: {}", svg.display());
    if let Some(path) = &arguments.json {
        let measured = serde_json::json!({
            "adapter": gpu.caps().name,
            "driver": gpu.caps().driver,
            "roof_gflops": roof.gflops,
            "copy_gbytes": roof.gbytes,
            "dispatch_us": 1e6 * roof.copy(0),
            "method": profile.method,
            "operations": rows,
        });
        replace(path, &serde_json::to_vec_pretty(&measured)?)?;
        say!("measurements: {}", path.display());
    }
    Ok(())
}

fn print(rows: &[Row], total: f64, method: &str) {
    say!("times by {method}; share: minimum time under the roofline / time; copy: time of an equal copy / time");
    say!(
        "{:28}  {:20}  {:>5}  {:>8}  {:>6}  {:>8}  {:>6}  {:>7}  {:>6}  {:>6}  kernel",
        "operation",
        "output",
        "calls",
        "ms",
        "time",
        "GFLOP/s",
        "GB/s",
        "FLOP/B",
        "share",
        "copy"
    );
    for p in rows {
        say!(
            "{:28}  {:20}  {:>5}  {:>8.3}  {:>5.1}%  {:>8.2}  {:>6.2}  {:>7.2}  {:>5.1}%  {:>5.0}%  {}",
            p.op,
            p.shape,
            p.calls,
            p.ms,
            100.0 * p.ms / total,
            p.gflops,
            p.gbytes,
            p.intensity,
            100.0 * p.share_of_roof,
            100.0 * p.share_of_copy,
            p.kernel
        );
    }
    say!("{:28}  {:20}  {:>5}  {total:>8.3}", "total", "", rows.iter().map(|p| p.calls).sum::<usize>());
}
