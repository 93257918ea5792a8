//! A GPU compute engine from scratch, and the Idempotent Generative Network on it.
//!
//! One idea carries it: a [`Tape`](tape::Tape) is recorded once and replayed. A training step is a flat list of operations
//! with known shapes; its gradient is more lines on the same list; compiled, it is a fixed sequence of GPU dispatches.
//!
//! ```text
//!  record                     differentiate               lower, plan, compile            replay
//!  ┌──────────────────┐      ┌──────────────────┐       ┌─────────────────────┐      ┌─────────────────┐
//!  │ tape             │      │ tape             │       │ compile             │      │ gpu             │
//!  │ lines with known │ ───▶ │ the gradient is  │ ────▶ │ ops → dispatches,   │ ───▶ │ one submission, │
//!  │ shapes; computes │      │ more lines on    │       │ checked against     │      │ no object made  │
//!  │ nothing          │      │ the same tape    │       │ their WGSL; memory  │      │                 │
//!  └──────────────────┘      └──────────────────┘       └─────────────────────┘      └─────────────────┘
//!           │                          │
//!           └──────────────────────────┴──▶ interpret: the same lines in f64, the reference of every kernel
//! ```
//!
//! ```
//! use ign::{compile::blocking_compile, gpu::Store, native::open, tape::Tape};
//!
//! let tape = Tape::new();
//! let x = tape.input("x", [3]);
//! let y = (x.tanh() * x).sum();
//! let dx = tape.gradient(y, &[x])?[0];
//!
//! let program = blocking_compile(&open(None)?, &Store::new(), &tape, &[("y", y), ("dx", dx)])?;
//! program.write("x", &[0.0, 1.0, 2.0])?;
//! program.run()?;
//! let values = program.blocking_read(&["y", "dx"])?;
//! let expected = |x: f32| x.tanh() + x * (1.0 - x.tanh().powi(2));
//! assert!((values[1][2] - expected(2.0)).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! * [`guide`]: from y = x² to an Idempotent Generative Network, in thirteen chapters with code that runs.
//! * [`tape`]: the list, the reverse walk and the f64 interpreter; short enough to be read at one sitting.
//! * [`ops`]: every operation, with [the table](#operations) of formulas, gradients, files and shaders.
//! * [`compile`]: from a tape to dispatches. [`gpu`]: adapters, kernels, memory and programs. [`nn`]: layers and Adam.
//! * `method::Objective`: the paper in the notation of the tape, and `model`: trained networks (feature `model`).
//! * `descent`, the one training loop; `train`, the method on images; `toy`, the method in the plane; `classifier`
//!   (feature `model`).
//! * Trainings in folders, `baselines`, `metrics` and reports (feature `train`, which is on by default).
//!
//! Without default features the crate is the engine alone. The engine and the feature `model` also compile for
//! `wasm32-unknown-unknown`. Everything on the adapter is `async`, with blocking calls (`blocking_…`) on native targets.
#![doc = include_str!("../docs/operations.md")]
// Library code does not panic on input, print or exit.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::panic, clippy::todo, clippy::print_stdout, clippy::print_stderr, clippy::exit)
)]

#[cfg(feature = "train")]
pub mod baselines;
#[cfg(feature = "model")]
pub mod classifier;
pub mod compile;
#[cfg(feature = "model")]
pub mod data;
#[cfg(feature = "model")]
pub mod descent;
#[cfg(feature = "model")]
pub mod error;
#[cfg(feature = "model")]
pub mod files;
pub mod gpu;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "model")]
pub mod method;
#[cfg(feature = "train")]
pub mod metrics;
#[cfg(feature = "model")]
pub mod model;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod nn;
pub mod ops;
mod panics;
#[cfg(feature = "model")]
pub mod picture;
pub mod random;
#[cfg(feature = "model")]
pub mod ranks;
#[cfg(feature = "train")]
pub mod report;
pub mod roof;
#[cfg(feature = "train")]
pub mod run;
pub mod tape;
#[cfg(test)]
mod testing;
#[cfg(feature = "model")]
pub mod toy;
#[cfg(feature = "model")]
pub mod train;
