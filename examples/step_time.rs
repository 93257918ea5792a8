//! Times a whole training step beside the roof of the adapter, both measured in this run.
//!
//!     cargo run --release --example step_time -- --width 32 --batch 64

use clap::{Parser, ValueEnum};
use ign::gpu::{GpuError, Store};
use ign::ign::{Clamp, Distance, Network, Objective, PREFIXES};
use ign::native::{open, wait};
use ign::nn::Adam;
use ign::ops::compile;
use ign::roof::Roof;
use ign::tape::Tape;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Times a training step: three applications, three backward walks, Adam.
#[derive(Parser)]
struct Arguments {
    /// The network.
    #[arg(long, default_value = "mnist")]
    network: Choice,
    /// Its width.
    #[arg(long, default_value_t = 32)]
    width: usize,
    /// Images of a batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Steps to time after the first.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// Also print the time of every operation of one step.
    #[arg(long)]
    profile: bool,
    /// Write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The adapter, by index or part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Mnist,
    Faces,
}

fn main() {
    if let Err(error) = run(Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let gpu = open(arguments.adapter.as_deref())?;
    let network = match arguments.network {
        Choice::Mnist => Network::Mnist,
        Choice::Faces => Network::Faces,
    };
    let layers = network.layers(arguments.width);
    let adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };

    let tape = Tape::new();
    let objective = Objective { distance: Distance::Mse, clamp: Clamp::None };
    let step = objective.record(&tape, &layers, arguments.batch, network.image())?;
    adam.record(&tape, &step.parameters, &step.total)?;
    let mut store = Store::new();
    for (name, contents) in layers.initialise(1, &PREFIXES).into_iter().chain(Adam::initial(&step.parameters)) {
        wait(&gpu, store.set(&gpu, &name, &contents))?;
    }
    let program = wait(&gpu, compile(&gpu, &store, &tape, &[("rec", step.losses[0])]))?;
    let elements = step.x.shape().elements();
    let image = |offset: usize| (0..elements).map(|i| (((i * 7919 + offset) % 200) as f32) / 100.0 - 1.0).collect();
    let (x, z): (Vec<f32>, Vec<f32>) = (image(0), image(31));
    program.write("x", &x)?;
    program.write("z", &z)?;
    program.write(Objective::WEIGHTS, &[1.0, 1.0, 0.1])?;
    let run = |t: u64| -> Result<(f64, f64), GpuError> {
        let start = Instant::now();
        program.write(Adam::RATES, &adam.rates(t))?;
        program.run()?;
        let host = start.elapsed().as_secs_f64();
        wait(&gpu, gpu.idle())?;
        Ok((start.elapsed().as_secs_f64(), host))
    };
    run(1)?;
    let first = start.elapsed().as_secs_f64();
    let made = gpu.objects_made();
    let mut times = vec![];
    for t in 0..arguments.steps.max(1) {
        times.push(run(t as u64 + 2)?);
    }
    let made = gpu.objects_made() - made;
    let roof = Roof::measure(&gpu)?;

    let hosts: Vec<f64> = times.iter().map(|t| t.1).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let step_time = median(times.iter().map(|t| t.0).collect());
    let best = times.iter().map(|t| t.0).fold(f64::INFINITY, f64::min);
    let macs = layers.macs(network.image());
    let flops = 9.0 * 2.0 * macs as f64 * arguments.batch as f64;
    let parameters: usize = layers.parameters().iter().map(|p| p.shape.elements()).sum();
    let memory = program.memory();
    let figures = serde_json::json!({
        "adapter": gpu.caps().name,
        "driver": gpu.caps().driver,
        "network": format!("{network:?}").to_lowercase(),
        "width": arguments.width,
        "batch": arguments.batch,
        "parameters": parameters,
        "macs": macs,
        "dispatches": program.program().dispatches(),
        "first_step_s": first,
        "median_ms": 1e3 * step_time,
        "best_ms": 1e3 * best,
        "host_ms": 1e3 * median(hosts),
        "gflops": flops / step_time / 1e9,
        "roof_gflops": roof.gflops,
        "share_of_roof": flops / step_time / 1e9 / roof.gflops,
        "copy_gbytes": roof.gbytes,
        "planned_bytes": memory.planned,
        "lower_bound_bytes": memory.lower_bound,
        "objects_made_after_first_step": made,
    });
    println!("{}", gpu.caps());
    println!("{}", serde_json::to_string_pretty(&figures)?);
    println!(
        "{:.0} ms a step, {:.1} % of the {:.0} GFLOP/s roof; first step after {first:.1} s; memory {memory}",
        1e3 * step_time,
        100.0 * flops / step_time / 1e9 / roof.gflops,
        roof.gflops
    );
    if let Some(path) = arguments.json {
        std::fs::write(&path, serde_json::to_vec_pretty(&figures)?)?;
        println!("written to {}", path.display());
    }
    if arguments.profile {
        println!("{}", wait(&gpu, program.profile())?);
    }
    Ok(())
}
