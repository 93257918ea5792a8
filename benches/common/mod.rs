//! Shared code of the benchmarks. A subject is recorded on a tape, compiled with each variant of its kernels, checked
//! against the f64 reference, and only then timed.
//!
//!     cargo bench --bench convolution                          all shapes and variants
//!     cargo bench --bench convolution -- mnist                 names that contain "mnist"
//!     cargo bench --bench convolution -- --variant subgroup    one variant
//!     cargo bench --bench convolution -- --test                checks only, with a batch of 4

// Each benchmark uses only a part of this module.
#![allow(dead_code)]

pub mod networks;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use ign::compile::{Compiled, blocking_compile, lower};
use ign::gpu::{Commands, Cost, Gpu, Store};
use ign::native::open;
use ign::ops::blocking_variants;
use ign::tape::{Node, Source, Tape, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::time::{Duration, Instant};

/// Quantity for the throughput of a subject.
#[derive(Clone, Copy)]
pub enum Rate {
    /// Arithmetic. Criterion's "elements" are floating-point operations.
    Flops,
    /// Minimum memory traffic of the operation, in bytes.
    Bytes,
}

/// Records a subject with the given batch size, and returns its outputs.
pub type Record<'a> = &'a dyn for<'t> Fn(&'t Tape, usize) -> Vec<Var<'t>>;

/// The benchmarks of one file.
pub struct Family<'c> {
    group: BenchmarkGroup<'c, WallTime>,
    variants: Vec<(&'static str, Gpu)>,
    rate: Rate,
}

/// Whether to check only. The rule is that of criterion.
pub fn testing() -> bool {
    let given = |flag: &str| std::env::args().any(|a| a == flag);
    given("--test") || !given("--bench")
}

/// Batch size.
pub fn batch() -> usize {
    if testing() { 4 } else { 64 }
}

/// Runs `benchmarks` with criterion's command line and the additional option `--variant NAME`.
pub fn main(name: &str, rate: Rate, benchmarks: impl FnOnce(&mut Family<'_>)) {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|a| a == "--variant") {
        // Criterion refuses unknown options, so the benchmark runs again in a new process without this option.
        let variant = arguments.drain(at..(at + 2).min(arguments.len())).nth(1).expect("--variant needs a name");
        let this = std::env::current_exe().expect("a running program has a path");
        let status = std::process::Command::new(this).args(arguments).env(VARIANT, variant).status();
        std::process::exit(status.ok().and_then(|s| s.code()).unwrap_or(1));
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    let gpu = open(None).expect("benchmarks need an adapter");
    println!("{}", gpu.caps());
    let mut variants = blocking_variants(&gpu).expect("the adapter has kernels");
    if let Ok(wanted) = std::env::var(VARIANT) {
        let names: Vec<_> = variants.iter().map(|(name, _)| *name).collect();
        variants.retain(|(name, _)| *name == wanted);
        if variants.is_empty() {
            eprintln!("error: --variant is `{wanted}`; this adapter can run {names:?}");
            std::process::exit(1);
        }
    }
    benchmarks(&mut Family { group: criterion.benchmark_group(name), variants, rate });
    criterion.final_summary();
}

/// Environment variable that passes `--variant` to the new process.
const VARIANT: &str = "IGN_VARIANT";

impl Family<'_> {
    /// Benchmarks a subject whose samples are independent or summed over the batch. The reference computes three
    /// samples, the second of which is zero. All samples of the batch except the first and the last are zero too.
    pub fn samples(&mut self, name: &str, record: Record<'_>) {
        self.subject(name, 3, record);
    }

    /// Benchmarks any other subject. The reference computes the whole batch.
    pub fn batch(&mut self, name: &str, record: Record<'_>) {
        self.subject(name, batch(), record);
    }

    fn subject(&mut self, name: &str, samples: usize, record: Record<'_>) {
        let mut seen: Vec<String> = vec![];
        for (variant, gpu) in &self.variants {
            let case = Case::new(gpu, record, batch()).unwrap_or_else(|e| panic!("{name}, {variant}: {e}"));
            let kernels: String = case.commands.kernels().iter().map(|k| k.describe()).collect();
            if seen.contains(&kernels) {
                continue;
            }
            seen.push(kernels);
            case.check(record, samples).unwrap_or_else(|e| panic!("{name}, {variant}: {e}"));
            let cost = case.cost();
            self.group.throughput(match self.rate {
                Rate::Flops => Throughput::Elements(cost.flops),
                Rate::Bytes => Throughput::Bytes(cost.bytes),
            });
            self.group.bench_function(format!("{name}/{variant}"), |b| {
                b.iter_custom(|runs| {
                    let start = Instant::now();
                    (0..runs).for_each(|_| case.program.run().unwrap_or_else(|e| panic!("{e}")));
                    gpu.blocking_idle().unwrap_or_else(|e| panic!("{e}"));
                    start.elapsed()
                });
            });
        }
    }
}

