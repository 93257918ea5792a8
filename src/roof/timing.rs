//! Times of programs and of their dispatches, by the host's clock.

use crate::gpu::{Gpu, GpuError, Program};
use std::time::Duration;
use web_time::Instant;

/// Least time of a group of runs. The clocks of browsers are coarse.
const GROUP: Duration = Duration::from_millis(if cfg!(target_arch = "wasm32") { 50 } else { 20 });
/// No group begins later than this after the first. Slow programs are timed in fewer groups.
const LONGEST: Duration = Duration::from_secs(4);
/// Most runs of a group.
const RUNS: u32 = 1 << 16;

/// Time per run of `program`, in seconds. Runs are timed in groups of about 20 ms or more, in a browser of 50 ms, without
/// the time of an empty wait. The fastest of five groups counts, or of those that begin within four seconds.
///
/// # Errors
/// Any error of the device.
pub async fn seconds(gpu: &Gpu, program: &Program) -> Result<f64, GpuError> {
    timed(gpu, 5, |runs| (0..runs).try_for_each(|_| program.run())).await
}

/// Time of dispatch number `dispatch` of `program` alone, in seconds, repeated as [`seconds`] repeats a program. The faster of
/// two groups counts. A number beyond the last dispatch takes no time.
///
/// Operands are what earlier runs left in their memory, which later lines of the tape may share, and an update of state
/// happens at each repetition. So the values of the program mean nothing afterwards.
///
/// # Errors
/// Any error of the device.
pub async fn dispatch_seconds(gpu: &Gpu, program: &Program, dispatch: usize) -> Result<f64, GpuError> {
    timed(gpu, 2, |runs| program.repeat(dispatch, runs)).await
}

/// Time of one run, in seconds, where `submit` submits as many runs as it is told.
async fn timed(gpu: &Gpu, groups: u32, submit: impl Fn(u32) -> Result<(), GpuError>) -> Result<f64, GpuError> {
    let time = async |runs: u32| -> Result<Duration, GpuError> {
        let start = Instant::now();
        submit(runs)?;
        gpu.idle().await?;
        Ok(start.elapsed())
    };
    time(1).await?;
    let mut runs = 1;
    let mut best = time(runs).await?;
    while best < GROUP && runs < RUNS {
        let missing = 1.25 * GROUP.as_secs_f64() / best.as_secs_f64().max(1e-9);
        runs = (f64::from(runs) * missing.clamp(2.0, 16.0)).ceil().min(f64::from(RUNS)) as u32;
        best = time(runs).await?;
    }
    let (start, mut empty) = (Instant::now(), time(0).await?);
    for _ in 1..groups {
        if start.elapsed() > LONGEST {
            break;
        }
        best = best.min(time(runs).await?);
        empty = empty.min(time(0).await?);
    }
    Ok(best.saturating_sub(empty).as_secs_f64() / f64::from(runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Store;
    use crate::roof::copy;
    use crate::testing::gpu;

    #[test]
    fn a_dispatch_alone_takes_its_time_and_none_takes_none() {
        let program = Program::blocking_new(gpu(), &copy(1 << 18), &Store::new()).unwrap();
        let time = |dispatch| gpu().wait(dispatch_seconds(gpu(), &program, dispatch)).unwrap();
        // 8 MiB of traffic take more than 1 µs on any adapter, and no second.
        assert!((1e-6..1.0).contains(&time(0)), "{}", time(0));
        assert!(time(1) < 1e-6, "{}", time(1));
    }
}
