use super::unet::UNet;
use super::{BaselineConfig, Model, NETWORK, SAMPLES};
use crate::compile::Compiled;
use crate::descent::Recorded;
use crate::error::Error;
use crate::nn::{Mode, Sequential};
use crate::random::{Stream, stream};
use crate::tape::{Result, Var};
use rand::RngExt;

/// The model of [`Kind::Flow`](super::Kind::Flow).
pub(super) struct Flow {
    velocity: UNet,
    sampling_steps: usize,
}

/// Name of the input `[N]` with the times t.
const TIMES: &str = "t";
/// Name of the input `[N, 32]` with the features of the times.
const FEATURES: &str = "features";

impl Flow {
    pub fn new(w: usize, sampling_steps: usize) -> Self {
        Self { velocity: UNet::new(w), sampling_steps }
    }
}

impl Model for Flow {
    fn latents(&self) -> usize {
        NETWORK.image().iter().product()
    }

    fn networks(&self) -> Vec<&Sequential> {
        self.velocity.networks()
    }

    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Recorded<'t>> {
        let (tape, n) = (x.tape(), x.shape().batch());
        let (t, features) = (tape.input(TIMES, [n]), tape.input(FEATURES, [n, UNet::FEATURES]));
        let noise = z.reshape(x.shape());
        let velocity = x - noise;
        let between = noise + t.broadcast(x.shape()) * velocity;
        let found = self.velocity.apply(between, features, Mode::Train { prefixes: &[""], dropout: None });
        let loss = found.mse(velocity);
        let parameters: Vec<_> = self.networks().iter().flat_map(|network| network.on(tape)).collect();
        let gradients = tape.gradient(loss, &parameters)?;
        Ok(Recorded { losses: vec![("velocity", loss)], parameters, gradients })
    }

    fn inputs(&self, config: &BaselineConfig, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let mut rng = stream(config.seed, Stream::Augmentation, done);
        let times: Vec<f32> = (0..config.batch).map(|_| rng.random()).collect();
        let features = times.iter().flat_map(|&t| UNet::features(t)).collect();
        vec![(TIMES, times), (FEATURES, features)]
    }

    /// One step of Euler's method.
    fn decode<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (n, [c, h, w]) = (z.shape().batch(), NETWORK.image());
        let (x, features) = (z.reshape([n, c, h, w]), z.tape().input(FEATURES, [n, UNet::FEATURES]));
        x + self.velocity.apply(x, features, Mode::Running("")) / self.sampling_steps as f32
    }

    fn generate(&self, program: &Compiled, z: &[f32]) -> std::result::Result<Vec<f32>, Error> {
        let mut x = z.to_vec();
        for i in 0..self.sampling_steps {
            let features = UNet::features(i as f32 / self.sampling_steps as f32);
            program.write(FEATURES, &features.repeat(SAMPLES))?;
            x = program.blocking_run_batched("z", &x, [SAMPLES, self.latents()], &["y"])?.concat();
        }
        Ok(x.into_iter().map(|x| x.clamp(-1.0, 1.0)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{differentiates, feeds};

    #[test]
    fn the_velocity_is_learned_on_the_line_from_noise_to_image() {
        let (model, tape) = (Flow::new(1, 2), Tape::new());
        let (x, z) = (tape.input("x", [2, 1, 28, 28]), tape.input("z", [2, 784, 1, 1]));
        let step = model.record(x, z).unwrap();
        let fed = feeds(&tape, 5);
        let slices: Vec<_> = fed.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        let values = tape.interpret(&slices).unwrap();
        let get = |name: &str| tape.all(|node| node.name() == name)[0];
        let [x, z, t] = ["x", "z", "t"].map(|name| values.get(get(name)));
        // The same network on a tape whose input is x_t.
        let alone = Tape::new();
        let between = alone.input("between", [2, 1, 28, 28]);
        let features = alone.input(FEATURES, [2, UNet::FEATURES]);
        let velocity = model.velocity.apply(between, features, Mode::Batch);
        let at: Vec<f64> = (0..x.len()).map(|i| (1.0 - t[i / 784]) * z[i] + t[i / 784] * x[i]).collect();
        let state = alone.all(|node| node.inputs.is_empty() && node.name() != "between");
        let given: Vec<_> =
            state.iter().map(|v| (*v, values.get(get(&v.name())))).chain([(between, &at[..])]).collect();
        let found = alone.interpret(&given).unwrap().get(velocity).to_vec();
        let squares: f64 = found.iter().zip(x.iter().zip(z)).map(|(v, (x, z))| (v - (x - z)).powi(2)).sum();
        let loss = values.get(step.losses[0].1)[0];
        assert!((loss - squares / 1568.0).abs() < 1e-9 * loss, "{loss} {}", squares / 1568.0);
        let weights = step.parameters.iter().filter(|p| p.name().ends_with("weight")).take(2).copied();
        differentiates(&tape, step.losses[0].1, &weights.collect::<Vec<_>>(), 3).unwrap();
    }
}
