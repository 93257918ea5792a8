use ign::tape::Var;

pub fn batch_norm<'t>(normalised: Var<'t>, gamma: Var<'t>, deviation: Var<'t>, g: Var<'t>) -> [Var<'t>; 3] {
    let shape = normalised.shape();
    let d_gamma = (g * normalised).sum_channels();
    let d_beta = g.sum_channels();
    let count = (shape.elements() / d_beta.shape().elements()) as f32;
    let mean_of_g = (d_beta / count).broadcast_channels(shape.clone());
    let along = normalised * (d_gamma / count).broadcast_channels(shape.clone());
    let d_x = (gamma / deviation).broadcast_channels(shape) * (g - mean_of_g - along);
    [d_x, d_gamma, d_beta]
}
