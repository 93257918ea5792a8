// Puzzle 22: a gradient through f, not into f.
//
// y = f(z)  and  L = D(f(y), y),  with one network f, one list of parameters, and D the mean squared error. L shall change the
// inner application, which makes y. The outer application judges y, and its weights are frozen: a gradient of L passes through
// it on the way to y, and does not reach its weights. Something is wrong here. No copy of f is needed.
//
// Return the gradient of L with respect to each parameter, in the inner application alone.
//
// y            [N, D]
// loss         L, [1]
// parameters   those of f, which both applications share
//
// `tape.gradient(loss, &[a, …])` returns ∂loss/∂a, …, for a loss of one element. The walk stops at each variable of the list.
// `tape.vjp(y, g, &[a, …])` does so for y of any shape, where the gradient g has arrived.
//
// In the engine: `batch` in src/method/objective.rs.

use ign::tape::{Result, Var};

pub fn frozen<'t>(y: Var<'t>, loss: Var<'t>, parameters: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
    let tape = loss.tape();
    tape.gradient(loss, parameters)
}
