//! What all puzzles have in common.

/// The words of a puzzle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Number, continuous over both tracks: kernels first, then the tape.
    pub number: usize,
    /// Name on the command line, and in the name of the learner's file.
    pub name: &'static str,
    /// What the puzzle asks for, in a few words.
    pub title: &'static str,
    /// Hints, from a nudge to nearly the answer.
    pub hints: [&'static str; 3],
}
