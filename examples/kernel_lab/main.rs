//! A guided tour of one kernel, the matrix product, from the naive version to the version in this crate.
//!
//!     cargo run --release --example kernel_lab
//!
//! Each step is a WGSL file in this folder. Read the files in order, and run the example to measure each step on your
//! adapter.

#[macro_use]
#[path = "../support/say.rs"]
mod say;
mod lab;
#[path = "../support/options.rs"]
mod options;
mod steps;

use clap::Parser;
use ign::gpu::Gpu;
use ign::native::open;
use ign::native::roof::{Roof, seconds};
use lab::Product;
use std::error::Error;
use std::time::Instant;
use steps::{STEPS, Step};

/// Checks each step of the tour against an f64 reference, times it, and compares it with the adapter's peak arithmetic.
#[derive(Parser)]
struct Arguments {
    /// Number of rows and columns of the matrices: a multiple of 64, on some adapters of 128 or more. From 64 to 4096.
    #[arg(long, value_parser = options::whole::<u32>(64..=4096), default_value_t = 512)]
    size: u32,
    /// Print only the table.
    #[arg(long)]
    brief: bool,
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
    let gpu = open(arguments.adapter.as_deref())?;
    say!("{}", gpu.caps());
    let lanes = gpu.caps().subgroup;
    let size = arguments.size;
    let tiles = STEPS.iter().filter(|step| step.runs(gpu.caps())).flat_map(|step| (step.tile)(lanes.unwrap_or(1)));
    let multiple = tiles.max().unwrap_or(1);
    if !size.is_multiple_of(multiple) {
        return Err(format!("--size is {size}; on this adapter it must be a multiple of {multiple}").into());
    }

    let roof = Roof::measure(&gpu)?;
    let product = Product::new(size as usize, 0..size as usize);
    let mut table = vec![];
    for (i, step) in STEPS.iter().enumerate() {
        if !step.runs(gpu.caps()) {
            table.push(format!("{} {:18} {}", i + 1, step.name, steps::NEEDS));
            continue;
        }
        if !arguments.brief {
            say!("\n{}", step.text());
        }
        table.push(format!("{} {}", i + 1, measure(&gpu, step, &product, &roof)?));
    }
    say!(
        "\n{size} × {size} × {size}, roof {:.0} GFLOP/s. Loads and shuffles per 100 multiply-adds:\n  {:18} {:>7} {:>10} {:>9} {:>10} {:>10} {:>8} {:>7}",
        roof.gflops,
        "step",
        "loads",
        "workgroup",
        "shuffles",
        "compile s",
        "ms",
        "GFLOP/s",
        "roof"
    );
    table.iter().for_each(|row| say!("{row}"));
    Ok(())
}

/// Compiles, checks and times a step. Returns its row of the table.
fn measure(gpu: &Gpu, step: &Step, product: &Product, roof: &Roof) -> Result<String, Box<dyn Error>> {
    let start = Instant::now();
    let (program, _) = gpu.wait(lab::checked(gpu, step, product))?;
    let compiled = start.elapsed().as_secs_f64();
    let best = seconds(gpu, &program)?;
    let gflops = product.cost().flops as f64 / best / 1e9;
    let counts = (step.counts)(gpu.caps().subgroup.unwrap_or(1));
    let share = |count: f64| 100.0 * count / counts.multiply_adds;
    Ok(format!(
        "{:18} {:>7.1} {:>10.1} {:>9.1} {compiled:>10.2} {:>10.2} {gflops:>8.1} {:>6.1}%",
        step.name,
        share(counts.loads),
        share(counts.workgroup_loads),
        share(counts.shuffles),
        1e3 * best,
        100.0 * gflops / roof.gflops
    ))
}
