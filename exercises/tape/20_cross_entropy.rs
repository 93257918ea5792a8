// Puzzle 20: softmax and cross-entropy together.
//
// p[n, k] = exp x[n, k] / Σⱼ exp x[n, j]  and  y = −1/N·Σₙ Σₖ t[n, k]·ln p[n, k],  with targets that sum to 1 for each sample.
// Given g = ∂L/∂y, return ∂L/∂x. The Jacobian of softmax alone is a matrix for each sample. Differentiate softmax and
// logarithm together, on paper, and little is left.
//
// x, t   [N, K]: logits and targets
// g      [1]
//
// `v.exp()`; `v.sum_per_sample()` is [N]; `v.broadcast(shape)` repeats v [N], or a single number, over [N, K].
// `x.shape().batch()` is N; a `Var` may be multiplied and divided by an f32.
//
// In the engine: src/ops/cross_entropy.rs.

use ign::tape::Var;

pub fn cross_entropy<'t>(x: Var<'t>, t: Var<'t>, g: Var<'t>) -> Var<'t> {
    x.tape().constant(0.0, x.shape())
}
