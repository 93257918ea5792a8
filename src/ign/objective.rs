use super::{PREFIXES, Role};
use crate::nn::{Dropout, Mode, Sequential};
use crate::ops;
use crate::tape::{Result, Tape, Var};
use serde::{Deserialize, Serialize};

/// The distance D between images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// The mean squared error.
    Mse,
    /// The mean absolute error.
    L1,
}

/// How tightness is kept from growing without bound: each sample's L_tight becomes tanh(L_tight/(a·R))·a·R.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clamp {
    /// Not at all.
    None,
    /// R is the sample's own D(f(z), z), without gradient.
    Noise(f32),
    /// R is the batch's L_rec, without gradient.
    Data(f32),
}

/// The weights λ of the three terms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of reconstruction.
    pub rec: f32,
    /// Of idempotence.
    pub idem: f32,
    /// Of tightness.
    pub tight: f32,
}

/// The training objective:
///
/// L = λ_rec·D(f(x), x) + λ_idem·D(f(f(z)), f(z)) + λ_tight·L_tight, with L_tight = −D(f(f(z)), f(z))
///
/// where idempotence trains the inner application of f only, through the outer one, and tightness the outer one only.
///
/// With y = f(z), w = f(y) and d = D(w, y), one backward walk from d that stops at y gives both the gradient of the outer
/// application's parameters (tightness, up to its sign) and that of y; the latter, carried on through y = f(z), is the
/// gradient of idempotence. So a step has three applications and three walks, without a copy of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// D.
    pub distance: Distance,
    /// The clamp of tightness.
    pub clamp: Clamp,
    /// The probability of [`Dropout`], each application with masks of its own; with 0 nothing of it is recorded.
    pub dropout: f32,
}

/// A recorded step.
pub struct Step<'t> {
    /// Data.
    pub x: Var<'t>,
    /// Noise.
    pub z: Var<'t>,
    /// f(x)
    pub fx: Var<'t>,
    /// f(z)
    pub y: Var<'t>,
    /// f(f(z))
    pub w: Var<'t>,
    /// The terms before weighting: rec, idem, tight.
    pub losses: [Var<'t>; 3],
    /// The variance of f(z) over the batch, averaged over pixels. Near 0 where all samples are one.
    pub variance: Var<'t>,
    /// The network's parameters.
    pub parameters: Vec<Var<'t>>,
    /// Each term's own gradients, unweighted, parameter by parameter: rec, idem, tight.
    pub gradients: [Vec<Var<'t>>; 3],
    /// The gradients of L.
    pub total: Vec<Var<'t>>,
}

/// What the outer application w = f(y) contributes.
struct Outer<'t> {
    idem: Var<'t>,
    tight: Var<'t>,
    /// ∂L_idem/∂y, through w as well as directly.
    y_gradient: Var<'t>,
    /// ∂L_tight/∂parameters with y held constant.
    gradients: Vec<Var<'t>>,
}

impl Objective {
    /// The host's input that holds (λ_rec, λ_idem, λ_tight).
    pub const WEIGHTS: &'static str = "weights";

    /// The host's input `[1]` that the masks of dropout are drawn by, a whole number from 0 to 2²⁴ for each step.
    pub const DROPOUT_SEED: &'static str = "dropout.seed";

