//! Puzzles of one operation: its vector-Jacobian product, as lines on a tape.

use super::differences::{compare, differences, numbers};
use ign::ops::Norm;
use ign::tape::{Tape, TapeError, Var};

/// The learner's function of puzzle 15, for numbers: ∂L/∂x from x and g.
pub type Square = fn(f64, f64) -> f64;
/// The learner's function of puzzle 15: ∂L/∂x from x and g.
pub type SquareOnTape = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
/// The learner's function of puzzle 18: the gradients of x, s and b from x, s and g.
pub type Broadcast = for<'t> fn(Var<'t>, Var<'t>, Var<'t>) -> [Var<'t>; 3];
/// The learner's function of puzzle 19: the gradients of A and B from A, B and g.
pub type Matmul = for<'t> fn(Var<'t>, Var<'t>, Var<'t>) -> [Var<'t>; 2];
/// The learner's function of puzzle 20: ∂L/∂x from x, t and g.
pub type CrossEntropy = for<'t> fn(Var<'t>, Var<'t>, Var<'t>) -> Var<'t>;
/// The learner's function of puzzle 21: the gradients of x, γ and β from x, γ, ε and g.
pub type BatchNorm = for<'t> fn(Var<'t>, Var<'t>, f32, Var<'t>) -> [Var<'t>; 3];

/// Name and extents of an operand.
type Operand<'a> = (&'static str, &'a [usize]);

/// The ε of puzzle 21.
const EPSILON: f32 = 0.125;

/// Puzzle 15: y = x².
///
/// # Errors
/// The first wrong gradient.
pub fn square(numbers: Square, on_tape: SquareOnTape) -> Result<String, String> {
    for (x, g) in [(3.0, 1.0), (-0.5, 1.0), (3.0, 2.0), (0.0, 5.0), (-1.5, -0.25)] {
        let expected = differences(&[x], |x| Ok::<_, String>(g * x[0] * x[0]))?;
        compare("∂L/∂x", "x", &[], &[numbers(x, g)], &expected)
            .map_err(|wrong| format!("{wrong}\n  numbers   x = {x}, g = {g}"))?;
    }
    let mut count = Count::default();
    for dims in [&[1][..], &[7], &[2, 3]] {
        count.add(check(&[("x", dims)], |v| v[0] * v[0], |v, g| vec![on_tape(v[0], g)]))?;
    }
    count.passed()
}

/// Puzzle 18: y = s·x + b, with a scale and a shift for each channel.
///
/// # Errors
/// The first misfit or wrong gradient.
pub fn broadcast(yours: Broadcast) -> Result<String, String> {
    let mut count = Count::default();
    for dims in [[1, 3, 1], [2, 1, 3], [4, 3, 1], [2, 3, 4]] {
        let channels = &dims[1..2];
        count.add(check(
            &[("x", &dims), ("s", channels), ("b", channels)],
            |v| v[0] * v[1].broadcast_channels(v[0].shape()) + v[2].broadcast_channels(v[0].shape()),
            |v, g| yours(v[0], v[1], g).to_vec(),
        ))?;
    }
    count.passed()
}

/// Puzzle 19: C = A·B.
///
/// # Errors
/// The first misfit or wrong gradient.
pub fn matmul(yours: Matmul) -> Result<String, String> {
    let mut count = Count::default();
    for [m, k, n] in [[1, 1, 1], [3, 3, 3], [2, 3, 4], [5, 1, 2]] {
        let operands: [Operand<'_>; 2] = [("A", &[m, k]), ("B", &[k, n])];
        count.add(check(&operands, |v| v[0].matmul(v[1]), |v, g| yours(v[0], v[1], g).to_vec()))?;
    }
    count.passed()
}

/// Puzzle 20: cross-entropy of softmax(x) and targets.
///
/// # Errors
/// The first misfit or wrong gradient.
pub fn cross_entropy(yours: CrossEntropy) -> Result<String, String> {
    let mut count = Count::default();
    for [n, k] in [[1, 1], [1, 2], [3, 4], [4, 10]] {
        count.add(check(
            &[("x", &[n, k]), ("t", &[n, k])],
            |v| v[0].softmax_cross_entropy(distribution(v[1])),
            |v, g| vec![yours(v[0], distribution(v[1]), g)],
        ))?;
    }
    count.passed()
}

/// softmax(v): targets that sum to 1 for each sample.
fn distribution(v: Var<'_>) -> Var<'_> {
    let powers = v.exp();
    powers / powers.sum_per_sample().broadcast(v.shape())
}

/// Puzzle 21: batch norm.
///
/// # Errors
/// The first misfit or wrong gradient.
pub fn batch_norm(yours: BatchNorm) -> Result<String, String> {
    let mut count = Count::default();
    for dims in [[2, 1, 3], [3, 2, 1], [2, 3, 4]] {
        let channels = &dims[1..2];
        count.add(check(
            &[("x", &dims), ("gamma", channels), ("beta", channels)],
            |v| v[0].batch_norm(v[1], v[2], Norm { epsilon: EPSILON, slope: 1.0 }).y,
            |v, g| yours(v[0], v[1], EPSILON, g).to_vec(),
        ))?;
    }
    count.passed()
}

/// Shapes and elements that are right.
#[derive(Default)]
struct Count {
    shapes: usize,
    elements: usize,
}

impl Count {
    fn add(&mut self, elements: Result<usize, String>) -> Result<(), String> {
        self.shapes += 1;
        self.elements += elements?;
        Ok(())
    }

    fn passed(&self) -> Result<String, String> {
        let Self { shapes, elements } = self;
        Ok(format!("passed: {shapes} shapes, {elements} elements: all agree with central differences"))
    }
}

/// Checks the gradients of the first operands of y = `function`(operands), with L = Σ g·y. Returns the number of elements.
fn check(
    operands: &[Operand<'_>],
    function: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>,
    gradients: impl for<'t> Fn(&[Var<'t>], Var<'t>) -> Vec<Var<'t>>,
) -> Result<usize, String> {
    let shapes: Vec<_> = operands.iter().map(|(name, dims)| format!("{name} {dims:?}")).collect();
    let shaped = |wrong: String| format!("{wrong}\n  shape     {}", shapes.join(", "));
    let text = |error: TapeError| shaped(error.to_string());

    let tape = Tape::new();
    let vars: Vec<_> = operands.iter().map(|(name, dims)| tape.input(name, *dims)).collect();
    let y = function(&vars);
    let g = tape.input("g", y.shape());
    let loss = (g * y).sum();
    let found = gradients(&vars, g);
    tape.check().map_err(text)?;

    let seeded = |(seed, v): (usize, &Var<'_>)| numbers(v.shape().elements(), seed as u64);
    let at: Vec<_> = vars.iter().chain([&g]).enumerate().map(seeded).collect();
    let run = |at: &[&[f64]], v: Var<'_>| -> Result<Vec<f64>, TapeError> {
        let feeds: Vec<_> = vars.iter().chain([&g]).zip(at).map(|(v, data)| (*v, *data)).collect();
        Ok(tape.interpret(&feeds)?.get(v).to_vec())
    };
    let at: Vec<&[f64]> = at.iter().map(Vec::as_slice).collect();
    let mut elements = 0;
    for (i, gradient) in found.iter().enumerate() {
        let (name, shape) = (operands[i].0, vars[i].shape());
        if gradient.shape() != shape {
            let found = gradient.shape();
            return Err(shaped(format!("∂L/∂{name} has shape {found}, and must have that of {name}, {shape}")));
        }
        let yours = run(&at, *gradient).map_err(text)?;
        let expected = differences(at[i], |moved| {
            let mut at = at.clone();
            at[i] = moved;
            Ok(run(&at, loss)?[0])
        });
        elements +=
            compare(&format!("∂L/∂{name}"), name, shape.dims(), &yours, &expected.map_err(text)?).map_err(shaped)?;
    }
    Ok(elements)
}
