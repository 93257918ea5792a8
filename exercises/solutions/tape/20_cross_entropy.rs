use ign::tape::Var;

pub fn cross_entropy<'t>(x: Var<'t>, t: Var<'t>, g: Var<'t>) -> Var<'t> {
    let powers = x.exp();
    let softmax = powers / powers.sum_per_sample().broadcast(x.shape());
    (softmax - t) * (g / x.shape().batch() as f32).broadcast(x.shape())
}
