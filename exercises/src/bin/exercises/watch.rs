//! Checking a file whenever it is saved.

use super::puzzles::{Puzzle, root};
use super::try_once;
use std::error::Error;
use std::time::{Duration, SystemTime};

/// Time between two looks at the file.
const PAUSE: Duration = Duration::from_millis(200);

/// Checks a puzzle, and again whenever its file is saved, until it passes.
///
/// # Errors
/// An error of the adapter.
pub fn watch(puzzle: &Puzzle, adapter: Option<&str>) -> Result<bool, Box<dyn Error>> {
    loop {
        let seen = saved(puzzle);
        if try_once(puzzle, adapter)? {
            return Ok(true);
        }
        say!("\nwaiting for {} to be saved; Ctrl-C ends\n", puzzle.file());
        while saved(puzzle) == seen {
            std::thread::sleep(PAUSE);
        }
    }
}

/// When the learner's file was saved; `None` while an editor replaces it.
fn saved(puzzle: &Puzzle) -> Option<SystemTime> {
    std::fs::metadata(root().join(puzzle.file())).and_then(|meta| meta.modified()).ok()
}
