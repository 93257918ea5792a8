//! Writes a report on one run, or on several side by side: one self-contained HTML file.
//!
//!     cargo run --release --example report -- runs/quick
//!     cargo run --release --example report -- runs/a runs/b --out comparison.html

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/options.rs"]
mod options;

use clap::Parser;
use explain::explained;
use ign::report::Run;
use ign::run::{check_results, result};
use std::error::Error;
use std::path::PathBuf;

/// Writes an HTML report on one or several runs: losses, samples during training, pictures, evaluation, command,
/// machine and settings.
#[derive(Parser)]
struct Arguments {
    /// Run folders or the checkpoints in them, shown side by side.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// HTML file to write [default: report.html in the run folder; for several runs comparison.html in the first].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() {
    explained(|| run(options::parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let runs = arguments.runs.iter().map(|path| Run::load(path)).collect::<Result<Vec<_>, _>>()?;
    runs.iter().flat_map(Run::warnings).for_each(|warning| note!("warning: {warning}"));
    let name = if runs.len() == 1 { "report.html" } else { "comparison.html" };
    let out = arguments.out.unwrap_or_else(|| result(&arguments.runs[0], name));
    let folders: Vec<_> = arguments.runs.iter().map(PathBuf::as_path).collect();
    check_results(&folders, &[&out])?;
    Run::report(&runs, &out)?;
    say!("report: {}", out.display());
    Ok(())
}
