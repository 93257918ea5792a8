use ign::tape::{Result, Var};

pub fn frozen<'t>(y: Var<'t>, loss: Var<'t>, parameters: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
    let tape = loss.tape();
    let y_gradient = tape.gradient(loss, &[y])?[0];
    tape.vjp(y, y_gradient, parameters)
}
