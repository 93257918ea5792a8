use super::{BaselineConfig, Kind, Model, NETWORK, network};
use crate::descent::Recorded;
use crate::nn::{Adam, Layer, Mode, Sequential};
use crate::random::{Stream, stream};
use crate::tape::{Result, Var};
use rand::RngExt;

/// The model of [`Kind::WganGp`].
pub(super) struct WganGp {
    latents: usize,
    generator: Sequential,
    critic: Sequential,
    critic_steps: usize,
}

/// Weight λ of the gradient penalty.
const PENALTY: f32 = 10.0;
/// Name of the input `[N]` with the weights u of the interpolations.
const WEIGHTS: &str = "interpolation";
/// Name of the input `[critic_steps, 2]` with the rates of Adam for each update of the critic.
const RATES: &str = "critic.rates";

impl WganGp {
    pub fn new(w: usize, critic_steps: usize) -> Self {
        let latents = NETWORK.latents(w);
        let mut critic = NETWORK.encoder(w, 1);
        critic.retain(|layer| !matches!(layer, Layer::BatchNorm { .. }));
        critic.push(Layer::Flatten);
        Self {
            latents,
            generator: network("generator.", NETWORK.decoder(latents, w)),
            critic: network("critic.", critic),
            critic_steps,
        }
    }

    fn adam(&self, learning_rate: f64) -> Adam {
        Kind::WganGp { critic_steps: self.critic_steps }.adam(learning_rate)
    }

    /// mean D(images), of shape `[1]`.
    fn mean<'t>(&self, images: Var<'t>) -> Var<'t> {
        self.critic.apply(images, Mode::Batch).mean()
    }

    /// mean (|∂D(x̂)/∂x̂| − 1)², of shape `[1]`, for x̂ = u·x + (1 − u)·`made`.
    fn penalty<'t>(&self, x: Var<'t>, made: Var<'t>, u: Var<'t>) -> Result<Var<'t>> {
        let between = made + u.broadcast(x.shape()) * (x - made);
        // An image has no influence on the D of another, so that the gradient of the sum is that of each.
        let slope = x.tape().gradient(self.critic.apply(between, Mode::Batch).sum(), &[between])?[0];
        // The root has no derivative at 0.
        let excess = ((slope * slope).sum_per_sample() + 1e-12).sqrt() - 1.0;
        Ok((excess * excess).mean())
    }
}

impl Model for WganGp {
    fn latents(&self) -> usize {
        self.latents
    }

    fn networks(&self) -> Vec<&Sequential> {
        vec![&self.generator, &self.critic]
    }