/// A compiled subject.
struct Case {
    gpu: Gpu,
    batch: usize,
    outputs: usize,
    commands: Commands,
    store: Store,
    program: Compiled,
}

impl Case {
    fn new(gpu: &Gpu, record: Record<'_>, batch: usize) -> Result<Self, Box<dyn Error>> {
        let tape = Tape::new();
        let outputs = record(&tape, batch);
        let names: Vec<_> = (0..outputs.len()).map(|i| i.to_string()).collect();
        let named: Vec<_> = names.iter().map(String::as_str).zip(outputs).collect();
        let mut store = Store::new();
        for var in tape.all(is_state) {
            store.blocking_set(gpu, &var.name(), &single(&contents(var)))?;
        }
        let commands = lower(&tape, gpu.caps(), &named)?.commands;
        let program = blocking_compile(gpu, &store, &tape, &named)?;
        Ok(Self { gpu: gpu.clone(), batch, outputs: named.len(), commands, store, program })
    }

    /// Minimum cost.
    fn cost(&self) -> Cost {
        let costs = || self.commands.list().iter().map(|c| c.dispatch.cost);
        Cost { flops: costs().map(|c| c.flops).sum(), bytes: costs().map(|c| c.bytes).sum() }
    }

    /// Runs the program once, and compares outputs and state with the reference. If `samples` is smaller than the
    /// batch, the reference computes the first sample, zero samples, and the last sample.
    fn check(&self, record: Record<'_>, samples: usize) -> Result<(), Box<dyn Error>> {
        let tape = Tape::new();
        let outputs = record(&tape, samples);
        let mut feeds = vec![];
        for var in tape.all(|node| is_state(node) || matches!(node.source, Source::Input(_))) {
            let mut data = contents(var);
            if !is_state(&tape.nodes()[var.line()]) {
                let per_sample = samples < self.batch && var.shape().batch() == samples;
                if per_sample {
                    let one = data.len() / samples;
                    data[one..(samples - 1) * one].fill(0.0);
                }
                let whole = if per_sample { self.spread(&data, samples) } else { data.clone() };
                self.program.write(&var.name(), &single(&whole))?;
            }
            feeds.push((var, data));
        }
        let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        let expected = tape.interpret(&slices)?;
        self.program.run()?;
        let names: Vec<_> = (0..self.outputs).map(|i| i.to_string()).collect();
        let found = self.program.blocking_read(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        for (var, found) in outputs.iter().zip(found) {
            let expected = expected.get(*var);
            let whole = if found.len() == expected.len() { expected.to_vec() } else { self.spread(expected, samples) };
            close(*var, &found, &whole)?;
        }
        let mut states = self.store.blocking_read(&self.gpu)?;
        for var in tape.all(is_state) {
            let found = states.remove(&var.name()).ok_or_else(|| format!("{var:?} is not in the store"))?;
            close(var, &found, expected.get(var))?;
        }
        Ok(())
    }

    /// Extends `samples` samples to a batch: the first, copies of the second, and the last.
    fn spread(&self, data: &[f64], samples: usize) -> Vec<f64> {
        let one = data.len() / samples;
        let [first, middle, last] = [0, 1, samples - 1].map(|i| &data[i * one..(i + 1) * one]);
        [first, &middle.repeat(self.batch - 2), last].concat()
    }
}

fn is_state(node: &Node) -> bool {
    matches!(node.source, Source::State(_))
}

/// Random contents of a variable. State is positive, because some states are variances.
fn contents(var: Var<'_>) -> Vec<f64> {
    let least = if is_state(&var.tape().nodes()[var.line()]) { 0.05 } else { -1.0 };
    let mut rng = ChaCha8Rng::seed_from_u64(var.line() as u64);
    (0..var.shape().elements()).map(|_| f64::from(rng.random_range(least..1.0f32))).collect()
}

fn single(data: &[f64]) -> Vec<f32> {
    data.iter().map(|&x| x as f32).collect()
}

/// Fails if the f32 results differ from the f64 reference by more than the rounding error.
fn close(var: Var<'_>, found: &[f32], expected: &[f64]) -> Result<(), Box<dyn Error>> {
    let tolerance = 1e-4 * expected.iter().fold(0.0f64, |m, x| m.max(x.abs())) + 1e-6;
    let off = found.iter().zip(expected).position(|(f, e)| f.is_nan() || (f64::from(*f) - e).abs() > tolerance);
    match off {
        _ if found.len() != expected.len() => Err(format!("{var:?} has {} elements", found.len()).into()),
        Some(i) => Err(format!("{var:?}: element {i} is {}, expected {}", found[i], expected[i]).into()),
        None => Ok(()),
    }
}
