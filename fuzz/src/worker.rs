//! The process in which cases run. It ends at the first finding, as the operating system or a panic ends it.

use crate::limits::{allocated, within};
use crate::targets::{Cases, Target};
use std::io::{Error, Write, stdout};
use std::path::Path;
use std::process::ExitCode;

/// Runs the cases from index `from` on, and prints what each used.
pub fn run(target: Target, seed: u64, from: u64) -> Result<ExitCode, Error> {
    let cases = Cases::new(target, seed)?;
    (target.prepare)();
    let base = allocated();
    for index in from.. {
        let used = one(target, &cases.get(index), base)?;
        // The parent has ended where nothing can be written.
        writeln!(stdout(), "{} {}", used.processor.as_micros(), used.memory)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the case in `file`.
pub fn replay(target: Target, file: &Path) -> Result<ExitCode, Error> {
    let case = std::fs::read(file)?;
    (target.build)()?;
    (target.prepare)();
    let used = one(target, &case, allocated())?;
    println!("no finding: {:.3?} of processor time, {:.1} MiB", used.processor, used.memory as f64 / (1 << 20) as f64);
    Ok(ExitCode::SUCCESS)
}

fn one(target: Target, case: &[u8], base: usize) -> Result<crate::limits::Used, Error> {
    let work = tempfile::tempdir()?;
    let used = within(base, || (target.run)(work.path(), case));
    work.close()?;
    Ok(used)
}
