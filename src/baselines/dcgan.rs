use super::{Model, NETWORK, Step, network};
use crate::nn::{Layer, Mode, Sequential};
use crate::ops;
use crate::tape::{Result, Var};

/// See [`Kind::Dcgan`](super::Kind::Dcgan).
pub(super) struct Dcgan {
    latents: usize,
    generator: Sequential,
    discriminator: Sequential,
}

/// Real or made.
const CLASSES: usize = 2;

impl Dcgan {
    pub fn new(w: usize) -> Self {
        let latents = NETWORK.latents(w);
        let discriminator = [NETWORK.encoder(w, CLASSES), vec![Layer::Flatten]].concat();
        Self {
            latents,
            generator: network("generator.", NETWORK.decoder(latents, w)),
            discriminator: network("discriminator.", discriminator),
        }
    }
}

impl Model for Dcgan {
    fn latents(&self) -> usize {
        self.latents
    }

    fn networks(&self) -> Vec<&Sequential> {
        vec![&self.generator, &self.discriminator]
    }

    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Step<'t>> {
        let tape = x.tape();
        let made = self.generator.apply(z, Mode::Train { prefixes: &[""], dropout: None })?;
        let [of_real, of_made] = [x, made].map(|images| self.discriminator.apply(images, Mode::Batch));
        let (of_real, of_made) = (of_real?, of_made?);
        let discriminator = ops::add(cross_entropy(of_real, true)?, cross_entropy(of_made, false)?)?;
        let generator = cross_entropy(of_made, true)?;

        // A walk goes only where one of its parameters has influence: D's does not enter G, and G's passes through D
        // without a gradient of its weights.
        let [g, d] = [self.generator.on(tape)?, self.discriminator.on(tape)?];
        let gradients = [tape.gradient(generator, &g)?, tape.gradient(discriminator, &d)?].concat();
        Ok(Step { losses: [discriminator, generator], parameters: [g, d].concat(), gradients })
    }
}

/// −mean log P(real) or −mean log P(made), from logits `[N, 2]`.
fn cross_entropy(logits: Var<'_>, real: bool) -> Result<Var<'_>> {
    let class = |is: bool| logits.tape().constant(f32::from(is), [1]);
    let target = ops::concat(&[class(real), class(!real)])?;
    ops::softmax_cross_entropy(logits, ops::broadcast_channels(target, logits.shape())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Tape, Values};
    use crate::testing::feeds;

    #[test]
    fn cross_entropy_is_of_the_class_that_is_asked_for() {
        let tape = Tape::new();
        let logits = tape.input("logits", [2, 2]);
        let [real, made] = [true, false].map(|real| cross_entropy(logits, real).unwrap());
        // P(real) is ¾ and ½.
        let values = tape.interpret(&[(logits, &[3f64.ln(), 0.0, 5.0, 5.0])]).unwrap();
        for (loss, p) in [(real, [0.75, 0.5]), (made, [0.25, 0.5])] {
            let expected = -f64::ln(p[0] * p[1]) / 2.0;
            assert!((values.get(loss)[0] - expected).abs() < 1e-12);
        }
    }

    fn interpret(tape: &Tape, feeds: &[(Var<'_>, Vec<f64>)]) -> Values {
        let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        tape.interpret(&slices).unwrap()
    }

    /// The two walks over one application of D to G(z) are those of two separate players.
    #[test]
    fn each_player_goes_down_its_own_loss_with_the_other_held_constant() {
        let (model, tape) = (Dcgan::new(1), Tape::new());
        let (x, z) = (tape.input("x", [3, 1, 28, 28]), tape.input("z", [3, model.latents(), 1, 1]));
        let step = model.record(x, z).unwrap();
        let fed = feeds(&tape, 4);
        let values = interpret(&tape, &fed);
        let found = |name: &str| -> Vec<Vec<f64>> {
            let both = step.parameters.iter().zip(&step.gradients);
            both.filter(|(p, _)| p.name().starts_with(name)).map(|(_, g)| values.get(*g).to_vec()).collect()
        };
        let made = model.generator.apply(z, Mode::Batch).unwrap();
        let images = interpret(&tape, &fed).get(made).to_vec();

        // D learns from pictures of unknown origin.
        let alone = Tape::new();
        let inputs = ["x", "made"].map(|name| alone.input(name, [3, 1, 28, 28]));
        let logits = inputs.map(|images| model.discriminator.apply(images, Mode::Batch).unwrap());
        let loss = ops::add(cross_entropy(logits[0], true).unwrap(), cross_entropy(logits[1], false).unwrap()).unwrap();
        let parameters = model.discriminator.on(&alone).unwrap();
        let gradients = alone.gradient(loss, &parameters).unwrap();
        let mut given = vec![(inputs[0], values.get(x).to_vec()), (inputs[1], images)];
        for p in &parameters {
            let (_, data) = fed.iter().find(|(v, _)| v.name() == p.name()).unwrap();
            given.push((*p, data.clone()));
        }
        let expected = interpret(&alone, &given);
        let expected: Vec<_> = gradients.iter().map(|g| expected.get(*g).to_vec()).collect();
        let found_of_d = found("discriminator.").concat();
        assert!(found_of_d.iter().zip(expected.concat()).all(|(f, e)| (f - e).abs() < 1e-12 * (1.0 + e.abs())));

        // G's gradient is what its loss differs by, D's parameters staying where they are.
        let weight = step.parameters[0];
        let direction = found("generator.")[0].clone();
        let along = |h: f64| {
            let mut moved = fed.clone();
            let (_, data) = moved.iter_mut().find(|(v, _)| v.line() == weight.line()).unwrap();
            data.iter_mut().zip(&direction).for_each(|(w, d)| *w += h * d);
            interpret(&tape, &moved).get(step.losses[1])[0]
        };
        let slope = (along(1e-6) - along(-1e-6)) / 2e-6;
        let squares: f64 = direction.iter().map(|d| d * d).sum();
        assert!(squares > 0.0 && (slope - squares).abs() < 1e-4 * squares, "{slope} {squares}");
    }
}
