use crate::tape::Applications;
use ign::tape::{Result, Var};

pub fn three_losses<'t>(of: &Applications<'t>) -> Result<[Vec<Var<'t>>; 3]> {
    let Applications { tape, x, fx, y, w, parameters } = of;
    let rec = tape.gradient(fx.mse(*x), parameters)?;
    let mut tight = tape.gradient(-w.mse(*y), &[&parameters[..], &[*y]].concat())?;
    let at_y = -tight.remove(parameters.len());
    let idem = tape.vjp(*y, at_y, parameters)?;
    Ok([rec, idem, tight])
}
