//! Puzzles that check themselves: compute kernels in WGSL, and reverse-mode autodiff on a tape.
//!
//!     cargo run --release -p exercises              # the first puzzle that is not solved
//!     cargo run --release -p exercises -- list      # all of them
//!     cargo run --release -p exercises -- 7 --watch

#[macro_use]
#[path = "../../../../examples/support/say.rs"]
mod say;
mod progress;
mod puzzles;
mod watch;

use clap::Parser;
use progress::Progress;
use puzzles::{Puzzle, all, find};
use std::error::Error;
use std::process::ExitCode;

/// Checks a puzzle: compiles the file that you edit, runs it over several shapes, and says what is wrong with it, or what it
/// costs. Without an argument it takes the first puzzle that is not solved.
#[derive(Parser)]
struct Arguments {
    /// Number or name of a puzzle, or `list` for all of them with what is solved.
    puzzle: Option<String>,
    /// Check again whenever the file is saved.
    #[arg(long)]
    watch: bool,
    /// Print a hint instead: the first, or the second or third.
    #[arg(long, value_name = "1..3", num_args = 0..=1, default_missing_value = "1",
          value_parser = clap::value_parser!(u8).range(1..=3), conflicts_with = "watch")]
    hint: Option<u8>,
    /// Say where the solution is instead.
    #[arg(long, conflicts_with_all = ["watch", "hint"])]
    solution: bool,
    /// Adapter for kernels, by its index or a part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() -> ExitCode {
    say::without_display();
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether what was asked for is done: a checked puzzle has passed.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let puzzles = all();
    let progress = Progress::load();
    if arguments.puzzle.as_deref() == Some("list") {
        list(&puzzles, &progress);
        return Ok(true);
    }
    let puzzle = match &arguments.puzzle {
        Some(wanted) => find(&puzzles, wanted)?,
        None => match puzzles.iter().find(|puzzle| !progress.has(puzzle)) {
            Some(puzzle) => puzzle,
            None => {
                say!("All {} puzzles are solved.", puzzles.len());
                return Ok(true);
            }
        },
    };
    if let Some(hint) = arguments.hint {
        say!("{}", puzzle.text().hints[usize::from(hint) - 1]);
        return Ok(true);
    }
    if arguments.solution {
        say!("{}", puzzle.solution());
        return Ok(true);
    }
    if arguments.watch {
        return watch::watch(puzzle, arguments.adapter.as_deref());
    }
    try_once(puzzle, arguments.adapter.as_deref())
}

/// Checks a puzzle once, says the result, and remembers it. Whether it has passed.
fn try_once(puzzle: &Puzzle, adapter: Option<&str>) -> Result<bool, Box<dyn Error>> {
    let text = puzzle.text();
    say!("puzzle {}, {}: {}\n", text.number, text.name, text.title);
    match puzzle.check(adapter)? {
        Ok(report) => {
            say!("{report}");
            Progress::load().add(puzzle)?;
            let progress = Progress::load();
            if let Some(next) = all().iter().find(|puzzle| !progress.has(puzzle)) {
                let text = next.text();
                say!("\nnext: {}, {}, in {}", text.number, text.title, next.file());
            }
            Ok(true)
        }
        Err(report) => {
            say!("{report}\n\nhints: cargo run --release -p exercises -- {} --hint", text.number);
            Ok(false)
        }
    }
}

fn list(puzzles: &[Puzzle], progress: &Progress) {
    for puzzle in puzzles {
        let text = puzzle.text();
        let mark = if progress.has(puzzle) { "passed" } else { "" };
        say!("{:>2}  {:6}  {:17} {:46} {}", text.number, mark, text.name, text.title, puzzle.file());
    }
    let solved = puzzles.iter().filter(|puzzle| progress.has(puzzle)).count();
    say!("\n{solved} of {} passed", puzzles.len());
}
