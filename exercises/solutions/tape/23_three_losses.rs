use ign::tape::{Result, Var};

pub fn three_losses<'t>(
    [x, fx]: [Var<'t>; 2],
    [y, w]: [Var<'t>; 2],
    parameters: &[Var<'t>],
) -> Result<[Vec<Var<'t>>; 3]> {
    let tape = x.tape();
    let reconstruction = tape.gradient(fx.mse(x), parameters)?;
    // The walk stops at y, and so leaves the inner application alone.
    let mut tightness = tape.gradient(-w.mse(y), &[parameters, &[y]].concat())?;
    let y_gradient = -tightness.remove(parameters.len());
    let idempotence = tape.vjp(y, y_gradient, parameters)?;
    Ok([reconstruction, idempotence, tightness])
}
