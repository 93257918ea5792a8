//! Tapes as the page shows them: formulas that are typed, and the tapes of what runs.

#[cfg(target_arch = "wasm32")]
mod drawing;
pub mod expression;
pub mod lanes;
#[cfg(target_arch = "wasm32")]
mod recorded;
pub mod typed;
