//! The puzzles of both tracks, alike for the command line.

use exercises::kernels::{self, Failed};
use exercises::puzzle::Text;
use exercises::tape::{self, Author};
use ign::gpu::GpuError;
use ign::native::open;
use std::error::Error;

/// A puzzle of either track.
pub enum Puzzle {
    Kernel(&'static kernels::Puzzle),
    /// The learner's function is a part of this program.
    Tape(&'static tape::Puzzle),
}

/// All puzzles in their order.
pub fn all() -> Vec<Puzzle> {
    let kernels = kernels::PUZZLES.iter().map(Puzzle::Kernel);
    kernels.chain(tape::PUZZLES.iter().map(Puzzle::Tape)).collect()
}

/// The puzzle with this number or name.
///
/// # Errors
/// None of them.
pub fn find<'a>(puzzles: &'a [Puzzle], wanted: &str) -> Result<&'a Puzzle, String> {
    let is = |puzzle: &&Puzzle| puzzle.text().name == wanted || puzzle.text().number.to_string() == wanted;
    puzzles.iter().find(is).ok_or_else(|| {
        format!("there is no puzzle `{wanted}`; `list` prints the numbers, from 1 to {}, and the names", puzzles.len())
    })
}

impl Puzzle {
    pub fn text(&self) -> Text {
        match self {
            Self::Kernel(puzzle) => puzzle.text,
            Self::Tape(puzzle) => puzzle.text,
        }
    }

    /// The learner's file, from the root of the repository.
    pub fn file(&self) -> &'static str {
        match self {
            Self::Kernel(puzzle) => puzzle.file,
            Self::Tape(puzzle) => puzzle.file,
        }
    }

    /// The file of the solution, from the root of the repository.
    pub fn solution(&self) -> &'static str {
        match self {
            Self::Kernel(puzzle) => puzzle.solution_file,
            Self::Tape(puzzle) => puzzle.solution_file,
        }
    }

    /// The file of the engine that the puzzle leads to, from the root of the repository.
    pub fn leads_to(&self) -> &'static str {
        match self {
            Self::Kernel(puzzle) => puzzle.leads_to,
            Self::Tape(puzzle) => puzzle.leads_to,
        }
    }

    /// Checks the learner's text, or the function that was compiled from it. Returns what was checked, or what is wrong.
    ///
    /// # Errors
    /// An error of the adapter.
    pub fn check(&self, learners: &str, adapter: Option<&str>) -> Result<Result<String, String>, Box<dyn Error>> {
        let puzzle = match self {
            Self::Kernel(puzzle) => puzzle,
            Self::Tape(puzzle) => return Ok(puzzle.check(Author::Learner).map_err(|wrong| wrong.trim_end().into())),
        };
        // Most mistakes are found before there is an adapter.
        let simulated = match kernels::simulate(puzzle, learners) {
            Ok(simulated) => simulated,
            Err(failed) => return Ok(Err(failed.to_string())),
        };
        let gpu = open(adapter)?;
        match gpu.wait::<_, GpuError>(async { Ok(kernels::check(&gpu, simulated).await) })? {
            Err(Failed::Engine(error)) => Err(error.into()),
            checked => Ok(checked.map(|passed| passed.to_string()).map_err(|failed| failed.to_string())),
        }
    }
}
