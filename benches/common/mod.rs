//! What the benchmarks share: a subject is recorded on a tape, compiled in each variant of its kernels, checked against
//! the f64 reference, and only then timed.
//!
//!     cargo bench --bench convolution                          every shape and variant
//!     cargo bench --bench convolution -- mnist                 those whose name contains it
//!     cargo bench --bench convolution -- --variant subgroup    one variant
//!     cargo bench --bench convolution -- --test                checked only, with a batch of 4

// Each benchmark uses a part of what is here.
#![allow(dead_code)]

pub mod networks;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use ign::gpu::{Commands, Cost, Gpu, Store};
use ign::native::{open, wait};
use ign::ops::{Compiled, compile, lower, variants};
use ign::tape::{Node, Source, Tape, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::time::{Duration, Instant};

/// What a subject's time is compared with.
#[derive(Clone, Copy)]
pub enum Rate {
    /// Arithmetic: criterion's "elements" are floating point operations.
    Flops,
    /// The bytes that the operation has to move.
    Bytes,
}

/// Records a subject for a batch of so many samples, and returns its outputs.
pub type Record<'a> = &'a dyn for<'t> Fn(&'t Tape, usize) -> ign::tape::Result<Vec<Var<'t>>>;

/// The benchmarks of one file.
pub struct Family<'c> {
    group: BenchmarkGroup<'c, WallTime>,
    gpu: Gpu,
    rate: Rate,
    variant: Option<String>,
}

/// Whether to check only, as criterion decides it.
pub fn testing() -> bool {
    let given = |flag: &str| std::env::args().any(|a| a == flag);
    given("--test") || !given("--bench")
}

/// Samples of a batch.
pub fn batch() -> usize {
    if testing() { 4 } else { 64 }
}

/// Runs `benchmarks` under criterion's command line, to which `--variant NAME` is added.
pub fn main(name: &str, rate: Rate, benchmarks: impl FnOnce(&mut Family<'_>)) {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|a| a == "--variant") {
        // Criterion refuses flags that it does not know, so it gets a process without this one.
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
    let variant = std::env::var(VARIANT).ok();
    benchmarks(&mut Family { group: criterion.benchmark_group(name), gpu, rate, variant });
    criterion.final_summary();
}

const VARIANT: &str = "IGN_VARIANT";

impl Family<'_> {
    /// A subject whose samples do not see each other, or are summed over the batch: the reference is asked for three of
    /// them, and the others are zero.
    pub fn samples(&mut self, name: &str, record: Record<'_>) {
        self.subject(name, 3, record);
    }

    /// Any other subject.
    pub fn batch(&mut self, name: &str, record: Record<'_>) {
        self.subject(name, batch(), record);
    }

    fn subject(&mut self, name: &str, samples: usize, record: Record<'_>) {
        let mut seen: Vec<String> = vec![];
        for (variant, caps) in variants(self.gpu.caps()) {
            if self.variant.as_ref().is_some_and(|wanted| *wanted != variant) {
                continue;
            }
            let gpu = self.gpu.with_caps(caps);
            let case = Case::new(&gpu, record, batch()).unwrap_or_else(|e| panic!("{name}, {variant}: {e}"));
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
                    wait(&gpu, gpu.idle()).unwrap_or_else(|e| panic!("{e}"));
                    start.elapsed()
                });
            });
        }
    }
}

/// A subject, compiled.
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
        let outputs = record(&tape, batch)?;
        let names: Vec<_> = (0..outputs.len()).map(|i| i.to_string()).collect();
        let named: Vec<_> = names.iter().map(String::as_str).zip(outputs).collect();
        let mut store = Store::new();
        for var in tape.all(is_state) {
            wait(gpu, store.set(gpu, &var.name(), &single(&contents(var))))?;
        }
        let commands = lower(&tape, gpu.caps(), &named)?.commands;
        let program = wait(gpu, compile(gpu, &store, &tape, &named))?;
        Ok(Self { gpu: gpu.clone(), batch, outputs: named.len(), commands, store, program })
    }

    /// What it costs at least.
    fn cost(&self) -> Cost {
        let costs = || self.commands.list().iter().map(|c| c.dispatch.cost);
        Cost { flops: costs().map(|c| c.flops).sum(), bytes: costs().map(|c| c.bytes).sum() }
    }

    /// Runs it once, and compares outputs and state with the reference, which gets the first, a zero, and the last
    /// sample where `samples` are less than the batch.
    fn check(&self, record: Record<'_>, samples: usize) -> Result<(), Box<dyn Error>> {
        let tape = Tape::new();
        let outputs = record(&tape, samples)?;
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
        let found = wait(&self.gpu, self.program.read(&names.iter().map(String::as_str).collect::<Vec<_>>()))?;
        for (var, found) in outputs.iter().zip(found) {
            let expected = expected.get(*var);
            let whole = if found.len() == expected.len() { expected.to_vec() } else { self.spread(expected, samples) };
            close(*var, &found, &whole)?;
        }
        let mut states = wait(&self.gpu, self.store.read(&self.gpu))?;
        for var in tape.all(is_state) {
            close(var, &states.remove(&var.name()).unwrap_or_default(), expected.get(var))?;
        }
        Ok(())
    }

    /// The first and the last of `samples`, and the second in all places between.
    fn spread(&self, data: &[f64], samples: usize) -> Vec<f64> {
        let one = data.len() / samples;
        let [first, middle, last] = [0, 1, samples - 1].map(|i| &data[i * one..(i + 1) * one]);
        [first, &middle.repeat(self.batch - 2), last].concat()
    }
}

fn is_state(node: &Node) -> bool {
    matches!(node.source, Source::State(_))
}

/// Random numbers, positive for state, some of which are variances.
fn contents(var: Var<'_>) -> Vec<f64> {
    let least = if is_state(&var.tape().nodes()[var.line()]) { 0.05 } else { -1.0 };
    let mut rng = ChaCha8Rng::seed_from_u64(var.line() as u64);
    (0..var.shape().elements()).map(|_| f64::from(rng.random_range(least..1.0f32))).collect()
}

fn single(data: &[f64]) -> Vec<f32> {
    data.iter().map(|&x| x as f32).collect()
}

/// Refuses f32 results that are further from the f64 reference than rounding explains.
fn close(var: Var<'_>, found: &[f32], expected: &[f64]) -> Result<(), Box<dyn Error>> {
    let tolerance = 1e-4 * expected.iter().fold(0.0f64, |m, x| m.max(x.abs())) + 1e-6;
    let off = found.iter().zip(expected).position(|(f, e)| f.is_nan() || (f64::from(*f) - e).abs() > tolerance);
    match off {
        _ if found.len() != expected.len() => Err(format!("{var:?} has {} elements", found.len()).into()),
        Some(i) => Err(format!("{var:?}: element {i} is {}, the reference says {}", found[i], expected[i]).into()),
        None => Ok(()),
    }
}
