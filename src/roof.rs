//! What an adapter can do at most, measured with kernels made for it: the roof that other kernels are compared with.

use crate::gpu::{Caps, Command, Commands, Constant, Cost, Dispatch, Gpu, GpuError, Kernel, Place, Program, Store};
use crate::native::wait;
use crate::{params, shader};
use std::time::{Duration, Instant};

/// The roof of an adapter.
#[derive(Clone, Copy, Debug)]
pub struct Roof {
    /// Multiply-adds in registers, GFLOP/s, each counting two.
    pub gflops: f64,
    /// A copy between two large buffers, GB/s, reading and writing both counted.
    pub gbytes: f64,
    /// Seconds of a dispatch that copies next to nothing, and of copies of ever more bytes, each timed as a profile does.
    copies: [f64; COPIES],
}

params! {
    struct RoofParams { elements: u32, factor: f32 }
}

const WORKGROUP: u32 = 64;

impl Roof {
    /// Measures `gpu`, the best of several runs of at least some hundredths of a second each.
    pub fn measure(gpu: &Gpu) -> Result<Self, GpuError> {
        let [arithmetic, copy] = commands(gpu.caps()).map(|c| wait(gpu, Program::new(gpu, &c, &Store::new())));
        let flops = 2 * MULTIPLY_ADDS * ROUNDS as usize * invocations(gpu.caps());
        Ok(Self {
            gflops: flops as f64 / seconds(gpu, &arithmetic?)? / 1e9,
            gbytes: (32 * VECTORS) as f64 / seconds(gpu, &copy?)? / 1e9,
            copies: copies(gpu)?,
        })
    }

    /// Seconds of a dispatch that reads and writes so many bytes together, by itself and timed as a profile does: what
    /// starting it and waiting for it costs included.
    pub fn copy(&self, bytes: u64) -> f64 {
        let size = |i: usize| f64::from(SMALLEST) * f64::from(GROWTH).powi(i as i32);
        let above = (1..COPIES - 1).find(|&i| size(i) >= bytes as f64).unwrap_or(COPIES - 1);
        let (low, high) = (self.copies[above - 1], self.copies[above]);
        let share = (bytes as f64 - size(above - 1)) / (size(above) - size(above - 1));
        low + share.max(0.0) * (high - low)
    }
}

/// Bytes that the smallest copy moves, the factor from one to the next, and how many there are.
const SMALLEST: u32 = 1 << 11;
const GROWTH: u32 = 4;
const COPIES: usize = 9;
/// Runs of each, of which the median counts.
const RUNS: usize = 15;

fn copies(gpu: &Gpu) -> Result<[f64; COPIES], GpuError> {
    let mut medians = [0.0; COPIES];
    let mut vectors = SMALLEST as usize / 32;
    for median in &mut medians {
        let program = wait(gpu, Program::new(gpu, &copy(vectors), &Store::new()))?;
        let profiles: Vec<_> = (0..RUNS).map(|_| wait(gpu, program.profile())).collect::<Result<_, _>>()?;
        let mut times: Vec<_> = profiles.iter().map(|p| p.total()).collect();
        times.sort();
        *median = times[RUNS / 2].as_secs_f64();
        vectors *= GROWTH as usize;
    }
    Ok(medians)
}

fn copy(vectors: usize) -> Commands {
    dispatch("copy", vectors, &[("x4", 4 * vectors), ("y4", 4 * vectors)])
}

/// Rounds of an invocation, and multiply-adds of a round: 8 times 12 accumulators.
const ROUNDS: u32 = 256;
const MULTIPLY_ADDS: usize = 8 * 12;
/// Vectors of four that are copied: 64 MiB, more than caches hold.
const VECTORS: usize = 1 << 22;

fn invocations(caps: &Caps) -> usize {
    if caps.software { 1 << 12 } else { 1 << 20 }
}

/// What is measured on an adapter with `caps`: multiply-adds, and a copy.
pub fn commands(caps: &Caps) -> [Commands; 2] {
    let n = invocations(caps);
    [dispatch("multiply_add", n, &[("y", n)]), copy(VECTORS)]
}

fn dispatch(entry: &'static str, elements: usize, buffers: &[(&'static str, usize)]) -> Commands {
    let constants = [Constant::U32("WORKGROUP", WORKGROUP), Constant::U32("ROUNDS", ROUNDS)];
    let sources = [shader!("shared/grid.wgsl"), shader!("shared/element.wgsl"), shader!("roof.wgsl")];
    let mut commands = Commands::default();
    let dispatch = Dispatch {
        kernel: Kernel::new(&sources, entry, &constants),
        bindings: buffers.iter().map(|&(name, size)| (name, commands.value(name, size, Place::Host))).collect(),
        // A fixed point of x·f + f near 1 keeps the sums finite.
        params: RoofParams { elements: elements as u32, factor: 0.5 }.into(),
        workgroups: elements.div_ceil(WORKGROUP as usize) as u64,
        cost: Cost::default(),
    };
    commands.push(Command { line: 0, op: entry, shape: format!("[{elements}]"), what: entry.into(), dispatch });
    commands
}

/// Seconds of the fastest run of a program. Runs are grouped so that a group lasts long enough for the clock.
pub fn seconds(gpu: &Gpu, program: &Program) -> Result<f64, GpuError> {
    let time = |runs: u32| -> Result<Duration, GpuError> {
        let start = Instant::now();
        (0..runs).try_for_each(|_| program.run())?;
        wait(gpu, gpu.idle())?;
        Ok(start.elapsed())
    };
    time(1)?;
    let mut runs = 1;
    while time(runs)? < Duration::from_millis(20) && runs < 1 << 16 {
        runs *= 2;
    }
    let times = (0..5).map(|_| time(runs)).collect::<Result<Vec<_>, _>>()?;
    Ok(times.into_iter().min().unwrap_or_default().as_secs_f64() / f64::from(runs))
}
