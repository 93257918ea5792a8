//! The engine's own operation for the problem of a puzzle, to be measured beside the learner's kernel.

use ign::tape::{Tape, TapeError, Var};

/// Records the operation for a problem of this shape on a tape, with inputs of the same names.
pub type Record = for<'t> fn(&'t Tape, &[usize]) -> Result<Var<'t>, TapeError>;

pub fn relu<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    Ok(tape.input("x", [shape[0]]).relu())
}

pub fn multiplication<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    Ok(tape.input("a", [shape[0]]) * tape.input("b", [shape[0]]))
}

pub fn sum<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    Ok(tape.input("x", [shape[0], shape[1]]).sum_per_sample())
}

pub fn product<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    let [rows, columns, steps] = [shape[0], shape[1], shape[2]];
    Ok(tape.input("a", [rows, steps]).matmul(tape.input("b", [steps, columns])))
}

/// x, weight and their convolution.
fn convolved<'t>(tape: &'t Tape, shape: &[usize]) -> [Var<'t>; 3] {
    let x = tape.input("x", [shape[0], shape[1], shape[2], shape[3]]);
    let weight = tape.input("weight", [shape[4], shape[1], shape[5], shape[5]]);
    [x, weight, x.conv2d(weight, None, shape[6], shape[7])]
}

pub fn convolution<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    Ok(convolved(tape, shape)[2])
}

pub fn input_gradient<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    let [x, _, y] = convolved(tape, shape);
    Ok(tape.vjp(y, tape.input("dy", y.shape()), &[x])?[0])
}

pub fn weight_gradient<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    let [_, weight, y] = convolved(tape, shape);
    Ok(tape.vjp(y, tape.input("dy", y.shape()), &[weight])?[0])
}

pub fn statistics<'t>(tape: &'t Tape, shape: &[usize]) -> Result<Var<'t>, TapeError> {
    Ok(tape.input("x", [shape[0], shape[1], shape[2]]).batch_statistics())
}
