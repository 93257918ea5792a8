//! The kernel track: puzzles in WGSL.
//!
//! A puzzle is a kernel with a hole or a mistake. [`simulate`] compiles a learner's text with naga, runs it in the
//! [simulator](crate::simulator) over several shapes, and compares each element with a reference on the host. [`check`] does the
//! same on the adapter, and measures a kernel that is right. Both use no files, threads or blocking waits, and so run in a browser
//! too.

mod adapter;
mod cases;
mod check;
mod engine;
mod failed;
mod list;
mod passed;

pub use cases::{Case, Pass};
pub use check::{Simulated, check, simulate};
pub use failed::Failed;
pub use list::PUZZLES;
pub use passed::{Measured, Passed};

use crate::puzzle::Text;

/// Number of puzzles of the track. Those of the tape track begin after it.
pub const COUNT: usize = 14;

/// A puzzle of the kernel track.
#[derive(Debug)]
pub struct Puzzle {
    /// Its words.
    pub text: Text,
    /// The learner's file, from the root of the repository.
    pub file: &'static str,
    /// The file of the reference solution, from the root of the repository.
    pub solution_file: &'static str,
    /// Text of the learner's file as it comes with the project. Only with the feature `stubs`: the program of this package
    /// reads the file, and would be compiled anew with each change of it.
    #[cfg(feature = "stubs")]
    pub stub: &'static str,
    /// Text of the reference solution.
    pub solution: &'static str,
    /// The shader of the engine that the puzzle leads to, from the root of the repository.
    pub leads_to: &'static str,
    /// The problem of a shape.
    case: fn(&[usize]) -> Case,
    /// The shapes to check, awkward ones first. What a kernel does is counted on the last.
    shapes: &'static [&'static [usize]],
    /// The shape to measure.
    measured: &'static [usize],
    /// The engine's operation for the same problem, if it has one.
    engine: Option<engine::Record>,
    /// Whether a right answer must also load, and touch lines of memory, at most half as often again as the solution.
    lean: bool,
}

impl Puzzle {
    /// The problems that a kernel is checked on.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        self.shapes.iter().map(|shape| (self.case)(shape))
    }
}
