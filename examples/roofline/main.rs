//! Places every operation of a training step under the roof of the adapter, both measured in this run.
//!
//!     cargo run --release --example roofline -- --width 32 --batch 64

mod drawing;
#[path = "../support/step.rs"]
mod step;

use clap::Parser;
use ign::gpu::ProfileRow;
use ign::native::{open, wait};
use ign::ops::variants;
use ign::roof::Roof;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;

/// Measures arithmetic and bandwidth with kernels made for it, times every operation of a training step, and says which
/// share of its roof each reaches: min(arithmetic, bandwidth × arithmetic intensity).
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: step::Settings,
    /// Steps to profile; the median of each operation counts.
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// The kernels of another kind of adapter: subgroup, direct, workgroup or workgroup-subgroup.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The drawing to write.
    #[arg(long, value_name = "FILE", default_value = "roofline.svg")]
    svg: PathBuf,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The adapter, by index or part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

/// An operation under the roof.
#[derive(Serialize)]
struct Point {
    op: String,
    shape: String,
    kernel: String,
    calls: usize,
    ms: f64,
    gflops: f64,
    gbytes: f64,
    /// Floating point operations a byte.
    intensity: f64,
    share_of_roof: f64,
    /// The time of copies of as many bytes, by as many dispatches of their own, over the time.
    share_of_copy: f64,
}

impl Point {
    fn new(row: &ProfileRow, roof: &Roof) -> Self {
        let [op, shape, kernel] = row.key.clone();
        let intensity = row.cost.flops as f64 / row.cost.bytes.max(1) as f64;
        // What counts is the time that the slower of the two takes at least.
        let least = (row.cost.flops as f64 / roof.gflops).max(row.cost.bytes as f64 / roof.gbytes) / 1e9;
        Self {
            op,
            shape,
            kernel,
            calls: row.calls,
            ms: 1e3 * row.time.as_secs_f64(),
            gflops: row.gflops(),
            gbytes: row.gbytes(),
            intensity,
            share_of_roof: least / row.time.as_secs_f64().max(1e-9),
            share_of_copy: row.calls as f64 * roof.copy(row.cost.bytes / row.calls.max(1) as u64)
                / row.time.as_secs_f64().max(1e-9),
        }
    }
}

fn main() {
    if let Err(error) = run(Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut gpu = open(arguments.adapter.as_deref())?;
    if let Some(wanted) = &arguments.variant {
        let known = variants(gpu.caps());
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let found = known.iter().find(|(name, _)| name == wanted);
        let (_, caps) = found.ok_or_else(|| format!("--variant is `{wanted}`; this adapter can run {names:?}"))?;
        gpu = gpu.with_caps(caps.clone());
    }
    println!("{}", gpu.caps());
    let program = step::prepare(&gpu, &arguments.settings)?;
    let mut profiles = vec![];
    for _ in 0..arguments.steps.max(1) {
        profiles.push(wait(&gpu, program.profile())?);
    }
    // Every dispatch's median over the steps, so that an interruption of one does not count.
    let mut profile = profiles[0].clone();
    for (i, dispatch) in profile.dispatches.iter_mut().enumerate() {
        let mut times: Vec<_> = profiles.iter().map(|p| p.dispatches[i].time).collect();
        times.sort();
        dispatch.time = times[times.len() / 2];
    }
    let roof = Roof::measure(&gpu)?;
    println!(
        "roof: {:.1} GFLOP/s, {:.2} GB/s; ridge at {:.1} FLOP/B",
        roof.gflops,
        roof.gbytes,
        roof.gflops / roof.gbytes
    );
    let copies = [0, 100_000, 1_000_000, 10_000_000].map(|bytes| 1e6 * roof.copy(bytes));
    println!("a dispatch that copies next to nothing, 0.1, 1 and 10 MB, timed as those below: {copies:.0?} µs");

    let points: Vec<_> = profile.by_shape().iter().map(|row| Point::new(row, &roof)).collect();
    print(&points, 1e3 * profile.total().as_secs_f64(), profile.method);
    let title = format!(
        "{:?}, width {}, batch {} on {}",
        arguments.settings.network(),
        arguments.settings.width,
        arguments.settings.batch,
        gpu.caps().name
    );
    std::fs::write(&arguments.svg, drawing::svg(&title, &roof, &points))?;
    println!("drawing: {}", arguments.svg.display());
    if let Some(path) = &arguments.json {
        let figures = serde_json::json!({
            "adapter": gpu.caps().name,
            "driver": gpu.caps().driver,
            "roof_gflops": roof.gflops,
            "copy_gbytes": roof.gbytes,
            "dispatch_us": 1e6 * roof.copy(0),
            "method": profile.method,
            "operations": points,
        });
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
        println!("figures: {}", path.display());
    }
    Ok(())
}

fn print(points: &[Point], total: f64, method: &str) {
    println!("times by {method}; share is that of the operation's roof, copy that of a copy of as many bytes");
    println!(
        "{:28}  {:20}  {:>5}  {:>8}  {:>6}  {:>8}  {:>6}  {:>7}  {:>6}  {:>6}  kernel",
        "operation", "output", "calls", "ms", "time", "GFLOP/s", "GB/s", "FLOP/B", "share", "copy"
    );
    for p in points {
        println!(
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
    println!("{:28}  {:20}  {:>5}  {total:>8.3}", "together", "", points.iter().map(|p| p.calls).sum::<usize>());
}
