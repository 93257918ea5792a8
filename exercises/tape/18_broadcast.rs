// Puzzle 18: broadcasting, backwards.
//
// y[n, c] = x[n, c] + b[c]: every sample n gets the same b. g = ∂L/∂y is known. Return ∂L/∂x and ∂L/∂b. One of them is wrong:
// it has the right shape, and not the right value.
//
// x, g   [N, C]
// b      [C]
//
// What was repeated forward is summed backward: b[c] reaches L by every sample.
//
// In the engine: src/ops/broadcast.rs, whose gradient is a reduction, and src/ops/reduction.rs, whose gradient is a broadcast.

use ign::tape::Var;

pub fn broadcast<'t>(g: Var<'t>) -> [Var<'t>; 2] {
    let samples = g.shape().batch();
    let first = g.slice(0, 1);
    [g, first.reshape([g.shape().elements() / samples])]
}
