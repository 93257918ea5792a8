use ign::tape::Var;

pub fn square<'t>(x: Var<'t>, g: Var<'t>) -> Var<'t> {
    2.0 * (g * x)
}
