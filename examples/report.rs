//! Makes a report of one run, or of several side by side: one HTML file that asks no network for anything.
//!
//!     cargo run --release --example report -- runs/quick
//!     cargo run --release --example report -- runs/a runs/b --out comparison.html

use clap::Parser;
use ign::report::Run;
use std::error::Error;
use std::path::PathBuf;

/// Losses, samples while it learned, pictures, evaluation, settings, machine and command of runs.
#[derive(Parser)]
struct Arguments {
    /// Run folders.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The page to write [default: report.html in the first run folder].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() {
    if let Err(error) = run(Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let runs = arguments.runs.iter().map(|path| Run::load(path)).collect::<Result<Vec<_>, _>>()?;
    let out = arguments.out.unwrap_or_else(|| arguments.runs[0].join("report.html"));
    Run::report(&runs, &out)?;
    println!("report: {}", out.display());
    Ok(())
}
