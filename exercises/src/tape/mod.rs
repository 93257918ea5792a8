//! The tape track: puzzles of reverse-mode autodiff, in Rust.
//!
//! A puzzle asks for functions that return gradients. [`Puzzle::check`] compares them with central differences of the forward
//! function, in f64, over several shapes. The learner's functions are compiled into this library. The checks themselves, in
//! [`lines`], [`tensors`] and [`applications`], take any functions.

pub mod applications;
mod caught;
mod differences;
mod learner;
pub mod lines;
mod list;
mod solution;
pub mod tensors;
mod transpose;

pub use lines::Line;
pub use list::PUZZLES;
pub use transpose::transpose;

use crate::puzzle::Text;
use caught::caught;

/// Whose functions are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Those of the file to edit.
    Learner,
    /// Those of the reference solution.
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
    /// Checks the functions of an author, and says what was checked.
    ///
    /// # Errors
    /// What is wrong, beginning with the file: a table of wrong elements beside central differences, or an error of the tape
    /// or a panic with its line.
    pub fn check(&self, author: Author) -> Result<String, String> {
        let file = match author {
            Author::Learner => self.file,
            Author::Solution => self.solution_file,
        };
        caught(|| (self.check)(author)).unwrap_or_else(Err).map_err(|wrong| {
            // The compiler names the files by their way from this one.
            let wrong = wrong.replace("exercises/src/tape/../../", "exercises/");
            if wrong.starts_with(file) { wrong } else { format!("{file}: {wrong}") }
        })
    }
}
