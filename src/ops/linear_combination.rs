//! Sums, differences, and products with numbers, as linear combinations.

use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::gpu::ValueId;
use crate::shader;
pub(super) use crate::tape::Sum;
use crate::tape::{Call, Gradients, Op, Shape, Tape, Tensor, Var};
use std::ops::{Add, Div, Mul, Neg, Sub};

impl Tape {
    /// y = c₁·x₁ + c₂·x₂ + …, all of one shape.
    ///
    /// ∂L/∂xᵢ = cᵢ·∂L/∂y
    #[track_caller]
    pub fn linear_combination<'t>(&'t self, terms: &[(f32, Var<'t>)]) -> Var<'t> {
        let inputs: Vec<_> = terms.iter().map(|t| t.1).collect();
        self.record(LinearCombination { coefficients: terms.iter().map(|t| t.0).collect() }, &inputs)
    }
}

impl<'t> Add for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn add(self, b: Self) -> Self {
        self.tape().record(Sum, &[self, b])
    }
}

impl<'t> Sub for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn sub(self, b: Self) -> Self {
        self.tape().linear_combination(&[(1.0, self), (-1.0, b)])
    }
}

impl<'t> Neg for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn neg(self) -> Self {
        -1.0 * self
    }
}

impl<'t> Mul<Var<'t>> for f32 {
    type Output = Var<'t>;

    #[track_caller]
    fn mul(self, x: Var<'t>) -> Var<'t> {
        x.tape().linear_combination(&[(self, x)])
    }
}

impl<'t> Mul<f32> for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn mul(self, factor: f32) -> Self {
        factor * self
    }
}

impl<'t> Div<f32> for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn div(self, divisor: f32) -> Self {
        1.0 / divisor * self
    }
}

impl<'t> Add<f32> for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn add(self, number: f32) -> Self {
        self + self.tape().constant(number, self.shape())
    }
}

impl<'t> Sub<f32> for Var<'t> {
    type Output = Self;

    #[track_caller]
    fn sub(self, number: f32) -> Self {
        self + -number
    }
}

impl<'t> Sub<Var<'t>> for f32 {
    type Output = Var<'t>;

    #[track_caller]
    fn sub(self, x: Var<'t>) -> Var<'t> {
        x.tape().constant(self, x.shape()) - x
    }
}

impl<'t> Div<Var<'t>> for f32 {
    type Output = Var<'t>;

    #[track_caller]
    fn div(self, x: Var<'t>) -> Var<'t> {
        x.tape().constant(self, x.shape()) / x
    }
}

#[derive(Debug)]
pub(super) struct LinearCombination {
    coefficients: Vec<f32>,
}

impl Op for LinearCombination {
    fn name(&self) -> &'static str {
        "linear_combination"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Sum.shape(inputs)
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(self.coefficients.iter().enumerate().map(|(i, &c)| call.when(i, || c * g)).collect())
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let term = |i: usize| self.coefficients.iter().zip(inputs).map(move |(&c, x)| f64::from(c) * x.data[i]);
        (0..output.elements()).map(|i| term(i).sum()).collect()
    }
}

impl Lower for LinearCombination {
    fn lower(&self, at: &mut Lowering<'_>) {
        let terms: Vec<_> = self.coefficients.iter().copied().zip(at.inputs.clone()).collect();
        lower_terms(at, &terms);
    }
}

impl Lower for Sum {
    fn lower(&self, at: &mut Lowering<'_>) {
        let terms: Vec<_> = at.inputs.iter().map(|&x| (1.0, x)).collect();
        lower_terms(at, &terms);
    }
}

/// Number of terms per dispatch. In every dispatch but the first, one of the terms is the partial sum.
const TERMS: usize = 4;

fn lower_terms(at: &mut Lowering<'_>, terms: &[(f32, ValueId)]) {
    let (mut rest, mut partial) = (terms, None);
    while !rest.is_empty() {
        let room = TERMS - usize::from(partial.is_some());
        let (now, later) = rest.split_at(room.min(rest.len()));
        let now = partial.map(|p| (1.0, p)).into_iter().chain(now.iter().copied());
        let (coefficients, operands): (Vec<_>, Vec<_>) = now.unzip();
        let y = if later.is_empty() { at.output } else { at.scratch(at.shape.elements()) };
        at.elementwise_into(y, shader!("linear_combination.wgsl"), &operands, &coefficients);
        (rest, partial) = (later, Some(y));
    }
}

fn of<'t>(tape: &'t Tape, operation: fn(Var<'t>, Var<'t>) -> Var<'t>) -> Case<'t> {
    let (a, b) = (tape.input("a", [3, 5]), tape.input("b", [3, 5]));
    Case { y: operation(a, b), wrt: vec![a, b] }
}

fn of_one<'t>(tape: &'t Tape, operation: fn(Var<'t>) -> Var<'t>) -> Case<'t> {
    let x = tape.input("x", [3, 5]);
    Case { y: operation(x), wrt: vec![x] }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("a + b", "a + b", "a: g, b: g", |tape| of(tape, |a, b| a + b)),
    Example::new("a - b", "a − b", "a: g, b: −g", |tape| of(tape, |a, b| a - b)),
    Example::new("-x", "−x", "−g", |tape| of_one(tape, |x| -x)),
    Example::new("c * x, x / c", "c·x, x/c, with a number c", "c·g, g/c", |tape| of_one(tape, |x| 2.0 * x / 3.0)),
    Example::new("x + c, x - c, c - x", "x + c, x − c, c − x, with a number c", "g, g, −g", |tape| {
        of_one(tape, |x| 1.5 - (x + 0.5 - 2.0))
    }),
    Example::new("tape.linear_combination(&[(c, x), …])", "Σ cᵢ·xᵢ", "xᵢ: cᵢ·g", |tape| {
        of(tape, |a, b| {
            // Two dispatches: of four terms, and of two more.
            let terms = [(0.5, a), (-2.0, b), (2.0, a), (0.25, b), (-1.5, a), (0.75, b)];
            a.tape().linear_combination(&terms)
        })
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_number_of_terms(terms in 1usize..10, elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let x: Vec<_> = (0..terms).map(|i| tape.input(&format!("x{i}"), [elements])).collect();
            let weighted: Vec<_> = x.iter().enumerate().map(|(i, &x)| (i as f32 - 2.5, x)).collect();
            let y = tape.linear_combination(&weighted);
            let y = y + (3.0 * x[0] - y);
            differentiates(&tape, y, &x, seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn nothing_cannot_be_added() {
        let tape = Tape::new();
        tape.linear_combination(&[]);
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("linear_combination: there is nothing to add"), "{error}");
    }
}
