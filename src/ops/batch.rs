use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::gpu::{ValueId, Wgsl};
use crate::tape::{Call, Gradients, Op, Shape, Tape, Tensor, Var};
use crate::{params, shader};

impl Tape {
    /// Concatenates `parts` along the batch: `[N₁ + N₂ + …, …]` from `[N₁, …]`, `[N₂, …]`, …. ∂L/∂partᵢ is the slice of
    /// ∂L/∂y at the samples of part i.
    #[track_caller]
    pub fn concat<'t>(&'t self, parts: &[Var<'t>]) -> Var<'t> {
        self.record(Concat, parts)
    }
}

impl<'t> Var<'t> {
    /// Samples `start .. start + count` of a batch, `[count, …]`. ∂L/∂x is ∂L/∂y at these samples and 0 elsewhere.
    #[track_caller]
    pub fn slice(self, start: usize, count: usize) -> Self {
        self.tape().record(Slice { start, count }, &[self])
    }
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

/// The adjoint of a slice: x from sample `start` on, in a batch of `batch` samples that is zero elsewhere.
#[derive(Debug)]
pub(super) struct Embed {
    start: usize,
    batch: usize,
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let Some(first) = inputs.first() else { return Err("there is nothing to join".into()) };
        let alike = inputs.iter().all(|s| !s.dims().is_empty() && with_batch(s, 1) == with_batch(first, 1));
        match alike {
            true => Ok(with_batch(first, inputs.iter().map(|s| s.batch()).sum())),
            false => Err("parts must have one shape, except for the batch size".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let mut start = 0;
        let part = |(i, part): (usize, &Var<'t>)| {
            let count = part.shape().batch();
            start += count;
            call.when(i, || g.slice(start - count, count))
        };
        Some(call.inputs.iter().enumerate().map(part).collect())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs.iter().flat_map(|x| x.data.iter().copied()).collect()
    }
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0].dims() {
            [batch, ..] if self.count > 0 && self.start.checked_add(self.count).is_some_and(|end| end <= *batch) => {
                Ok(with_batch(inputs[0], self.count))
            }
            _ => Err(format!("has no {} samples from sample {} on", self.count, self.start)),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let embed = Embed { start: self.start, batch: call.inputs[0].shape().batch() };
        Some(vec![call.when(0, || g.tape().record(embed, &[g]))])
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

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(with_batch(inputs[0], self.batch))
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![call.when(0, || g.slice(self.start, call.inputs[0].shape().batch()))])
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

const SOURCE: Wgsl = shader!("batch.wgsl");

fn copy(at: &mut Lowering<'_>, entry: &'static str, x: ValueId, elements: usize, offset: usize, length: usize) {
    let params = Params { elements: elements as u32, offset: offset as u32, length: length as u32 };
    at.over(elements, 0, &[SOURCE], entry, &[("x", x), ("y", at.output)], params);
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

pub(super) const EXAMPLES: &[Example] = &[
    Example::new(
        "tape.concat(&[a, b, …])",
        "the samples of a, b, …, one part after the other",
        "its slice of g",
        |tape| {
            let (a, b) = (tape.input("a", [2, 5]), tape.input("b", [3, 5]));
            Case { y: tape.concat(&[a, b]), wrt: vec![a, b] }
        },
    ),
    Example::new("x.slice(start, count)", "samples start .. start + count", "g there, 0 elsewhere", |tape| {
        let x = tape.input("x", [4, 5]);
        Case { y: x.slice(1, 2), wrt: vec![x] }
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn joined_and_cut((n, m, inner) in (1usize..5, 1usize..5, 1usize..70), start in 0usize..8, seed: u64) {
            let tape = Tape::new();
            let (a, b) = (tape.input("a", [n, inner]), tape.input("b", [m, inner]));
            let joined = tape.concat(&[a, b, a]);
            let start = start % (2 * n + m);
            let cut = joined.slice(start, 2 * n + m - start);
            let y = tape.concat(&[cut * cut, joined]);
            differentiates(&tape, y, &[a, b], seed)?;
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |record: for<'t> fn(&'t Tape) -> Var<'t>| {
            let tape = Tape::new();
            record(&tape);
            tape.check().unwrap_err().to_string()
        };
        let error = refused(|tape| tape.concat(&[tape.input("a", [2, 3]), tape.input("b", [2, 4])]));
        assert!(error.contains("[2, 3] and [2, 4]"), "{error}");
        let error = refused(|tape| tape.input("a", [2, 3]).slice(1, 2));
        assert!(error.contains("no 2 samples from sample 1"), "{error}");
        assert!(refused(|tape| tape.concat(&[])).contains("nothing to join"));
    }
}
