use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};
use crate::{params, shader};

impl<'t> Var<'t> {
    /// Repeats x over `shape`: a single number over all elements, or x `[N]` over the samples of `[N, …]`, yₙᵢ = xₙ.
    ///
    /// ∂L/∂x is the sum of ∂L/∂y over all elements, or per sample.
    #[track_caller]
    pub fn broadcast(self, shape: impl Into<Shape>) -> Self {
        self.tape().record(Broadcast { shape: shape.into(), along: Along::Batch }, &[self])
    }

    /// Repeats x `[C]` over `shape` `[N, C, …]`. ∂L/∂x is the sum of ∂L/∂y per channel.
    #[track_caller]
    pub fn broadcast_channels(self, shape: impl Into<Shape>) -> Self {
        self.tape().record(Broadcast { shape: shape.into(), along: Along::Channels }, &[self])
    }
}

#[derive(Clone, Copy, Debug)]
enum Along {
    Batch,
    Channels,
}

#[derive(Debug)]
pub(super) struct Broadcast {
    shape: Shape,
    along: Along,
}

impl Broadcast {
    /// Length of each run of equal elements in the output, for an input of `count` elements.
    fn run(&self, count: usize) -> usize {
        match self.along {
            Along::Batch => self.shape.elements() / count.max(1),
            Along::Channels => self.shape.dims()[2..].iter().product(),
        }
    }
}

impl Op for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let count = inputs[0].elements();
        let fits = match self.along {
            Along::Batch => count == 1 || inputs[0].dims() == [self.shape.batch()],
            Along::Channels => inputs[0].dims().len() == 1 && self.shape.dims().get(1) == Some(&count),
        };
        match fits {
            true => Ok(self.shape.clone()),
            false => Err(format!("cannot be repeated over {}", self.shape)),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        let x = call.inputs[0].shape();
        let total = || match self.along {
            Along::Channels => g.sum_channels(),
            Along::Batch if x.elements() == 1 => g.sum().reshape(x.clone()),
            Along::Batch => g.sum_per_sample(),
        };
        Some(vec![call.when(0, total)])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let (x, run) = (inputs[0].data, self.run(inputs[0].data.len()));
        (0..output.elements()).map(|i| x[i / run % x.len()]).collect()
    }
}

params! {
    struct Params { elements: u32, run: u32, count: u32 }
}

impl Lower for Broadcast {
    fn lower(&self, at: &mut Lowering<'_>) {
        let count = at.shapes[0].elements();
        let params = Params { elements: at.shape.elements() as u32, run: self.run(count) as u32, count: count as u32 };
        at.by_elements(shader!("broadcast.wgsl"), "broadcast", &[("x", at.inputs[0]), ("y", at.output)], params);
    }
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new(
        "x.broadcast(shape)",
        "a number everywhere, or x `[N]` over each sample",
        "Σ g, or its sum per sample",
        |tape| {
            let x = tape.input("x", [3]);
            Case { y: x.broadcast([3, 2, 5]), wrt: vec![x] }
        },
    ),
    Example::new("x.broadcast_channels(shape)", "x `[C]` over each channel", "Σ g per channel", |tape| {
        let x = tape.input("x", [3]);
        Case { y: x.broadcast_channels([2, 3, 5]), wrt: vec![x] }
    }),
];

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_shape((n, c, h) in (1usize..6, 1usize..6, 1usize..6), seed: u64) {
            for (count, channels) in [(1, false), (n, false), (c, true)] {
                let tape = Tape::new();
                let x = tape.input("x", [count]);
                let shape = [n, c, h, 3];
                let y = if channels { x.broadcast_channels(shape) } else { x.broadcast(shape) };
                differentiates(&tape, y, &[x], seed)?;
                agrees(&tape, seed)?;
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let tape = Tape::new();
        tape.input("x", [3]).broadcast([4, 2]);
        let error = tape.check().unwrap_err().to_string();
        assert!(error.contains("[3]") && error.contains("[4, 2]"), "{error}");
    }
}
