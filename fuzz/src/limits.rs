//! The limits of one case, and what it used.

use cap::Cap;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use std::alloc::System;
use std::time::Duration;

/// Bytes that a case may allocate above what was allocated before it.
pub const MEMORY: usize = 256 << 20;
/// Processor time of a case. Time of the clock would depend on what else runs on the machine.
pub const PROCESSOR: Duration = Duration::from_secs(2);
/// Time of the clock after which a case hangs.
pub const CLOCK: Duration = Duration::from_secs(20);

/// Refuses what is above its limit. The process then aborts, unless the program asked whether the memory is there.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What a case used.
pub struct Used {
    pub processor: Duration,
    /// The greatest number of bytes that were allocated at once, of all cases of this process so far.
    pub memory: usize,
}

/// Runs a case. Panics or aborts where it exceeds a limit.
pub fn within(base: usize, case: impl FnOnce()) -> Used {
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + MEMORY).expect("the limit is above what is allocated");
    let before = processor();
    case();
    let used = processor() - before;
    ALLOCATOR.set_limit(usize::MAX).expect("there is no greater limit");
    assert!(used <= PROCESSOR, "the case took {used:.2?} of processor time, and may take {PROCESSOR:.2?}");
    let children = usage(UsageWho::RUSAGE_CHILDREN).max_rss() as usize * RSS_UNIT;
    assert!(children <= MEMORY, "a command used {} MiB, and may use {} MiB", children >> 20, MEMORY >> 20);
    Used { processor: used, memory: (ALLOCATOR.max_allocated() - base).max(children) }
}

/// The bytes that are allocated now.
pub fn allocated() -> usize {
    ALLOCATOR.allocated()
}

/// Bytes in the unit of the greatest resident set, which differs between systems.
const RSS_UNIT: usize = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

fn usage(who: UsageWho) -> Usage {
    getrusage(who).expect("a process can ask what it used")
}

/// Processor time of this process and of those that it started and that have ended.
fn processor() -> Duration {
    let of = |who| {
        let usage = usage(who);
        let times = [usage.user_time(), usage.system_time()];
        times.iter().map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)).sum::<Duration>()
    };
    of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN)
}
