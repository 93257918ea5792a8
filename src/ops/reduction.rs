use super::lower::{Lower, Lowering};
use super::{broadcast, broadcast_channels, scale};
use crate::gpu::{Source, ValueId};
use crate::tape::{Call, Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// y = Σ x, of shape `[1]`. ∂L/∂xᵢ = ∂L/∂y
pub fn sum(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Reduction { over: Over::All }, &[x])
}

/// y = Σ x / n, of shape `[1]`. ∂L/∂xᵢ = ∂L/∂y / n
pub fn mean(x: Var<'_>) -> Result<Var<'_>> {
    scale(1.0 / x.shape().elements() as f32, sum(x)?)
}

/// yₙ = Σ xₙ, of shape `[N]`: the sum over all extents but the batch. ∂L/∂xₙᵢ = ∂L/∂yₙ
pub fn sum_per_sample(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Reduction { over: Over::Sample }, &[x])
}

/// yₙ = Σ xₙ / n, of shape `[N]`: the mean over all extents but the batch. ∂L/∂xₙᵢ = ∂L/∂yₙ / n
pub fn mean_per_sample(x: Var<'_>) -> Result<Var<'_>> {
    scale(1.0 / x.shape().per_sample() as f32, sum_per_sample(x)?)
}

/// y_c = Σ x\[n, c, …\], of shape `[C]`: the sum over all extents but the channel. ∂L/∂x\[n, c, …\] = ∂L/∂y_c
pub fn sum_channels(x: Var<'_>) -> Result<Var<'_>> {
    x.tape().record(Reduction { over: Over::Channel }, &[x])
}

#[derive(Clone, Copy, Debug)]
enum Over {
    All,
    Sample,
    Channel,
}

#[derive(Debug)]
pub(super) struct Reduction {
    over: Over,
}

/// `[outer, kept, inner]` of a tensor of which one extent is kept.
fn around_channel(shape: &Shape) -> [usize; 3] {
    let dims = shape.dims();
    [dims[0], dims[1], dims[2..].iter().product()]
}

impl Op for Reduction {
    fn name(&self) -> &'static str {
        match self.over {
            Over::All => "sum",
            Over::Sample => "sum_per_sample",
            Over::Channel => "sum_channels",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let x = inputs[0];
        match self.over {
            _ if x.elements() == 0 => Err("there is nothing to reduce".into()),
            Over::All => Ok([1].into()),
            Over::Sample => Ok([x.batch()].into()),
            Over::Channel if x.dims().len() < 2 => Err("the input must be [N, C, …]".into()),
            Over::Channel => Ok([x.dims()[1]].into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, g: Var<'t>) -> Result<Vec<Option<Var<'t>>>> {
        let shape = call.inputs[0].shape();
        let spread = || match self.over {
            Over::Channel => broadcast_channels(g, shape),
            _ => broadcast(g, shape),
        };
        Ok(vec![call.when(0, spread)?])
    }

    fn reference(&self, inputs: &[Tensor<'_>], output: &Shape) -> Vec<f64> {
        let (x, kept) = (inputs[0], output.elements());
        let run = match self.over {
            Over::Channel => around_channel(x.shape)[2],
            _ => x.data.len() / kept,
        };
        let mut y = vec![0.0; kept];
        x.data.iter().enumerate().for_each(|(i, x)| y[i / run % kept] += x);
        y
    }
}

impl Lower for Reduction {
    fn lower(&self, at: &mut Lowering<'_>) {
        let (x, y) = (at.inputs[0], at.output);
        if let Over::Channel = self.over {
            let [outer, kept, inner] = around_channel(&at.shapes[0]);
            let partial = if inner == 1 { x } else { at.scratch(outer * kept) };
            if inner > 1 {
                reduce(at, SUM, &[("x", x)], partial, Rows::contiguous(outer * kept, inner), 1.0);
            }
            reduce(at, SUM, &[("x", partial)], y, Rows { rows: kept, inner: outer, row: 1, step: kept }, 1.0);
        } else {
            let rows = at.shape.elements();
            reduce(at, SUM, &[("x", x)], y, Rows::contiguous(rows, at.shapes[0].elements() / rows), 1.0);
        }
    }
}

params! {
    struct Params { elements: u32, parts: u32, inner: u32, row: u32, step: u32, scale: f32 }
}

const SOURCE: Source = shader!("reduction.wgsl");
/// The entry point that adds elements themselves.
const SUM: &str = "sum_part";
/// What one invocation adds at most.
const FAN: usize = 64;

/// Rows to be reduced: element `i` of row `r` is at `r·row + i·step`.
pub(super) struct Rows {
    pub rows: usize,
    pub inner: usize,
    pub row: usize,
    pub step: usize,
}

impl Rows {
    /// Rows of `inner` elements, one after the other.
    pub fn contiguous(rows: usize, inner: usize) -> Self {
        Self { rows, inner, row: inner, step: 1 }
    }
}

/// y\[r\] = scale·Σ of row r, what is summed being up to `entry` of `reduction.wgsl`. As many dispatches as it takes.
pub(super) fn reduce(
    at: &mut Lowering<'_>,
    entry: &'static str,
    operands: &[(&'static str, ValueId)],
    y: ValueId,
    Rows { rows, inner, row, step }: Rows,
    scale: f32,
) {
    let parts = inner.div_ceil(FAN);
    let result = if parts == 1 { y } else { at.scratch(rows * parts) };
    let number = |x: usize| x as u32;
    let params = Params {
        elements: number(rows * parts),
        parts: number(parts),
        inner: number(inner),
        row: number(row),
        step: number(step),
        scale,
    };
    at.over(rows * parts, rows * inner, SOURCE, entry, &[operands, &[("y", result)]].concat(), params);
    if parts > 1 {
        reduce(at, SUM, &[("x", result)], y, Rows::contiguous(rows, parts), 1.0);
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
        fn any_shape((n, c, h) in (1usize..80, 1usize..5, 1usize..15), seed: u64) {
            for function in [sum, mean, sum_per_sample, mean_per_sample, sum_channels] {
                let tape = Tape::new();
                let x = tape.input("x", [n, c, h, 2]);
                let y = function(x)?;
                differentiates(&tape, y, &[x], seed)?;
                agrees(&tape, seed)?;
            }
        }
    }

    #[test]
    fn long_sums_take_several_stages() {
        let tape = Tape::new();
        let x = tape.input("x", [3, 1, 100_003]);
        sum(x).unwrap();
        sum_per_sample(x).unwrap();
        sum_channels(x).unwrap();
        agrees(&tape, 1).unwrap();
    }

    #[test]
    fn nothing_cannot_be_reduced() {
        let tape = Tape::new();
        assert!(sum(tape.input("x", [0, 3])).unwrap_err().to_string().contains("nothing to reduce"));
    }
}
