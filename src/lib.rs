//! A GPU compute engine from scratch, and the Idempotent Generative Network on it.
//!
//! One idea carries it: a [`Tape`](tape::Tape) is recorded once and replayed. See the rooms: [`tape`] records and
//! differentiates, [`ops`] says what each operation is, [`gpu`] runs compiled programs.

#![warn(missing_docs)]

#[cfg(not(target_arch = "wasm32"))]
pub mod baselines;
#[cfg(not(target_arch = "wasm32"))]
pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod file;
pub mod gpu;
pub mod ign;
#[cfg(not(target_arch = "wasm32"))]
pub mod metrics;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod nn;
pub mod ops;
#[cfg(not(target_arch = "wasm32"))]
pub mod picture;
pub mod random;
#[cfg(not(target_arch = "wasm32"))]
pub mod report;
#[cfg(not(target_arch = "wasm32"))]
pub mod roof;
pub mod tape;
#[cfg(not(target_arch = "wasm32"))]
mod tensors;
#[cfg(test)]
mod testing;
#[cfg(not(target_arch = "wasm32"))]
pub mod train;
