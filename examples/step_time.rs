//! Times a whole training step and compares it with the peak arithmetic of the adapter, measured in the same run.
//!
//!     cargo run --release --example step_time -- --width 32 --batch 64

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/options.rs"]
mod options;
#[path = "support/step.rs"]
mod step;

use clap::Parser;
use ign::files::replace;
use ign::native::roof::Roof;
use ign::run::check_results;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Times a training step: three applications of the network, their backward passes, and Adam.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: step::Settings,
    /// Number of timed steps after the first. From 1 to 1000000.
    #[arg(long, value_parser = options::whole::<usize>(1..=1_000_000), default_value_t = 10)]
    steps: usize,
    /// Also print the times of the operations of one step.
    #[arg(long)]
    profile: bool,
    /// File for the measurements, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Adapter, by its index or a part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() {
    say::without_display();
    if let Err(error) = run(options::parse()) {
        note!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    if let Some(path) = &arguments.json {
        check_results(&[], &[path])?;
    }
    let gpu = step::open(&arguments.settings, arguments.adapter.as_deref())?;
    say!("{}", gpu.caps());
    let settings = &arguments.settings;
    let step = step::prepare(&gpu, settings)?;
    let first = start.elapsed().as_secs_f64();

    let made = gpu.objects_made();
    let step::Times { median, best, host } = step::times(&gpu, &step, arguments.steps)?;
    let made = gpu.objects_made() - made;
    let roof = Roof::measure(&gpu)?;

    let program = step.program();
    let gflops = settings.flops() / median / 1e9;
    let memory = program.memory();
    let parameters: usize = settings.layers().parameters().iter().map(|p| p.shape.elements()).sum();
    let measured = serde_json::json!({
        "adapter": gpu.caps().name,
        "driver": gpu.caps().driver,
        "network": format!("{:?}", settings.network).to_lowercase(),
        "width": settings.width,
        "batch": settings.batch,
        "parameters": parameters,
        "macs": settings.macs(),
        "dispatches": program.program().dispatches(),
        "first_step_s": first,
        "median_ms": 1e3 * median,
        "best_ms": 1e3 * best,
        "host_ms": 1e3 * host,
        "gflops": gflops,
        "roof_gflops": roof.gflops,
        "share_of_roof": gflops / roof.gflops,
        "copy_gbytes": roof.gbytes,
        "planned_bytes": memory.planned,
        "lower_bound_bytes": memory.lower_bound,
        "objects_made_after_first_step": made,
    });
    say!("{}", serde_json::to_string_pretty(&measured)?);
    say!(
        "{:.0} ms per step (best {:.0}), {gflops:.1} GFLOP/s, {:.1} % of the {:.0} GFLOP/s roof; first step after {first:.1} s",
        1e3 * median,
        1e3 * best,
        100.0 * gflops / roof.gflops,
        roof.gflops
    );
    say!("memory: {memory}");
    if let Some(path) = arguments.json {
        replace(&path, &serde_json::to_vec_pretty(&measured)?)?;
        say!("written to {}", path.display());
    }
    if arguments.profile {
        say!("{}", program.blocking_profile()?);
    }
    Ok(())
}