    /// Records one step of `network` on batches of `batch` images `[C, H, W]`, with inputs `x`, `z` and `weights`, and
    /// `dropout.seed` where there is dropout. The running averages are moved: all applications move PyTorch's, each role its own.
    pub fn record<'t>(
        &self,
        tape: &'t Tape,
        network: &Sequential,
        batch: usize,
        [c, h, w]: [usize; 3],
    ) -> Result<Step<'t>> {
        let [x, z] = ["x", "z"].map(|name| tape.input(name, [batch, c, h, w]));
        let seed = (self.dropout != 0.0).then(|| tape.input(Self::DROPOUT_SEED, [1]));
        let apply = |v: Var<'t>, role: Role| {
            let dropout = seed.map(|seed| Dropout { probability: self.dropout, seed, application: role as u16 });
            network.apply(v, Mode::Train { prefixes: &[PREFIXES[0], role.prefix()], dropout })
        };
        let fx = apply(x, Role::Image)?;
        let y = apply(z, Role::Noise)?;
        let w = apply(y, Role::Sample)?;
        let parameters = network.on(tape)?;

        let rec = self.mean(fx, x)?;
        let rec_gradients = tape.gradient(rec, &parameters)?;
        let outer = self.outer(rec, [z, y, w], &parameters)?;
        let idem_gradients = tape.vjp(y, outer.y_gradient, &parameters)?;

        let weights = tape.input(Self::WEIGHTS, [3]);
        let gradients = [rec_gradients, idem_gradients, outer.gradients];
        let sum = |i: usize| ops::weighted_sum(weights, [0, 1, 2].map(|term| gradients[term][i]));
        let total = (0..parameters.len()).map(sum).collect::<Result<_>>()?;
        let variance = batch_variance(y)?;
        Ok(Step { x, z, fx, y, w, losses: [rec, outer.idem, outer.tight], variance, parameters, gradients, total })
    }

    /// The two terms of the outer application w = f(y).
    fn outer<'t>(&self, rec: Var<'t>, [z, y, w]: [Var<'t>; 3], parameters: &[Var<'t>]) -> Result<Outer<'t>> {
        let tape = y.tape();
        let constant = |more: &[Var<'t>]| [parameters, more].concat();
        if let Clamp::None = self.clamp {
            let d = self.mean(w, y)?;
            let tight = ops::scale(-1.0, d)?;
            let mut gradients = tape.gradient(tight, &constant(&[y]))?;
            let y_gradient = ops::scale(-1.0, gradients.remove(parameters.len()))?;
            return Ok(Outer { idem: d, tight, y_gradient, gradients });
        }
        // The clamp weighs samples differently in the two terms, and batch norm couples samples: two walks.
        let each = self.per_sample(w, y)?;
        let idem = ops::mean(each)?;
        let y_gradient = tape.gradient(idem, &[y])?[0];
        let (scale, held) = match self.clamp {
            Clamp::Data(a) => (ops::scale(a, ops::broadcast(rec, each.shape())?)?, vec![y, rec]),
            Clamp::Noise(a) => (ops::scale(a, self.per_sample(y, z)?)?, vec![y]),
            Clamp::None => (each, vec![y]),
        };
        let tight = ops::mul(ops::tanh(ops::div(ops::scale(-1.0, each)?, scale)?)?, scale)?;
        let tight = ops::mean(tight)?;
        // Asking for what is to be held constant stops the walk there; what it asks for is never computed.
        let mut gradients = tape.gradient(tight, &constant(&held))?;
        gradients.truncate(parameters.len());
        Ok(Outer { idem, tight, y_gradient, gradients })
    }

    fn mean<'t>(&self, a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
        match self.distance {
            Distance::Mse => ops::mse(a, b),
            Distance::L1 => ops::l1(a, b),
        }
    }

    fn per_sample<'t>(&self, a: Var<'t>, b: Var<'t>) -> Result<Var<'t>> {
        match self.distance {
            Distance::Mse => ops::mse_per_sample(a, b),
            Distance::L1 => ops::l1_per_sample(a, b),
        }
    }
}

