//! Operations. Each module defines one operation or a few related ones: formula, derivative, shape rule, gradient rule,
//! f64 reference, and lowering to dispatches. The shaders are in `shaders/`.
//!
//! Most operations are operators and methods of [`Var`]: `x * y + b`, `2.0 * x.tanh()`,
//! `x.conv2d(w, None, 2, 1)`. Operations on a list of variables are methods of [`Tape`]. Operations that update state,
//! and [`weighted_sum()`], are functions.
//!
//! [The table](crate#operations) lists all of them. To add an operation, write its module and its shader, and list it
//! in `operations!` below.

mod channel_sums;
mod lower;
mod meaning;
mod product;

pub use lower::{Lower, Lowering};
pub use meaning::{Meaning, meanings};
#[cfg(not(target_arch = "wasm32"))]
pub use product::blocking_variants;
pub use product::{Tiling, kernels_for, variants};

use crate::tape::{Op, Tape, Var};
use std::any::Any;

/// An operation recorded by an example.
pub struct Case<'t> {
    /// The output of the operation. It has no elements if the operation only updates state.
    pub y: Var<'t>,
    /// The variables with a gradient rule.
    pub wrt: Vec<Var<'t>>,
}

/// A minimal example of an operation. Tests check the gradient rule and the kernels of the operation on it, and the
/// table of operations lists it.
#[derive(Clone, Copy)]
pub struct Example {
    /// The Rust expression of the operation.
    pub usage: &'static str,
    /// The formula of the result.
    pub formula: &'static str,
    /// The gradient of each input, given the gradient g of the result.
    pub gradient: &'static str,
    /// Records the operation on inputs and state.
    pub record: for<'t> fn(&'t Tape) -> Case<'t>,
    /// Maps a number from -1 to 1 to a valid element of the input or state called `name`.
    pub domain: fn(name: &str, number: f64) -> f64,
}

impl Example {
    /// An example for which all numbers are valid elements.
    const fn new(
        usage: &'static str,
        formula: &'static str,
        gradient: &'static str,
        record: for<'t> fn(&'t Tape) -> Case<'t>,
    ) -> Self {
        Self { usage, formula, gradient, record, domain: |_, number| number }
    }

    /// The example with elements from a `domain`.
    const fn on(self, domain: fn(&str, f64) -> f64) -> Self {
        Self { domain, ..self }
    }
}

macro_rules! operations {
    ($($module:ident: $($operation:ident),+;)*) => {
        $(
            mod $module;
            #[allow(unused_imports)] // Some operations are methods only.
            pub use $module::*;
        )*

        /// The lowering of a listed operation.
        pub(crate) fn lowering(op: &dyn Op) -> Option<&dyn Lower> {
            let op = op as &dyn Any;
            None$($(.or_else(|| op.downcast_ref::<$module::$operation>().map(|op| op as &dyn Lower)))+)*
        }

        /// The examples of all operations, with the names of their modules.
        pub fn examples() -> Vec<(&'static str, Example)> {
            let modules: &[(&'static str, &[Example])] = &[$((stringify!($module), $module::EXAMPLES)),*];
            modules.iter().flat_map(|(module, examples)| examples.iter().map(|example| (*module, *example))).collect()
        }
    };
}

// Each module, with the operations that it records on tapes.
operations! {
    activation: Activation, ActivationGradient;
    adam: AdamUpdate;
    arithmetic: Arithmetic;
    batch: Concat, Embed, Slice;
    batch_norm: BatchNorm, InputGradient, GradientSums, BatchStatistics, UpdateRunning;
    broadcast: Broadcast;
    clip_factor: ClipFactor;
    convolution: Convolution, TransposedConvolution, WeightGradient;
    cross_entropy: CrossEntropy, CrossEntropyGradient;
    distance: MeanDistance, MeanDistanceGradient;
    dropout: DropoutMask;
    linear_combination: LinearCombination, Sum;
    matmul: Matmul;
    moving_average: MovingAverage;
    reduction: Reduction;
    reshape: Reshape;
    softplus: Softplus;
    weighted_sum: WeightedSum;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{agrees_with, differentiates_on, feeds_in};

    /// Compares gradient rules with central differences, and every variant of the kernels with the f64 reference.
    #[test]
    fn every_example_differentiates_and_agrees_with_its_reference() {
        for (module, example) in examples() {
            let tape = Tape::new();
            let Case { y, wrt } = (example.record)(&tape);
            let case = format!("{module}: {}", example.usage);
            tape.check().unwrap_or_else(|e| panic!("{case}: {e}"));
            if !wrt.is_empty() {
                differentiates_on(&tape, y, &wrt, &feeds_in(&tape, 1, example.domain), 2)
                    .unwrap_or_else(|e| panic!("{case}: {e}"));
            }
            agrees_with(&tape, &feeds_in(&tape, 3, example.domain)).unwrap_or_else(|e| panic!("{case}: {e}"));
        }
    }
}
