use super::{Result, Shape, TapeError, Tensor, Var};
use std::any::Any;
use std::fmt;

/// What the tape needs to know of an operation: its shape rule, its derivative and its value.
pub trait Op: Any + fmt::Debug {
    /// The field's name for it, as errors, drawings and profiles show it.
    fn name(&self) -> &'static str;

    /// The shape of the output, or in words what does not fit.
    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String>;

    /// The vector-Jacobian product: given `gradient` = ∂L/∂output, records ∂L/∂input for each input that
    /// [`Call::wants`] it, and returns one entry an input. `None` where the output does not depend on that input
    /// in a differentiable way.
    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let _ = gradient;
        Err(TapeError::NoGradientRule { op: self.name(), line: call.output.id })
    }

    /// The value in f64, in plain loops. For an operation that updates state, the new contents of each input listed
    /// in [`writes`](Op::writes), one after the other.
    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64>;

    /// Indices of the inputs that this operation updates in place. They must be state of the tape.
    fn writes(&self) -> &[usize] {
        &[]
    }
}

/// One recorded application of an operation, as its gradient rule sees it.
pub struct Call<'t, 'a> {
    /// The operation's inputs, in order.
    pub inputs: &'a [Var<'t>],
    /// What it computed.
    pub output: Var<'t>,
    pub(super) wanted: &'a [bool],
}

impl<'t> Call<'t, '_> {
    /// Whether anybody asked for the gradient of input `i`.
    pub fn wants(&self, i: usize) -> bool {
        self.wanted[i]
    }

    /// `rule()` if the gradient of input `i` is wanted; records nothing otherwise.
    pub fn when(&self, i: usize, rule: impl FnOnce() -> Result<Var<'t>>) -> Result<Option<Var<'t>>> {
        self.wants(i).then(rule).transpose()
    }
}
