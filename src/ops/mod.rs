//! One file an operation, holding all there is to know of it: formula, derivative, shape rule, gradient rule, f64
//! reference and the dispatches it lowers to. Its shader is in `shaders/`.
//!
//! To add one: write its file and its shader, and list it below.

mod activation;
mod adam;
mod arithmetic;
mod batch;
mod batch_norm;
mod broadcast;
mod channel_sums;
mod check;
mod compile;
mod convolution;
mod cross_entropy;
mod distance;
mod dropout;
mod linear_combination;
mod lower;
mod matmul;
mod moving_average;
mod product;
mod reduction;
mod reshape;
mod weighted_sum;

pub use activation::{exp, leaky_relu, relu, sigmoid, tanh};
pub use adam::adam;
pub use arithmetic::{div, mul};
pub use batch::{concat, slice};
pub use batch_norm::{Norm, batch_norm, batch_norm_fixed, batch_statistics, update_running};
pub use broadcast::{broadcast, broadcast_channels};
pub use check::{Check, Finding};
pub use compile::{CompileError, Compiled, compile};
pub use convolution::{conv_transpose2d, conv2d};
pub use cross_entropy::softmax_cross_entropy;
pub use distance::{l1, l1_per_sample, mse, mse_per_sample};
pub use dropout::dropout;
pub use linear_combination::{add, linear_combination, scale, sub};
pub use lower::{Lower, Lowered, Lowering, lower};
pub use matmul::{linear, matmul};
pub use moving_average::moving_average;
pub use product::{Tiling, kernels_for, variants};
pub use reduction::{mean, mean_per_sample, sum, sum_channels, sum_per_sample};
pub use reshape::reshape;
pub use weighted_sum::weighted_sum;

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
    activation::Activation,
    activation::ActivationGradient,
    adam::Adam,
    arithmetic::Arithmetic,
    batch::Concat,
    batch::Embed,
    batch::Slice,
    batch_norm::BatchNorm,
    batch_norm::InputGradient,
    batch_norm::GradientSums,
    batch_norm::Statistics,
    batch_norm::UpdateRunning,
    broadcast::Broadcast,
    convolution::Convolution,
    convolution::TransposedConvolution,
    convolution::WeightGradient,
    cross_entropy::CrossEntropy,
    cross_entropy::CrossEntropyGradient,
    distance::Distance,
    distance::DistanceGradient,
    dropout::Dropout,
    linear_combination::LinearCombination,
    matmul::Matmul,
    moving_average::MovingAverage,
    reduction::Reduction,
    reshape::Reshape,
    weighted_sum::WeightedSum,
}
