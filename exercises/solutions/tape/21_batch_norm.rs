use ign::tape::Var;

pub fn batch_norm<'t>(x: Var<'t>, gamma: Var<'t>, epsilon: f32, g: Var<'t>) -> [Var<'t>; 3] {
    let channels = gamma.shape();
    let n = (x.shape().elements() / channels.elements()) as f32;
    let spread = |v: Var<'t>| v.broadcast_channels(x.shape());

    let mean = x.sum_channels() / n;
    let centred = x - spread(mean);
    let variance = (centred * centred).sum_channels() / n;
    let deviation = (variance + epsilon).sqrt();
    let normalised = centred / spread(deviation);

    let beta_gradient = g.sum_channels();
    let gamma_gradient = (g * normalised).sum_channels();
    let means = spread(beta_gradient / n) + normalised * spread(gamma_gradient / n);
    let x_gradient = (g - means) * spread(gamma / deviation);
    [x_gradient, gamma_gradient, beta_gradient]
}
