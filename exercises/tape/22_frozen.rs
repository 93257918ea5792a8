// Puzzle 22: a frozen application.
//
// y = f(z), w = f(y) and loss = D(w, y), with one network f that has these parameters. The loss should change the *inner* f, so
// that it makes better y. The outer f only judges: its parameters are frozen. There is one list of parameters, so
// `gradient(loss, parameters)` reaches both applications: it is the wrong answer, and stands below. No copy of f is needed.
//
// `y.tape().gradient(loss, &[a, b, …])` stops at each variable of its list. `y.tape().vjp(y, g, &[…])` goes on from y, with the
// gradient g that arrives there.
//
// In the engine: `batch` in src/method/objective.rs.

use ign::tape::{Result, Var};

pub fn frozen<'t>(y: Var<'t>, loss: Var<'t>, parameters: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
    y.tape().gradient(loss, parameters)
}
