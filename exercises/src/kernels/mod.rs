//! The kernel track.

/// Number of puzzles of the kernel track. The tape track begins after it.
pub const COUNT: usize = 14;
