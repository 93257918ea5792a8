use super::lower::{Lower, Lowering};
use crate::gpu::ValueId;
use crate::tape::{Call, Op, Result, Shape, Sum, Tensor, Var};
use crate::{params, shader};

/// y = c₁·x₁ + c₂·x₂ + …, all of one shape.
///
/// ∂L/∂xᵢ = cᵢ·∂L/∂y
pub fn linear_combination<'t>(terms: &[(f32, Var<'t>)]) -> Result<Var<'t>> {
    let coefficients = terms.iter().map(|t| t.0).collect();
    let inputs: Vec<_> = terms.iter().map(|t| t.1).collect();
    let op = LinearCombination { coefficients };
    match inputs.first() {
        Some(first) => first.tape().record(op, &inputs),
        None => Err(crate::tape::TapeError::Shape {
            op: op.name(),
            shapes: vec![],
            message: "there is nothing to combine".into(),
        }),
    }
}

/// y = a + b
pub fn add<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    a.tape().record(Sum, &[a, b])
}

/// y = a − b
pub fn sub<'t>(a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
    linear_combination(&[(1.0, a), (-1.0, b)])
}

/// y = factor·x
pub fn scale<'t>(factor: f32, x: Var<'t>) -> Result<Var<'t>> {
    linear_combination(&[(factor, x)])
}

#[derive(Debug)]
pub(super) struct LinearCombination {
    coefficients: Vec<f32>,
}

impl Op for LinearCombination {
    fn name(&self) -> &'static str {
        "linear_combination"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        Sum.shape(inputs)
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let term = |(i, &c): (usize, &f32)| call.when(i, || scale(c, gradient));
        self.coefficients.iter().enumerate().map(term).collect()
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

params! {
    struct Params { quads: u32, c0: f32, c1: f32, c2: f32, c3: f32 }
}

/// Terms of one dispatch; the partial sum is one of them in every dispatch but the first.
const TERMS: usize = 4;

fn lower_terms(at: &mut Lowering<'_>, terms: &[(f32, ValueId)]) {
    let elements = at.shape.elements();
    let (mut rest, mut partial) = (terms, None);
    while !rest.is_empty() {
        let room = TERMS - usize::from(partial.is_some());
        let (now, later) = rest.split_at(room.min(rest.len()));
        let now: Vec<_> = partial.map(|p| (1.0, p)).into_iter().chain(now.iter().copied()).collect();
        let y = if later.is_empty() { at.output } else { at.scratch(elements) };
        let bindings: Vec<_> = ["x0", "x1", "x2", "x3"].into_iter().zip(&now).map(|(name, t)| (name, t.1)).collect();
        let c = |i: usize| now.get(i).map_or(0.0, |t| t.0);
        let params = Params { quads: at.quads(), c0: c(0), c1: c(1), c2: c(2), c3: c(3) };
        let entry = ["combine1", "combine2", "combine3", "combine4"][now.len() - 1];
        at.by_quads(shader!("linear_combination.wgsl"), entry, &[&bindings[..], &[("y", y)]].concat(), params);
        (rest, partial) = (later, Some(y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn any_number_of_terms(terms in 1usize..10, elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let x: Vec<_> = (0..terms).map(|i| tape.input(&format!("x{i}"), [elements])).collect();
            let weighted: Vec<_> = x.iter().enumerate().map(|(i, &x)| (i as f32 - 2.5, x)).collect();
            let y = linear_combination(&weighted)?;
            let y = add(y, sub(scale(3.0, x[0])?, y)?)?;
            differentiates(&tape, y, &x, seed)?;
            agrees(&tape, seed)?;
        }
    }
}
