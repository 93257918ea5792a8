// Puzzle 21: the gradients of batch norm.
//
// For each channel, over all n = N·P elements: the mean μ, the variance σ², and x̂ = (x − μ)/√(σ² + ε). Then y = γ·x̂ + β.
// Given g = ∂L/∂y, return ∂L/∂x, ∂L/∂γ and ∂L/∂β. Something is wrong here.
//
// x, g          [N, C, P]
// gamma, beta   [C]
//
// In the engine: src/ops/batch_norm/mod.rs.

use ign::tape::Var;

pub fn batch_norm<'t>(x: Var<'t>, gamma: Var<'t>, epsilon: f32, g: Var<'t>) -> [Var<'t>; 3] {
    let channels = gamma.shape();
    let n = (x.shape().elements() / channels.elements()) as f32;
    let spread = |v: Var<'t>| v.broadcast_channels(x.shape());

    let mean = x.sum_channels() / n;
    let centred = x - spread(mean);
    let variance = (centred * centred).sum_channels() / n;
    let deviation = (variance + epsilon).sqrt();
    let normalised = centred / spread(deviation);

    let beta_gradient = g.sum_channels();
    let gamma_gradient = (g * normalised).sum_channels();
    let x_gradient = g * spread(gamma / deviation);
    [x_gradient, gamma_gradient, beta_gradient]
}
