//! The reference solutions.

#![allow(missing_docs)]

#[path = "../../solutions/tape/21_batch_norm.rs"]
pub mod batch_norm;
#[path = "../../solutions/tape/18_broadcast.rs"]
pub mod broadcast;
#[path = "../../solutions/tape/16_chain.rs"]
pub mod chain;
#[path = "../../solutions/tape/20_cross_entropy.rs"]
pub mod cross_entropy;
#[path = "../../solutions/tape/17_fan_out.rs"]
pub mod fan_out;
#[path = "../../solutions/tape/22_frozen.rs"]
pub mod frozen;
#[path = "../../solutions/tape/19_matmul.rs"]
pub mod matmul;
#[path = "../../solutions/tape/15_square.rs"]
pub mod square;
#[path = "../../solutions/tape/23_three_losses.rs"]
pub mod three_losses;
