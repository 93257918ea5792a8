// Puzzle 15: square.
//
// y = x², element by element. Somewhere later a loss L is computed from y, and g = ∂L/∂y is known. Return ∂L/∂x, as lines on
// the tape: operators on variables record them, and compute nothing.
//
// x, g   variables of one shape
//
// In the engine: `vjp` in src/ops/arithmetic.rs.

use ign::tape::Var;

pub fn square<'t>(x: Var<'t>, g: Var<'t>) -> Var<'t> {
    // This would be right for y = x.
    let _ = x;
    g
}
