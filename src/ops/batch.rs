use super::lower::{Lower, Lowering};
use crate::gpu::{Source, ValueId};
use crate::tape::{Call, Op, Result, Shape, TapeError, Tensor, Var};
use crate::{params, shader};

/// The samples of all `parts` in one batch, one part after the other. ∂L/∂partᵢ is its slice of ∂L/∂y.
pub fn concat<'t>(parts: &[Var<'t>]) -> Result<Var<'t>> {
    match parts.first() {
        Some(first) => first.tape().record(Concat, parts),
        None => Err(TapeError::Shape { op: "concat", shapes: vec![], message: "there is nothing to join".into() }),
    }
}

/// Samples `start .. start + count` of a batch. ∂L/∂x is ∂L/∂y there and 0 elsewhere.
pub fn slice(x: Var<'_>, start: usize, count: usize) -> Result<Var<'_>> {
    x.tape().record(Slice { start, count }, &[x])
}

fn with_batch(shape: &Shape, batch: usize) -> Shape {
    let mut dims = shape.dims().to_vec();
    dims[0] = batch;
    dims.into()
}

#[derive(Debug)]
pub(super) struct Concat;

#[derive(Debug)]
pub(super) struct Slice {
    start: usize,
    count: usize,
}

/// The adjoint of a slice: x at samples `start ..` of a batch of `batch` that is zero elsewhere.
#[derive(Debug)]
pub(super) struct Embed {
    start: usize,
    batch: usize,
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let first = inputs[0];
        let alike = inputs.iter().all(|s| !s.dims().is_empty() && with_batch(s, 1) == with_batch(first, 1));
        match alike {
            true => Ok(with_batch(first, inputs.iter().map(|s| s.batch()).sum())),
            false => Err("parts may differ in the batch only".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let mut start = 0;
        let part = |(i, part): (usize, &Var<'t>)| {
            let count = part.shape().batch();
            start += count;
            call.when(i, || slice(g, start - count, count))
        };
        call.inputs.iter().enumerate().map(part).collect()
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs.iter().flat_map(|x| x.data.iter().copied()).collect()
    }
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        match inputs[0].dims() {
            [batch, ..] if self.count > 0 && self.start + self.count <= *batch => Ok(with_batch(inputs[0], self.count)),
            _ => Err(format!("has no {} samples from sample {} on", self.count, self.start)),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let embed = Embed { start: self.start, batch: call.inputs[0].shape().batch() };
        Ok(vec![call.when(0, || g.tape().record(embed, &[g]))?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let first = self.start * output.per_sample();
        inputs[0].data[first..first + output.elements()].to_vec()
    }
}

impl Op for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        Ok(with_batch(inputs[0], self.batch))
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        Ok(vec![call.when(0, || slice(g, self.start, call.inputs[0].shape().batch()))?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let mut y = vec![0.0; output.elements()];
        let first = self.start * output.per_sample();
        y[first..first + inputs[0].data.len()].copy_from_slice(inputs[0].data);
        y
    }
}

params! {
    struct Params { elements: u32, offset: u32, length: u32 }
}

const SOURCE: Source = shader!("batch.wgsl");

fn copy(at: &mut Lowering<'_>, entry: &'static str, x: ValueId, elements: usize, offset: usize, length: usize) {
    let params = Params { elements: elements as u32, offset: offset as u32, length: length as u32 };
    at.over(elements, 0, SOURCE, entry, &[("x", x), ("y", at.output)], params);
}

impl Lower for Concat {
    fn lower(&self, at: &mut Lowering<'_>) {
        let parts: Vec<_> = at.inputs.iter().copied().zip(at.shapes.iter().map(Shape::elements)).collect();
        let mut offset = 0;
        for (x, elements) in parts {
            copy(at, "put", x, elements, offset, elements);
            offset += elements;
        }
    }
}

impl Lower for Slice {
    fn lower(&self, at: &mut Lowering<'_>) {
        let elements = at.shape.elements();
        copy(at, "take", at.inputs[0], elements, self.start * at.shape.per_sample(), elements);
    }
}

impl Lower for Embed {
    fn lower(&self, at: &mut Lowering<'_>) {
        let (elements, length) = (at.shape.elements(), at.shapes[0].elements());
        copy(at, "embed", at.inputs[0], elements, self.start * at.shape.per_sample(), length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::mul;
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn joined_and_cut((n, m, inner) in (1usize..5, 1usize..5, 1usize..70), start in 0usize..8, seed: u64) {
            let tape = Tape::new();
            let (a, b) = (tape.input("a", [n, inner]), tape.input("b", [m, inner]));
            let joined = concat(&[a, b, a])?;
            let start = start % (2 * n + m);
            let cut = slice(joined, start, 2 * n + m - start)?;
            let y = concat(&[mul(cut, cut)?, joined])?;
            differentiates(&tape, y, &[a, b], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let tape = Tape::new();
        let (a, b) = (tape.input("a", [2, 3]), tape.input("b", [2, 4]));
        assert!(concat(&[a, b]).unwrap_err().to_string().contains("[2, 3] and [2, 4]"));
        assert!(slice(a, 1, 2).unwrap_err().to_string().contains("no 2 samples from sample 1"));
        assert!(concat(&[]).is_err());
    }
}