/// The variance over the batch, averaged over all else.
fn batch_variance(y: Var<'_>) -> Result<Var<'_>> {
    let vectors = ops::reshape(y, [y.shape().batch(), y.shape().per_sample()])?;
    ops::mean(ops::slice(ops::batch_statistics(vectors)?, 1, 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Layer;
    use crate::tape::{Shape, Source, Values};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::collections::BTreeMap;

    const BATCH: usize = 3;
    const IMAGE: [usize; 3] = [1, 6, 6];
    const WEIGHTS: [f64; 3] = [2.0, 3.0, 0.7];

    fn tiny(name: &str) -> Sequential {
        let layers = vec![
            Layer::Conv2d { inputs: 1, outputs: 2, kernel: 4, stride: 2, padding: 1 },
            Layer::LeakyRelu(0.2),
            Layer::Conv2d { inputs: 2, outputs: 3, kernel: 3, stride: 1, padding: 0 },
            Layer::BatchNorm { channels: 3 },
            Layer::Relu,
            Layer::ConvTranspose2d { inputs: 3, outputs: 2, kernel: 3, stride: 1, padding: 0, output_padding: 0 },
            Layer::BatchNorm { channels: 2 },
            Layer::LeakyRelu(0.1),
            Layer::ConvTranspose2d { inputs: 2, outputs: 1, kernel: 4, stride: 2, padding: 1, output_padding: 0 },
            Layer::Tanh,
        ];
        Sequential { layers, name: name.into() }
    }

    /// Runs a tape in f64: named inputs as given, state by its name, a copy's being the original's.
    fn interpret(tape: &Tape, inputs: &BTreeMap<String, Vec<f64>>) -> Values {
        let fed = tape.all(|n| matches!(n.source, Source::Input(_) | Source::State(_)));
        let data = |v: &Var<'_>| -> Vec<f64> {
            let name = v.name().replace("copy.", "");
            if let Some(data) = inputs.get(&name) {
                return data.clone();
            }
            let seed = name.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            (0..v.shape().elements()).map(|_| rng.random_range(-0.8..0.8)).collect()
        };
        let feeds: Vec<_> = fed.iter().map(|v| (*v, data(v))).collect();
        let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
        tape.interpret(&slices).unwrap()
    }

    /// The gradients of the listing in the paper: a copy of the network for idempotence, f(z) as a constant for
    /// tightness, four applications.
    fn listing(objective: Objective) -> Vec<Vec<f64>> {
        let tape = Tape::new();
        let shape = Shape::from([BATCH, IMAGE[0], IMAGE[1], IMAGE[2]]);
        let [x, z] = ["x", "z"].map(|name| tape.input(name, shape.clone()));
        let (f, copy) = (tiny(""), tiny("copy."));
        let seed = tape.input(Objective::DROPOUT_SEED, [1]);
        let mode = |role: Role| {
            let dropout = Dropout { probability: objective.dropout, seed, application: role as u16 };
            Mode::Train { prefixes: &[], dropout: Some(dropout) }
        };
        let fx = f.apply(x, mode(Role::Image)).unwrap();
        let fz = f.apply(z, mode(Role::Noise)).unwrap();
        let constant = tape.input("constant f(z)", shape);
        let ffz_of_copy = copy.apply(fz, mode(Role::Sample)).unwrap();
        let ffz = f.apply(constant, mode(Role::Sample)).unwrap();
        let radius = tape.input("constant R", [BATCH]);

        let rec = objective.mean(fx, x).unwrap();
        let idem = objective.mean(ffz_of_copy, fz).unwrap();
        let each = ops::scale(-1.0, objective.per_sample(ffz, constant).unwrap()).unwrap();
        let from_noise = objective.per_sample(fz, z).unwrap();
        let clamped = |a: f32| {
            let scale = ops::scale(a, radius).unwrap();
            ops::mul(ops::tanh(ops::div(each, scale).unwrap()).unwrap(), scale).unwrap()
        };
        let tight = match objective.clamp {
            Clamp::None => each,
            Clamp::Noise(a) | Clamp::Data(a) => clamped(a),
        };
        let tight = ops::mean(tight).unwrap();
        let terms: Vec<_> = WEIGHTS.iter().map(|&w| w as f32).zip([rec, idem, tight]).collect();
        let total = ops::linear_combination(&terms).unwrap();
        let gradients = tape.gradient(total, &f.on(&tape).unwrap()).unwrap();

        // First what is constant, then with it all the rest.
        let mut inputs: BTreeMap<String, Vec<f64>> =
            [("constant f(z)", vec![0.0; BATCH * 36]), ("constant R", vec![1.0; BATCH])]
                .map(|(name, data)| (name.into(), data))
                .into();
        let first = interpret(&tape, &inputs);
        inputs.insert("constant f(z)".into(), first.get(fz).to_vec());
        let r = match objective.clamp {
            Clamp::Noise(_) => first.get(from_noise).to_vec(),
            _ => vec![first.get(rec)[0]; BATCH],
        };
        inputs.insert("constant R".into(), r);
        let values = interpret(&tape, &inputs);
        gradients.iter().map(|g| values.get(*g).to_vec()).collect()
    }

    #[test]
    fn one_outer_application_gives_the_gradients_of_the_listing() {
        for (distance, dropout) in [(Distance::Mse, 0.0), (Distance::L1, 0.0), (Distance::Mse, 0.3)] {
            for clamp in [Clamp::None, Clamp::Noise(1.5), Clamp::Data(0.5)] {
                let objective = Objective { distance, clamp, dropout };
                let tape = Tape::new();
                let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
                let inputs = [(Objective::WEIGHTS.to_string(), WEIGHTS.map(|w| f64::from(w as f32)).to_vec())];
                let values = interpret(&tape, &inputs.into());
                for ((parameter, found), expected) in step.parameters.iter().zip(&step.total).zip(listing(objective)) {
                    for (f, e) in values.get(*found).iter().zip(&expected) {
                        assert!((f - e).abs() < 1e-7 * (1.0 + e.abs()), "{objective:?} {parameter:?}: {f} and {e}");
                    }
                }
                let [rec, _, tight] = step.losses.map(|l| values.get(l)[0]);
                assert!(rec > 0.0 && tight < 0.0);
            }
        }
    }

    #[test]
    fn running_averages_move_in_the_order_of_the_applications() {
        let tape = Tape::new();
        let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0 };
        objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
        let nodes = tape.nodes();
        let updates = nodes.iter().filter(|n| n.name() == "update_running");
        let names: Vec<_> = updates.map(|n| nodes[n.inputs[0]].name().to_string()).collect();
        let of = |role: &str, layer| [format!("{layer}.running_mean"), format!("{role}.{layer}.running_mean")];
        let expected: Vec<_> =
            ["image", "noise", "sample"].iter().flat_map(|r| [of(r, 3), of(r, 6)].concat()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn every_dropout_of_a_step_has_a_mask_of_its_own_and_without_it_there_is_no_trace_of_it() {
        let recorded = |dropout: f32| {
            let tape = Tape::new();
            let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout };
            objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
            let inputs = tape.all(|n| matches!(n.source, Source::Input(_))).len();
            let nodes = tape.nodes();
            let forward = nodes.iter().filter(|n| n.name() == "dropout" && !n.backward);
            let ops: Vec<_> = forward.map(|n| format!("{:?}", n.source)).collect();
            (inputs, ops)
        };
        assert_eq!(recorded(0.0), (3, vec![]));
        let (inputs, mut ops) = recorded(0.5);
        // Behind two activations, in three applications.
        assert_eq!((inputs, ops.len()), (4, 6));
        ops.sort();
        ops.dedup();
        assert_eq!(ops.len(), 6, "{ops:?}");
    }
}
