// Puzzle 23: which loss changes which application.
//
// An Idempotent Generative Network (arXiv 2311.01462) f maps images x to themselves, and noise z to images: y = f(z) and
// w = f(y). All applications share one list of parameters. Return the gradients of its three losses:
//
//   reconstruction    D(f(x), x)
//   idempotence       D(w, y)      changes the inner application, y = f(z); the outer one is frozen
//   tightness         −D(w, y)     changes the outer application, w = f(y); y is constant
//
// Something is wrong here: idempotence and tightness cancel. Two walks are enough for what both need.
//
// x, fx, y, w   [N, D]
// parameters    those of f
//
// In the engine: `unclamped` in src/method/objective.rs.

use ign::tape::{Result, Var};

pub fn three_losses<'t>(
    [x, fx]: [Var<'t>; 2],
    [y, w]: [Var<'t>; 2],
    parameters: &[Var<'t>],
) -> Result<[Vec<Var<'t>>; 3]> {
    let tape = x.tape();
    let reconstruction = tape.gradient(fx.mse(x), parameters)?;
    let distance = w.mse(y);
    let idempotence = tape.gradient(distance, parameters)?;
    let tightness = tape.gradient(-distance, parameters)?;
    Ok([reconstruction, idempotence, tightness])
}