    fn latent_batches(&self) -> usize {
        self.critic_steps + 1
    }

    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Recorded<'t>> {
        let (tape, n) = (x.tape(), x.shape().batch() / self.critic_steps);
        let (u, rates) = (tape.input(WEIGHTS, [self.critic_steps * n]), tape.input(RATES, [self.critic_steps, 2]));
        let [g, d] = [self.generator.on(tape), self.critic.on(tape)];
        let mut losses = vec![];
        for i in 0..self.critic_steps {
            let [x, z, u] = [x, z, u].map(|all| all.slice(i * n, n));
            let made = self.generator.apply(z, Mode::Batch);
            let distance = self.mean(x) - self.mean(made);
            let penalty = self.penalty(x, made, u)?;
            let gradients = tape.gradient(PENALTY * penalty - distance, &d)?;
            // What is recorded from here on reads the updated critic.
            self.adam(0.0).record_at(rates.slice(i, 1), &d, &gradients);
            losses = vec![("distance", distance), ("penalty", penalty)];
        }
        let z = z.slice(self.critic_steps * n, n);
        let made = self.generator.apply(z, Mode::Train { prefixes: &[""], dropout: None });
        let generator = -self.mean(made);
        losses.push(("generator", generator));
        let gradients = tape.gradient(generator, &g)?;
        Ok(Recorded { losses, parameters: g, gradients })
    }

    fn inputs(&self, config: &BaselineConfig, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let mut rng = stream(config.seed, Stream::Augmentation, done);
        let weights = (0..self.critic_steps * config.batch).map(|_| rng.random()).collect();
        let first = done * self.critic_steps as u64 + 1;
        let adam = self.adam(config.learning_rate);
        let rates = (first..first + self.critic_steps as u64).flat_map(|t| adam.rates(t)).collect();
        vec![(WEIGHTS, weights), (RATES, rates)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Tape, Values};
    use crate::testing::{Feeds, agrees, differentiates, feeds};

    /// The gradient of the penalty holds second derivatives of every layer of the critic.
    #[test]
    fn the_penalty_has_the_gradient_of_its_central_differences() {
        let (model, tape) = (WganGp::new(1, 1), Tape::new());
        let [x, made] = ["x", "made"].map(|name| tape.input(name, [2, 1, 28, 28]));
        let penalty = model.penalty(x, made, tape.input("u", [2])).unwrap();
        let weights: Vec<_> = model.critic.on(&tape).into_iter().filter(|p| p.name().ends_with("weight")).collect();
        assert_eq!(weights.len(), 4);
        differentiates(&tape, penalty, &weights, 3).unwrap();
        agrees(&tape, 3).unwrap();
    }

    /// A linear critic D(x) = a·x has the gradient a everywhere.
    #[test]
    fn the_penalty_is_of_the_norm_of_the_gradient() {
        let layers = vec![Layer::Flatten, Layer::Linear { inputs: 3, outputs: 1 }];
        let model = WganGp { critic: network("critic.", layers), ..WganGp::new(1, 1) };
        let tape = Tape::new();
        let [x, made] = ["x", "made"].map(|name| tape.input(name, [2, 3, 1, 1]));
        let u = tape.input("u", [2]);
        let penalty = model.penalty(x, made, u).unwrap();
        let [weight, bias] = model.critic.on(&tape)[..] else { panic!() };
        let fed: [(Var<'_>, &[f64]); 5] =
            [(x, &[0.5; 6]), (made, &[0.0; 6]), (u, &[0.3, 0.8]), (weight, &[2.0, -3.0, 6.0]), (bias, &[1.0])];
        let found = tape.interpret(&fed).unwrap().get(penalty)[0];
        // |a| is 7.
        assert!((found - 36.0).abs() < 1e-6, "{found}");
    }

    fn interpret<'t>(tape: &'t Tape, feeds: &Feeds<'_>) -> Values<'t> {
        let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        tape.interpret(&slices).unwrap()
    }

    /// Two steps of one update of the critic each give the parameters of a step with two.
    #[test]
    fn the_critic_moves_before_the_generator() {
        let (model, tape) = (WganGp::new(1, 2), Tape::new());
        let (x, z) = (tape.input("x", [4, 1, 28, 28]), tape.input("z", [6, model.latents, 1, 1]));
        let step = model.record(x, z).unwrap();
        let parameter = |v: &Var<'_>| v.name().starts_with("critic.") && v.name().ends_with("weight");
        let at = |fed: &Feeds<'_>| {
            let values = interpret(&tape, fed);
            let critic = fed.iter().filter(|(v, _)| parameter(v)).map(|(v, _)| values.get(*v).to_vec());
            (critic.collect::<Vec<_>>(), values.get(step.losses[2].1)[0])
        };
        // Moments are at zero, and the rates of the second update alone.
        let mut fed = feeds(&tape, 4);
        fed.iter_mut().filter(|(v, _)| v.name().starts_with("adam.")).for_each(|(_, m)| m.fill(0.0));
        let with = |rates: [f64; 4]| {
            let mut fed = fed.clone();
            fed.iter_mut().filter(|(v, _)| v.name() == RATES).for_each(|(_, r)| *r = rates.to_vec());
            at(&fed)
        };
        let (still, loss) = with([0.0, 1.0, 0.0, 1.0]);
        let (first, _) = with([1e-3, 1.0, 0.0, 1.0]);
        let (both, moved) = with([1e-3, 1.0, 1e-3, 1.0]);
        assert!(still != first && first != both);
        // The generator's loss is that of the critic after its updates.
        assert_ne!(loss, moved);
        let start: Vec<_> = fed.iter().filter(|(v, _)| parameter(v)).map(|(_, data)| data.clone()).collect();
        assert_eq!(still, start);
    }
}
