//! Peak arithmetic and bandwidth of an adapter, measured with kernels written for this purpose: the roofs of the
//! roofline.

use crate::gpu::{
    Caps, Command, Commands, Cost, Dispatch, Gpu, GpuError, Kernel, Place, Program, Specialisation, Store,
};
use crate::{params, shader};
use std::time::{Duration, Instant};

/// Peak performance of an adapter.
#[derive(Clone, Copy, Debug)]
pub struct Roof {
    /// Rate of multiply-adds in registers, in GFLOP/s. A multiply-add counts as two operations.
    pub gflops: f64,
    /// Bandwidth of a copy between two large buffers, in GB/s. Reads and writes both count.
    pub gbytes: f64,
    /// Median time of single copies of growing size, in seconds, timed like the dispatches of a profile.
    copies: [f64; COPIES],
}

params! {
    struct RoofParams { elements: u32, factor: f32 }
}

const WORKGROUP: u32 = 64;

impl Roof {
    /// Measures `gpu`. Arithmetic and bandwidth are the best of five groups of runs of about 20 ms or more. The times
    /// of single copies are medians of 15 runs.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn measure(gpu: &Gpu) -> Result<Self, GpuError> {
        let [arithmetic, copy] = commands(gpu.caps()).map(|c| Program::blocking_new(gpu, &c, &Store::new()));
        let flops = 2 * MULTIPLY_ADDS * ROUNDS as usize * invocations(gpu.caps());
        Ok(Self {
            gflops: flops as f64 / seconds(gpu, &arithmetic?)? / 1e9,
            gbytes: (32 * VECTORS) as f64 / seconds(gpu, &copy?)? / 1e9,
            copies: copies(gpu)?,
        })
    }

    /// Time of a single dispatch that copies data, in seconds. `bytes` is the sum of the bytes read and the bytes
    /// written. The dispatch is timed like those of a profile, so a wall-clock time includes the cost of submitting it
    /// and waiting for it. The time is interpolated linearly between measured sizes, and is constant below the
    /// smallest.
    pub fn copy(&self, bytes: u64) -> f64 {
        let size = |i: usize| f64::from(SMALLEST) * f64::from(GROWTH).powi(i as i32);
        let above = (1..COPIES - 1).find(|&i| size(i) >= bytes as f64).unwrap_or(COPIES - 1);
        let (low, high) = (self.copies[above - 1], self.copies[above]);
        let share = (bytes as f64 - size(above - 1)) / (size(above) - size(above - 1));
        low + share.max(0.0) * (high - low)
    }
}

/// Bytes read and written by the smallest copy.
const SMALLEST: u32 = 1 << 11;
/// Factor from one size to the next.
const GROWTH: u32 = 4;
/// Number of sizes.
const COPIES: usize = 9;
/// Number of runs per size.
const RUNS: usize = 15;

/// Median time of a single copy of each size, in seconds.
fn copies(gpu: &Gpu) -> Result<[f64; COPIES], GpuError> {
    let mut medians = [0.0; COPIES];
    let mut vectors = SMALLEST as usize / 32;
    for median in &mut medians {
        let program = Program::blocking_new(gpu, &copy(vectors), &Store::new())?;
        let profiles: Vec<_> = (0..RUNS).map(|_| program.blocking_profile()).collect::<Result<_, _>>()?;
        let mut times: Vec<_> = profiles.iter().map(|p| p.total()).collect();
        times.sort();
        *median = times[RUNS / 2].as_secs_f64();
        vectors *= GROWTH as usize;
    }
    Ok(medians)
}

/// A copy of `vectors` vec4.
fn copy(vectors: usize) -> Commands {
    dispatch("copy", vectors, &[("x4", 4 * vectors), ("y4", 4 * vectors)])
}

/// Number of rounds per invocation.
const ROUNDS: u32 = 256;
/// Number of multiply-adds per round: 8 for each of 12 sums.
const MULTIPLY_ADDS: usize = 8 * 12;
/// Number of vec4 in the copy that measures bandwidth: 64 MiB, more than most caches hold.
const VECTORS: usize = 1 << 22;

/// Number of invocations in the measurement of arithmetic.
fn invocations(caps: &Caps) -> usize {
    if caps.software { 1 << 12 } else { 1 << 20 }
}

/// The two measurements on an adapter with `caps`: multiply-adds, and a copy.
pub fn commands(caps: &Caps) -> [Commands; 2] {
    let n = invocations(caps);
    [dispatch("multiply_add", n, &[("y", n)]), copy(VECTORS)]
}

fn dispatch(entry: &'static str, elements: usize, buffers: &[(&'static str, usize)]) -> Commands {
    let constants = [Specialisation::U32("WORKGROUP", WORKGROUP), Specialisation::U32("ROUNDS", ROUNDS)];
    let sources = [shader!("shared/grid.wgsl"), shader!("shared/element.wgsl"), shader!("roof.wgsl")];
    let mut commands = Commands::default();
    let dispatch = Dispatch {
        kernel: Kernel::new(&sources, entry, &constants),
        bindings: buffers.iter().map(|&(name, size)| (name, commands.value(name, size, Place::Host))).collect(),
        // With f = 0.5, x·f + f converges to 1, so the sums stay finite.
        params: RoofParams { elements: elements as u32, factor: 0.5 }.into(),
        workgroups: elements.div_ceil(WORKGROUP as usize) as u64,
        turns: if entry == "copy" { 0 } else { u64::from(ROUNDS) * 128 },
        cost: Cost::default(),
    };
    let command = Command { line: 0, op: entry, shape: format!("[{elements}]"), what: entry.into(), dispatch };
    // SAFETY: the kernels compare their index with the number of elements, which all buffers have.
    unsafe { commands.push_unchecked(command) };
    commands
}

/// Time per run of `program`, in seconds. Runs are timed in groups of about 20 ms or more, and the fastest of five
/// groups counts.
///
/// # Errors
/// Any error of the device.
pub fn seconds(gpu: &Gpu, program: &Program) -> Result<f64, GpuError> {
    let time = |runs: u32| -> Result<Duration, GpuError> {
        let start = Instant::now();
        (0..runs).try_for_each(|_| program.run())?;
        gpu.blocking_idle()?;
        Ok(start.elapsed())
    };
    time(1)?;
    let mut runs = 1;
    while time(runs)? < Duration::from_millis(20) && runs < 1 << 16 {
        runs *= 2;
    }
    let times = (0..5).map(|_| time(runs)).collect::<Result<Vec<_>, _>>()?;
    Ok(times.into_iter().min().expect("five runs").as_secs_f64() / f64::from(runs))
}
