//! Puzzles that check themselves: compute kernels in WGSL, and reverse-mode autodiff on a tape.
//!
//!     cargo run --release -p exercises              # the first puzzle that is not solved
//!     cargo run --release -p exercises -- list      # all of them
//!     cargo run --release -p exercises -- 7 --watch

#[macro_use]
#[path = "../../../../examples/support/say.rs"]
mod say;
mod puzzles;
mod workspace;

use clap::Parser;
use puzzles::{Puzzle, all, find};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use workspace::Workspace;

/// Checks a puzzle: compiles the file that you edit, runs it over several shapes, and says what is wrong with it, or what it
/// costs. Without an argument it takes the first puzzle that is not solved.
#[derive(Parser)]
struct Arguments {
    /// Number or name of a puzzle, or `list` for all of them with what is solved.
    puzzle: Option<String>,
    /// Check again whenever the file is saved, until it passes.
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
    /// The repository whose files you edit; by default the one that this program was built from.
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
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
    let workspace = Workspace::new(arguments.root.as_deref());
    if arguments.puzzle.as_deref() == Some("list") {
        list(&puzzles, &workspace);
        return Ok(true);
    }
    let puzzle = match &arguments.puzzle {
        Some(wanted) => find(&puzzles, wanted)?,
        None => match puzzles.iter().find(|puzzle| !workspace.has_passed(puzzle)) {
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
    let mut saved = workspace.saved(puzzle);
    let mut passed = check(puzzle, &workspace, arguments.adapter.as_deref())?;
    while arguments.watch && !passed {
        say!("waiting for {} to be saved; Ctrl-C ends\n", puzzle.file());
        while workspace.saved(puzzle) == saved {
            std::thread::sleep(Duration::from_millis(200));
        }
        saved = workspace.saved(puzzle);
        passed = match puzzle {
            Puzzle::Kernel(_) => check(puzzle, &workspace, arguments.adapter.as_deref())?,
            // The new function is in a new program, which says all the rest.
            Puzzle::Tape(_) if workspace.run_anew(puzzle)? => return Ok(true),
            Puzzle::Tape(_) => false,
        };
    }
    if passed {
        // Later puzzles first, then those that were left out.
        let (before, after) = puzzles.split_at(puzzle.text().number);
        if let Some(next) = after.iter().chain(before).find(|puzzle| !workspace.has_passed(puzzle)) {
            say!("\nnext: {}, {}, in {}", next.text().number, next.text().title, next.file());
        }
    }
    Ok(passed)
}

/// Checks the learner's file, says the result, and remembers it if it passes.
fn check(puzzle: &Puzzle, workspace: &Workspace, adapter: Option<&str>) -> Result<bool, Box<dyn Error>> {
    let text = puzzle.text();
    say!("puzzle {}, {}: {}\n", text.number, text.name, text.title);
    let learners = workspace.read(puzzle)?;
    match puzzle.check(&learners, adapter)? {
        Ok(report) => {
            say!("{report}\n\nin the engine: {}", puzzle.leads_to());
            workspace.remember(puzzle, &learners)?;
            Ok(true)
        }
        Err(wrong) => {
            say!("{wrong}\n\nhints: cargo run --release -p exercises -- {} --hint", text.number);
            Ok(false)
        }
    }
}

fn list(puzzles: &[Puzzle], workspace: &Workspace) {
    let mut solved = 0;
    for puzzle in puzzles {
        let passed = workspace.has_passed(puzzle);
        solved += usize::from(passed);
        let (text, mark) = (puzzle.text(), if passed { "passed" } else { "" });
        say!("{:>2}  {mark:6}  {:17} {:46} {}", text.number, text.name, text.title, puzzle.file());
    }
    say!("\n{solved} of {} passed", puzzles.len());
}
