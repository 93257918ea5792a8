use super::{Result, Shape, TapeError, Tensor, Var};
use std::any::Any;
use std::fmt;

/// The gradient of each input of an operation, in order. `None` where the gradient is not wanted, or where the output
/// does not depend on the input in a differentiable way.
pub type Gradients<'t> = Vec<Option<Var<'t>>>;

/// The tape's view of an operation: name, shape rule, derivative and f64 reference.
pub trait Op: Any + fmt::Debug {
    /// The name of the operation in errors, drawings and profiles.
    fn name(&self) -> &'static str;

    /// The shape of the output.
    ///
    /// # Errors
    /// Description of the mismatch between the shapes of the inputs.
    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String>;

    /// The vector-Jacobian product: given `gradient` = ∂L/∂output, records ∂L/∂input for each input i with
    /// [`Call::wants`]`(i)`. `None`, the default, means that the operation has no gradient rule.
    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Option<Gradients<'t>> {
        let _ = (call, gradient);
        None
    }

    /// The value in f64, computed in plain loops. An operation that updates state returns the new contents of the
    /// inputs listed in [`writes`](Op::writes), concatenated in that order.
    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64>;

    /// Indices of the inputs that this operation updates in place. They must be state of the tape.
    fn writes(&self) -> &[usize] {
        &[]
    }
}

/// One recorded application of an operation, as passed to its gradient rule.
pub struct Call<'t, 'a> {
    /// The operation's inputs, in order.
    pub inputs: &'a [Var<'t>],
    /// The operation's output.
    pub output: Var<'t>,
    pub(super) wanted: &'a [bool],
}

impl<'t> Call<'t, '_> {
    /// Records the gradient rule of `op`, which must give one gradient per input, of the shape of the input.
    pub(super) fn differentiate(&self, op: &dyn Op, gradient: Var<'t>) -> Result<Gradients<'t>> {
        let line = || format!("{:?}", self.output);
        let no_rule = || TapeError::NoGradientRule { op: op.name(), line: line() };
        let gradients = op.vjp(self, gradient).ok_or_else(no_rule)?;
        self.output.tape().check()?;
        let mut pairs = self.inputs.iter().zip(&gradients);
        match gradients.len() == self.inputs.len() && pairs.all(|(x, g)| g.is_none_or(|g| g.shape() == x.shape())) {
            true => Ok(gradients),
            false => Err(TapeError::GradientRule { line: line(), gradients: format!("{gradients:?}") }),
        }
    }

    /// Whether the gradient of input `i` is wanted.
    pub fn wants(&self, i: usize) -> bool {
        self.wanted[i]
    }

    /// `rule()` if the gradient of input `i` is wanted; records nothing otherwise.
    pub fn when(&self, i: usize, rule: impl FnOnce() -> Var<'t>) -> Option<Var<'t>> {
        self.wants(i).then(rule)
    }
}

/// The operands of an operation with exactly `N` operands, as an array.
pub fn operands<T: Clone, const N: usize>(all: &[T]) -> [T; N] {
    let exactly = all.to_vec().try_into();
    exactly.unwrap_or_else(|all: Vec<T>| {
        unreachable!("found {} operands: the function that records this operation passes {N}", all.len())
    })
}
