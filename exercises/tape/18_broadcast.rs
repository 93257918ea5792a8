// Puzzle 18: the gradient of a broadcast.
//
// y = s·x + b, with a scale and a shift for each channel:  y[n, c, p] = s[c]·x[n, c, p] + b[c].  Given g = ∂L/∂y, return
// ∂L/∂x, ∂L/∂s and ∂L/∂b, each with the shape of its variable. Below are the rules for operands of one shape. Something is
// wrong with them here.
//
// x, g   [N, C, P]
// s, b   [C]
//
// On the tape a broadcast is an operation of its own: `v.broadcast_channels(shape)` repeats v [C] over the shape [N, C, P].
// Sums: `v.sum()` is [1], `v.sum_per_sample()` is [N], `v.sum_channels()` is [C].
//
// In the engine: src/ops/broadcast.rs and src/ops/reduction.rs. Each is the other's gradient.

use ign::tape::Var;

pub fn broadcast<'t>(x: Var<'t>, s: Var<'t>, g: Var<'t>) -> [Var<'t>; 3] {
    [g * s, g * x, g]
}
