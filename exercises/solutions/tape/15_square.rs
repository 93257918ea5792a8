use ign::tape::Var;

pub fn square(x: f64, g: f64) -> f64 {
    g * 2.0 * x
}

pub fn square_on_tape<'t>(x: Var<'t>, g: Var<'t>) -> Var<'t> {
    g * 2.0 * x
}
