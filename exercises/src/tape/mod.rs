//! The tape track: puzzles of reverse-mode autodiff, in Rust.
//!
//! A puzzle is a function of the learner's that returns gradients. [`Puzzle::check`] compares them with central differences of the
//! forward function, in f64, over several shapes.

mod applications;
mod differences;
mod learner;
mod lines;
mod list;
mod solution;
mod tensors;
mod transpose;

pub use applications::Applications;
pub use lines::Line;
pub use list::PUZZLES;
pub use transpose::transpose;

use crate::puzzle::Text;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whose function is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// That of the file to edit.
    Learner,
    /// That of the reference solution.
    Solution,
}

/// A puzzle of the tape track.
pub struct Puzzle {
    /// Its words.
    pub text: Text,
    /// The learner's file, from the root of the repository.
    pub file: &'static str,
    /// The file of the reference solution, from the root of the repository.
    pub solution_file: &'static str,
    /// The file of the engine that the puzzle leads to, from the root of the repository.
    pub leads_to: &'static str,
    check: fn(Author) -> Result<String, String>,
}

impl Puzzle {
    /// Checks a function, and says what was checked.
    ///
    /// # Errors
    /// What is wrong: a table of wrong elements beside central differences, an error of the tape with its line, or that the
    /// function panicked.
    pub fn check(&self, author: Author) -> Result<String, String> {
        // The message of a panic, with its file and line, has been printed by then.
        let panicked = |_| Err(format!("the function of {} panicked: see the message above", self.file));
        catch_unwind(AssertUnwindSafe(|| (self.check)(author))).unwrap_or_else(panicked)
    }
}
