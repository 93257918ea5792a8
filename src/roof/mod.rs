//! The roofline: peak arithmetic and bandwidth of an adapter, measured with kernels written for this purpose, times of
//! programs and of their dispatches, and the drawing. Works in a browser too.

mod drawing;
mod timing;

pub use drawing::{Point, document, plot};
pub use timing::{dispatch_seconds, seconds};

use crate::gpu::{
    Caps, Command, Commands, Cost, Dispatch, Gpu, GpuError, Kernel, Place, Program, Specialisation, Store,
};
use crate::{params, shader};

/// Peak performance of an adapter.
#[derive(Clone, Copy, Debug)]
pub struct Peaks {
    /// Rate of multiply-adds in registers, in GFLOP/s. A multiply-add counts as two operations.
    pub gflops: f64,
    /// Bandwidth of a copy between two large buffers, in GB/s. Reads and writes both count.
    pub gbytes: f64,
}

params! {
    struct RoofParams { elements: u32, factor: f32 }
}

const WORKGROUP: u32 = 64;

impl Peaks {
    /// Measures `gpu`: the best of five groups of runs each.
    ///
    /// # Errors
    /// Any error of the device.
    pub async fn measure(gpu: &Gpu) -> Result<Self, GpuError> {
        let [arithmetic, copy] = commands(gpu.caps());
        let arithmetic = Program::new(gpu, &arithmetic, &Store::new()).await?;
        let copy = Program::new(gpu, &copy, &Store::new()).await?;
        let flops = (2 * MULTIPLY_ADDS * ROUNDS as usize) as f64 * invocations(gpu.caps()) as f64;
        Ok(Self {
            gflops: flops / seconds(gpu, &arithmetic).await? / 1e9,
            gbytes: (32 * VECTORS) as f64 / seconds(gpu, &copy).await? / 1e9,
        })
    }

    /// The least time for work of `cost` under the roofline, in seconds: that of its arithmetic at the peak rate, or that of
    /// its memory traffic at the bandwidth of a copy, whichever is longer.
    pub fn least(&self, cost: Cost) -> f64 {
        (cost.flops as f64 / self.gflops).max(cost.bytes as f64 / self.gbytes) / 1e9
    }
}

/// A copy of `vectors` vec4.
pub(crate) fn copy(vectors: usize) -> Commands {
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
