use super::{Model, NETWORK, network};
use crate::descent::Recorded;
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::{Result, Var};

/// The model of [`Kind::Dcgan`](super::Kind::Dcgan).
pub(super) struct Dcgan {
    latents: usize,
    generator: Sequential,
    discriminator: Sequential,
}

/// The classes of the discriminator: real and generated.
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

    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Recorded<'t>> {
        let tape = x.tape();
        let made = self.generator.apply(z, Mode::Train { prefixes: &[""], dropout: None });
        let [of_real, of_made] = [x, made].map(|images| self.discriminator.apply(images, Mode::Batch));
        let discriminator = cross_entropy(of_real, true) + cross_entropy(of_made, false);
        let generator = cross_entropy(of_made, true);

        // A gradient walk visits only operations that depend on its parameters. The walk for D does not enter G. The
        // walk for G passes through D without gradients of D's weights.
        let [g, d] = [self.generator.on(tape), self.discriminator.on(tape)];
        let gradients = [tape.gradient(generator, &g)?, tape.gradient(discriminator, &d)?].concat();
        let losses = vec![("discriminator", discriminator), ("generator", generator)];
        Ok(Recorded { losses, parameters: [g, d].concat(), gradients })
    }
}

/// −mean log P(real) or −mean log P(generated), for logits `[N, 2]` in the order real, generated.
fn cross_entropy(logits: Var<'_>, real: bool) -> Var<'_> {
    let class = |is: bool| logits.tape().constant(f32::from(is), [1]);
    let target = logits.tape().concat(&[class(real), class(!real)]);
    logits.softmax_cross_entropy(target.broadcast_channels(logits.shape()))
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
        let [real, made] = [true, false].map(|real| cross_entropy(logits, real));
        // P(real) is ¾ and ½.
        let values = tape.interpret(&[(logits, &[3f64.ln(), 0.0, 5.0, 5.0])]).unwrap();
        for (loss, p) in [(real, [0.75, 0.5]), (made, [0.25, 0.5])] {
            let expected = -f64::ln(p[0] * p[1]) / 2.0;
            assert!((values.get(loss)[0] - expected).abs() < 1e-12);
        }
    }

    fn interpret<'t>(tape: &'t Tape, feeds: &[(Var<'_>, Vec<f64>)]) -> Values<'t> {
        let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
        tape.interpret(&slices).unwrap()
    }

    /// One application of D to G(z) gives the same gradients as two separate players.
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
        let made = model.generator.apply(z, Mode::Batch);
        let images = interpret(&tape, &fed).get(made).to_vec();

        // The reference for D: a tape on which the generated images are inputs.
        let alone = Tape::new();
        let inputs = ["x", "made"].map(|name| alone.input(name, [3, 1, 28, 28]));
        let logits = inputs.map(|images| model.discriminator.apply(images, Mode::Batch));
        let loss = cross_entropy(logits[0], true) + cross_entropy(logits[1], false);
        let parameters = model.discriminator.on(&alone);
        let gradients = alone.gradient(loss, &parameters).unwrap();
        let mut given = vec![(inputs[0], values.get(x).to_vec()), (inputs[1], images)];
        for p in &parameters {
            let (_, data) = fed.iter().find(|(v, _)| v.name() == p.name()).unwrap();
            given.push((*p, data.clone()));
        }
        let expected = interpret(&alone, &given);
        let expected: Vec<_> = gradients.iter().map(|g| expected.get(*g).to_vec()).collect();
        let (found_of_d, expected) = (found("discriminator.").concat(), expected.concat());
        assert_eq!(found_of_d.len(), expected.len());
        assert!(found_of_d.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-12 * (1.0 + e.abs())));
        assert!(expected.iter().any(|e| e.abs() > 1e-6));

        // The reference for G: the finite difference of its loss along the gradient of its first weight, with D's
        // parameters fixed.
        let weight = step.parameters[0];
        let direction = found("generator.")[0].clone();
        let along = |h: f64| {
            let mut moved = fed.clone();
            let (_, data) = moved.iter_mut().find(|(v, _)| v.line() == weight.line()).unwrap();
            data.iter_mut().zip(&direction).for_each(|(w, d)| *w += h * d);
            interpret(&tape, &moved).get(step.losses[1].1)[0]
        };
        let slope = (along(1e-6) - along(-1e-6)) / 2e-6;
        let squares: f64 = direction.iter().map(|d| d * d).sum();
        assert!(squares > 0.0 && (slope - squares).abs() < 1e-4 * squares, "{slope} {squares}");
    }
}
