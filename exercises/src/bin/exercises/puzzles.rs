//! The puzzles of both tracks, alike for the command line.

use exercises::kernels::{self, Failed, PUZZLES};
use exercises::puzzle::Text;
use ign::gpu::GpuError;
use ign::native::open;
use std::error::Error;

/// A puzzle of either track.
pub enum Puzzle {
    Kernel(&'static kernels::Puzzle),
}

/// All puzzles in their order.
pub fn all() -> Vec<Puzzle> {
    PUZZLES.iter().map(Puzzle::Kernel).collect()
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
        }
    }

    /// The learner's file, from the root of the repository.
    pub fn file(&self) -> &str {
        match self {
            Self::Kernel(puzzle) => puzzle.file,
        }
    }

    /// The file of the solution, from the root of the repository.
    pub fn solution(&self) -> &str {
        match self {
            Self::Kernel(puzzle) => puzzle.solution_file,
        }
    }

    /// Checks the learner's text. Returns what was checked, or what is wrong.
    ///
    /// # Errors
    /// An error of the adapter.
    pub fn check(&self, learners: &str, adapter: Option<&str>) -> Result<Result<String, String>, Box<dyn Error>> {
        match self {
            Self::Kernel(puzzle) => {
                // Most mistakes are found before there is an adapter.
                if let Err(failed) = kernels::simulate(puzzle, learners) {
                    return Ok(Err(failed.to_string()));
                }
                let gpu = open(adapter)?;
                match gpu.wait::<_, GpuError>(async { Ok(kernels::check(&gpu, puzzle, learners).await) })? {
                    Ok(passed) => Ok(Ok(format!("{passed}\n\nin the engine: {}", puzzle.leads_to))),
                    Err(Failed::Engine(error)) => Err(error.into()),
                    Err(failed) => Ok(Err(failed.to_string())),
                }
            }
        }
    }
}
