//! Puzzles that check themselves: compute kernels in WGSL, and reverse-mode autodiff on a tape.

pub mod kernels;
pub mod puzzle;
pub mod simulator;
pub mod tape;
