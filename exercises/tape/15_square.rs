// Puzzle 15: the gradient rule of one operation.
//
// L depends on x through y = x² alone. How L depends on y is not known; only g = ∂L/∂y is, for the given x. Return ∂L/∂x.
// First for numbers. Then for tensors, element by element, on the tape. Operators on a `Var` compute nothing: they record
// lines. The gradient is therefore more lines on the same tape.
//
// x, g   two numbers; then two variables of one shape
//
// In the engine: the gradient rule of a product, in src/ops/arithmetic.rs.

use ign::tape::Var;

pub fn square(x: f64, g: f64) -> f64 {
    0.0
}

pub fn square_on_tape<'t>(x: Var<'t>, g: Var<'t>) -> Var<'t> {
    x.tape().constant(0.0, x.shape())
}
