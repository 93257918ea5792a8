//! One file an operation, holding all there is to know of it: formula, derivative, shape rule, gradient rule, f64
//! reference and the dispatches it lowers to. Its shader is in `shaders/`.
//!
//! To add one: write its file and its shader, and list it below.

mod compile;
mod lower;

mod linear_combination;

pub use compile::{CompileError, Compiled, compile};
pub use linear_combination::{add, linear_combination, scale, sub};
pub use lower::{Lower, Lowered, Lowering, lower};

use crate::tape::{Op, Sum};
use std::any::Any;

macro_rules! operations {
    ($($operation:path),* $(,)?) => {
        /// The lowering of a listed operation.
        pub(crate) fn lowering(op: &dyn Op) -> Option<&dyn Lower> {
            let op = op as &dyn Any;
            None$(.or_else(|| op.downcast_ref::<$operation>().map(|op| op as &dyn Lower)))*
        }
    };
}

operations! {
    Sum,
    linear_combination::LinearCombination,
}
