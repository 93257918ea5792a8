// Puzzle 23: the three losses of an Idempotent Generative Network.
//
// f has one list of parameters. y = f(z) and w = f(y). Return the gradients of the three losses:
//
//   rec     D(f(x), x)      images are kept           reaches f
//   idem    D(w, y)         samples are kept          reaches the inner f only, which makes y
//   tight   −D(w, y)        nothing else is kept      reaches the outer f only, which judges y
//
// idem and tight are one number with two signs, and pull at different applications. Below, each gradient reaches all of them, so
// that idem and tight cancel. Hint for elegance: one walk back from D(w, y) gives both the gradients of the outer f and the one
// that arrives at y.
//
// In the engine: `unclamped` in src/method/objective.rs.

use crate::tape::Applications;
use ign::tape::{Result, Var};

pub fn three_losses<'t>(of: &Applications<'t>) -> Result<[Vec<Var<'t>>; 3]> {
    let Applications { tape, x, fx, y, w, parameters } = of;
    let _ = y;
    let rec = tape.gradient(fx.mse(*x), parameters)?;
    let idem = tape.gradient(w.mse(*y), parameters)?;
    let tight = tape.gradient(-w.mse(*y), parameters)?;
    Ok([rec, idem, tight])
}
