// Puzzle 22: a gradient through f, not into f.
//
// y = f(z)  and  L = D(f(y), y),  with one network f and one list of parameters. The inner application makes y. The outer
// application judges it: L shall change the inner application, and the weights of the outer one are frozen. Gradients of L
// still pass through the outer application, on their way to y. Something is wrong here. No copy of f is needed.
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
