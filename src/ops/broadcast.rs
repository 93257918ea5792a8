use super::lower::{Lower, Lowering};
use super::{reshape, sum, sum_channels, sum_per_sample};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// Repeats x over `shape`: a single number everywhere, or `[N]` over each sample of `[N, …]`.
///
/// ∂L/∂x is the sum of ∂L/∂y over all, or over each sample.
pub fn broadcast(x: Var<'_>, shape: impl Into<Shape>) -> Result<Var<'_>> {
    x.tape().record(Broadcast { shape: shape.into(), along: Along::Batch }, &[x])
}

/// Repeats x `[C]` over `shape` `[N, C, …]`. ∂L/∂x is the sum of ∂L/∂y over all extents but the channel.
pub fn broadcast_channels(x: Var<'_>, shape: impl Into<Shape>) -> Result<Var<'_>> {
    x.tape().record(Broadcast { shape: shape.into(), along: Along::Channels }, &[x])
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
    /// Length of a run of equal elements in the output, for an input of `count` elements.
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

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
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

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let x = call.inputs[0].shape();
        let total = || match self.along {
            Along::Channels => sum_channels(g),
            Along::Batch if x.elements() == 1 => reshape(sum(g)?, x.clone()),
            Along::Batch => sum_per_sample(g),
        };
        Ok(vec![call.when(0, total)?])
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
        at.elementwise(shader!("broadcast.wgsl"), "broadcast", &[("x", at.inputs[0]), ("y", at.output)], params);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
                let y = if channels { broadcast_channels(x, shape)? } else { broadcast(x, shape)? };
                differentiates(&tape, y, &[x], seed)?;
                agrees(&tape, seed)?;
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let tape = Tape::new();
        let error = broadcast(tape.input("x", [3]), [4, 2]).unwrap_err().to_string();
        assert!(error.contains("[3]") && error.contains("[4, 2]"), "{error}");
    }
}
