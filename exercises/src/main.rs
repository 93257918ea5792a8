//! The command line of the puzzles.

fn main() {}
