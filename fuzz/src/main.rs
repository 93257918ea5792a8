//! Runs changed files and command lines through the readers of ign, within limits of memory and time.

mod limits;
mod mutate;
mod parent;
mod targets;
mod worker;

use clap::Parser;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::ExitCode;
use targets::{TARGETS, Target, named};

/// Fuzzes what reads files and command lines. Exits with 1 after a finding, which is kept in fuzz/findings.
#[derive(Parser)]
struct Options {
    /// Seconds for all targets together.
    #[arg(long, default_value_t = 56, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seconds: u64,
    /// The only target to run: idx, pictures, safetensors, checkpoint, classifier, run or commands.
    #[arg(long, value_parser = named)]
    target: Option<Target>,
    /// Seed of all changes. Without it, every run has another one, which it prints.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs the one case in this file.
    #[arg(long, value_name = "FILE", requires = "target")]
    replay: Option<PathBuf>,
    /// Runs the cases of a target from this one on, in this process, until it is stopped.
    #[arg(long, value_name = "CASE", hide = true, requires = "target", requires = "seed")]
    worker: Option<u64>,
}

/// Another number in every run.
fn any_seed() -> u64 {
    RandomState::new().hash_one(())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match (options.worker, options.replay, options.target) {
        (Some(from), _, Some(target)) => worker::run(target, options.seed.unwrap_or_default(), from),
        (_, Some(file), Some(target)) => worker::replay(target, &file),
        (_, _, target) => {
            let targets = target.map_or(TARGETS.to_vec(), |target| vec![target]);
            parent::fuzz(&targets, options.seconds, options.seed.unwrap_or_else(any_seed))
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
