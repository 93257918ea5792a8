//! The engine in a browser. JavaScript hands over bytes and numbers, and draws; every number is computed here.
//!
//! A call that waits for the adapter must end before the next one begins: the page has a queue for that.

#[cfg(target_arch = "wasm32")]
mod digits;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod image;
#[cfg(target_arch = "wasm32")]
mod measure;
#[cfg(target_arch = "wasm32")]
mod model;
#[cfg(target_arch = "wasm32")]
mod spoil;
pub mod tape;
#[cfg(target_arch = "wasm32")]
mod toy;

#[cfg(target_arch = "wasm32")]
use engine::{Engine, Result, js};
