//! The roofs of the roofline, for native programs: peak arithmetic and bandwidth, and the times of copies of any size.

use crate::gpu::{Gpu, GpuError, Program, Store};
use crate::roof::{Peaks, copy};
use std::ops::Deref;

/// The [`Peaks`] of an adapter, with the times of copies.
#[derive(Clone, Copy, Debug)]
pub struct Roof {
    peaks: Peaks,
    /// Median time of single copies of growing size, in seconds, timed like the dispatches of a profile.
    copies: [f64; COPIES],
}

impl Roof {
    /// Measures `gpu`. Arithmetic and bandwidth are the best of five groups of runs of about 20 ms or more. The times
    /// of single copies are medians of 15 runs.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn measure(gpu: &Gpu) -> Result<Self, GpuError> {
        Ok(Self { peaks: gpu.wait(Peaks::measure(gpu))?, copies: copies(gpu)? })
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

impl Deref for Roof {
    type Target = Peaks;

    fn deref(&self) -> &Peaks {
        &self.peaks
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

/// Blocking form of [`seconds`](crate::roof::seconds).
pub fn seconds(gpu: &Gpu, program: &Program) -> Result<f64, GpuError> {
    gpu.wait(crate::roof::seconds(gpu, program))
}
