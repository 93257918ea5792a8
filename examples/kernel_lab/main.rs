//! A guided tour of one kernel, the matrix product, from the naive version to the version in this crate.
//!
//!     cargo run --release --example kernel_lab
//!
//! Each step is a WGSL file in this folder. Read the files in order, and run the example to measure each step on your
//! adapter.

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/options.rs"]
mod options;
mod steps;

use clap::Parser;
use ign::gpu::{Command, Commands, Cost, Dispatch, Gpu, Kernel, Place, Program, Specialisation, Store, ValueId};
use ign::native::open;
use ign::native::roof::{Roof, seconds};
use rand::{RngExt, SeedableRng};
use std::error::Error;
use std::time::Instant;
use steps::{STEPS, Step};

/// Checks each step of the tour against an f64 reference, times it, and compares it with the adapter's peak arithmetic.
#[derive(Parser)]
struct Arguments {
    /// Number of rows and columns of the matrices. From 1 to 4096.
    #[arg(long, value_parser = options::whole::<u32>(1..=4096), default_value_t = 512)]
    size: u32,
    /// Print only the table.
    #[arg(long)]
    brief: bool,
    /// Adapter, by its index or a part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

ign::params! {
    struct Params { rows: u32, columns: u32, steps: u32 }
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
    let runs = |step: &&Step| !step.subgroup || lanes.is_some();
    let tiles = STEPS.iter().filter(runs).flat_map(|step| (step.tile)(lanes.unwrap_or(1)));
    let multiple = tiles.max().unwrap_or(1);
    if !size.is_multiple_of(multiple) {
        return Err(format!("--size is {size}; on this adapter it must be a multiple of {multiple}").into());
    }

    let roof = Roof::measure(&gpu)?;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let [a, b] = [(); 2].map(|()| (0..size * size).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>());
    let expected = reference(size as usize, &a, &b);
    let mut table = vec![];
    for (i, step) in STEPS.iter().enumerate() {
        if !runs(&step) {
            table.push(format!("{} {:18} needs subgroup operations with a fixed size", i + 1, step.name));
            continue;
        }
        if !arguments.brief {
            say!("\n{}", step.text());
        }
        table.push(format!("{} {}", i + 1, measure(&gpu, step, size, &a, &b, &expected, &roof)?));
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

/// The product C in f64.
fn reference(n: usize, a: &[f32], b: &[f32]) -> Vec<f64> {
    let mut c = vec![0.0; n * n];
    for (row, c) in c.chunks_mut(n).enumerate() {
        for (k, b) in b.chunks(n).enumerate() {
            let a = f64::from(a[row * n + k]);
            c.iter_mut().zip(b).for_each(|(c, &b)| *c += a * f64::from(b));
        }
    }
    c
}

/// Compiles, checks and times a step. Returns its row of the table.
fn measure(
    gpu: &Gpu,
    step: &Step,
    size: u32,
    a: &[f32],
    b: &[f32],
    expected: &[f64],
    roof: &Roof,
) -> Result<String, Box<dyn Error>> {
    let start = Instant::now();
    let lanes = gpu.caps().subgroup.unwrap_or(1);
    let (commands, [a_id, b_id, c_id]) = commands(step, size, lanes);
    let program = Program::blocking_new(gpu, &commands, &Store::new())?;
    program.write(a_id, a)?;
    program.write(b_id, b)?;
    program.run()?;
    let found = program.blocking_read(&[c_id])?.remove(0);
    let compiled = start.elapsed().as_secs_f64();
    let off = found.iter().zip(expected).position(|(f, e)| f.is_nan() || (f64::from(*f) - e).abs() > 1e-3);
    if let Some(i) = off {
        let (name, found, expected) = (step.name, found[i], expected[i]);
        return Err(format!("{name}: element {i} is {found}, expected {expected}").into());
    }

    let best = seconds(gpu, &program)?;
    let gflops = 2.0 * f64::from(size).powi(3) / best / 1e9;
    let counts = (step.counts)(lanes);
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

/// The dispatches of a step, and the values A, B and C.
fn commands(step: &Step, size: u32, lanes: u32) -> (Commands, [ValueId; 3]) {
    let mut commands = Commands::default();
    let elements = (size * size) as usize;
    let [a, b, c, panels] = ["a", "b", "c", "panels"].map(|name| commands.value(name, elements, Place::Host));
    let mut dispatch = |entry, bindings: &[(&'static str, ValueId)], workgroups: u32| {
        let lanes = if step.subgroup { vec![Specialisation::U32(Dispatch::LANES, lanes)] } else { vec![] };
        let kernel = Kernel::new(&[step.source], entry, &lanes);
        let params = Params { rows: size, columns: size, steps: size }.into();
        let (bindings, workgroups, cost) = (bindings.to_vec(), workgroups.into(), Cost::default());
        // No step takes more than four turns of its loops per step of the inner axis.
        let turns = 4 * u64::from(size);
        let dispatch = Dispatch { kernel, bindings, params, workgroups, turns, cost };
        let command = Command { line: 0, op: entry, shape: String::new(), what: step.name.into(), dispatch };
        // SAFETY: the size is a multiple of every tile, so every index stays within its matrix or tile. All loops end,
        // no divisor is zero, and workgroup memory is written before it is read.
        unsafe { commands.push_unchecked(command) };
    };
    let [rows, columns] = (step.tile)(lanes);
    let workgroups = size / rows * (size / columns);
    if step.packed {
        // The time of a step includes packing, because the product needs it.
        dispatch("pack", &[("a", a), ("packed", panels)], size * (size / rows) / 64);
    }
    let left = if step.packed { ("panels", panels) } else { ("a", a) };
    dispatch("product", &[left, ("b", b), ("c", c)], workgroups);
    (commands, [a, b, c])
}
