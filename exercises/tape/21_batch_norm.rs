// Puzzle 21: batch norm.
//
// For each channel c, over all samples and pixels: the mean μ, the variance v, the deviation s = √(v + ε), x̂ = (x − μ)/s, and
// y = γ·x̂ + β. g = ∂L/∂y is known. Return ∂L/∂x, ∂L/∂γ and ∂L/∂β. The last two are right. ∂L/∂x treats μ and s as if they
// were constants; but every x of the channel moves them.
//
// x, normalised (x̂), g   [N, C, P]
// gamma, deviation (s)   [C]
//
// `v.sum_channels()` is [C], the sum over all but the channel; `v.broadcast_channels(shape)` repeats v [C] over [N, C, P].
//
// In the engine: src/ops/batch_norm/, which needs two sums per channel and one pass over x.

use ign::tape::Var;

pub fn batch_norm<'t>(normalised: Var<'t>, gamma: Var<'t>, deviation: Var<'t>, g: Var<'t>) -> [Var<'t>; 3] {
    let shape = normalised.shape();
    let d_gamma = (g * normalised).sum_channels();
    let d_beta = g.sum_channels();
    let d_x = (gamma / deviation).broadcast_channels(shape) * g;
    [d_x, d_gamma, d_beta]
}
