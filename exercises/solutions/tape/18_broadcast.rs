use ign::tape::Var;

pub fn broadcast<'t>(x: Var<'t>, s: Var<'t>, g: Var<'t>) -> [Var<'t>; 3] {
    [g * s.broadcast_channels(x.shape()), (g * x).sum_channels(), g.sum_channels()]
}
