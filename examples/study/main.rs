//! Keeps the figures of docs/study.md: takes them from evaluated runs, and writes them into its tables.
//!
//!     cargo run --release --example study -- --collect runs/study/base
//!     cargo run --release --example study

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/explain.rs"]
mod explain;
#[path = "../support/options.rs"]
mod options;
mod row;
mod table;

use clap::Parser;
use explain::explained;
use ign::files::replace;
use row::{Row, Rows};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The figures of every row, and the document with the tables.
const FIGURES: &str = "measurements/study.json";
const DOCUMENT: &str = "docs/study.md";

/// Writes the figures of measurements/study.json into the tables of docs/study.md. A table row belongs to the run that its
/// first cell names; the heading of a column says which figure it has. Cells of other columns are text, and stay.
#[derive(Parser)]
struct Arguments {
    /// Folders of evaluated runs or baselines, whose figures are taken into measurements/study.json first.
    #[arg(long, value_name = "RUN", num_args = 1..)]
    collect: Vec<PathBuf>,
    /// Changes nothing, and fails if a table does not have the figures of measurements/study.json.
    #[arg(long, conflicts_with = "collect")]
    check: bool,
}

fn main() {
    explained(|| run(options::parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let figures = fs::read_to_string(FIGURES).map_err(|e| format!("{FIGURES}: {e}"))?;
    let mut rows: Rows = serde_json::from_str(&figures).map_err(|e| format!("{FIGURES}: {e}"))?;
    for run in &arguments.collect {
        rows.insert(name(run)?, Row::of(run)?);
    }
    let document = fs::read_to_string(DOCUMENT).map_err(|e| format!("{DOCUMENT}: {e}"))?;
    let (filled, missing) = table::filled(&document, &rows);
    if arguments.check {
        if let Some(name) = missing.first() {
            return Err(format!("{FIGURES} has no figures of the row `{name}`: run scripts/study {name}").into());
        }
        return match document.lines().zip(filled.lines()).find(|(old, new)| old != new) {
            None => Ok(()),
            Some((old, new)) => {
                Err(format!("{DOCUMENT} has\n{old}\nand {FIGURES} says\n{new}\nRun scripts/study --tables").into())
            }
        };
    }
    missing.iter().for_each(|name| note!("no figures yet: {name}"));
    if !arguments.collect.is_empty() {
        replace(Path::new(FIGURES), (serde_json::to_string_pretty(&rows)? + "\n").as_bytes())?;
    }
    replace(Path::new(DOCUMENT), filled.as_bytes())?;
    say!("{} rows of {FIGURES} are in the tables of {DOCUMENT}", rows.len());
    Ok(())
}

/// The name of a row: that of the run's folder.
fn name(run: &Path) -> Result<String, String> {
    let name = run.file_name().and_then(|name| name.to_str());
    name.map(String::from).ok_or_else(|| format!("{}: a run is named by its folder", run.display()))
}
