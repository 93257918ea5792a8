use super::{PREFIXES, Role};
use crate::nn::{Dropout, Mode, Sequential};
use crate::ops;
use crate::tape::{Result, Tape, TapeError, Var};
use serde::{Deserialize, Serialize};
use std::panic::Location;

/// The distance D between images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// The mean squared error.
    Mse,
    /// The mean absolute error.
    L1,
}

/// The bound of the otherwise unbounded tightness loss: the L_tight of each sample becomes tanh(L_tight/(a·R))·a·R.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clamp {
    /// No bound.
    None,
    /// The ratio a, with R = D(f(z), z) per sample, held constant in the gradient.
    Noise(f32),
    /// The ratio a, with R = L_rec of the batch, held constant in the gradient.
    Data(f32),
}

/// The weights λ of the three loss terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// The weight of reconstruction.
    pub rec: f32,
    /// The weight of idempotence.
    pub idem: f32,
    /// The weight of tightness.
    pub tight: f32,
}

/// The training objective, for images x and noise z:
///
/// L = λ_rec·D(f(x), x) + λ_idem·D(f(f(z)), f(z)) + λ_tight·L_tight, with L_tight = −D(f(f(z)), f(z))
///
/// With the weight ν of the nearest-neighbour term, idempotence becomes D(f(f(z)), f(z)) + ν·N, where N is the mean over the
/// images xᵢ of a batch of the squared distance per pixel to the nearest of its samples f(zⱼ), as a soft minimum:
///
/// N = mean −τ·ln Σⱼ exp(−|xᵢ − f(zⱼ)|²/(τ·elements)), up to constants, with τ = 0.01
///
/// It draws a sample to every image, so that no part of the data is left out (implicit maximum likelihood estimation, Li &
/// Malik 2018, here beside the terms of the paper; arXiv 2511.02614 has it in place of tightness).
///
/// The gradient of idempotence flows only into the inner application of f, through the outer one. The gradient of
/// tightness flows only into the outer application.
///
/// Let y = f(z), w = f(y) and d = D(w, y). Without a clamp, one backward pass from d to y yields two gradients: the
/// parameter gradient of the outer application (tightness, up to its sign) and ∂d/∂y. The vector-Jacobian product of
/// ∂d/∂y with y = f(z) is the gradient of idempotence. So a step has three applications of f and three backward passes,
/// and needs no copy of the network. A clamp adds one backward pass through the outer application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The distance D.
    pub distance: Distance,
    /// The clamp of tightness.
    pub clamp: Clamp,
    /// The probability of [`Dropout`], with separate masks per application; 0 records no dropout.
    pub dropout: f32,
    /// The weight ν of the nearest-neighbour term, relative to idempotence; 0 records none.
    pub nearest: f32,
}

/// The variables of a recorded step.
pub struct TrainingStep<'t> {
    /// Images x.
    pub x: Var<'t>,
    /// Noise z.
    pub z: Var<'t>,
    /// Reconstructions f(x).
    pub fx: Var<'t>,
    /// Samples y = f(z).
    pub y: Var<'t>,
    /// Samples after a second application, w = f(f(z)).
    pub w: Var<'t>,
    /// The unweighted losses: rec, idem, tight.
    pub losses: [Var<'t>; 3],
    /// The variance of f(z) over the batch, averaged over pixels and channels. Near 0 if all samples are alike.
    pub variance: Var<'t>,
    /// The network's parameters.
    pub parameters: Vec<Var<'t>>,
    /// The unweighted gradients per term (rec, idem, tight), in the order of the parameters.
    pub gradients: [Vec<Var<'t>>; 3],
    /// The gradients of L, in the order of the parameters.
    pub total: Vec<Var<'t>>,
}

/// What the applications of f in a batch are given beside images and noise.
#[derive(Clone, Copy)]
struct Given<'t> {
    labels: Option<Var<'t>>,
    /// The seed of the dropout masks.
    seed: Option<Var<'t>>,
    /// The number of the batch.
    batch: u16,
}

/// One batch of a recorded step.
struct Batch<'t> {
    fx: Var<'t>,
    y: Var<'t>,
    w: Var<'t>,
    /// The three losses and the variance, then the unweighted gradients of each term.
    values: Vec<Var<'t>>,
}

/// The temperature τ of the soft minimum of the nearest-neighbour term, in squared differences per pixel.
const TEMPERATURE: f32 = 0.01;

/// The greatest number of batches of a step. Dropout numbers the applications of all of them in 16 bits.
const MOST_BATCHES: usize = 1024;
/// The number of losses and the variance of a [`Batch`].
const SCALARS: usize = 4;

/// The contribution of the outer application w = f(y).
struct Outer<'t> {
    idem: Var<'t>,
    tight: Var<'t>,
    /// ∂L_idem/∂y, both through w and directly.
    y_gradient: Var<'t>,
    /// ∂L_tight/∂parameters with y held constant.
    gradients: Vec<Var<'t>>,
}

impl Objective {
    /// The input `[3]` with the weights (λ_rec, λ_idem, λ_tight).
    pub const WEIGHTS: &'static str = "weights";

    /// The input `[1]` with the seed of the step's dropout masks, a whole number from 0 to 2²⁴ − 1.
    pub const DROPOUT_SEED: &'static str = "dropout.seed";

    /// The input `[N, K]` with the labels of a conditional network: 1 for the class of the sample, 0 for all others. The
    /// label of an image is also that of the noise beside it, and of the sample that f makes of that noise.
    pub const LABELS: &'static str = "labels";

    /// Records one step of `network` on batches of `batch` images `[C, H, W]`, with inputs `x`, `z` and `weights`,
    /// `labels` if the network is conditional, and `dropout.seed` if dropout is enabled. Every application updates the
    /// unprefixed running averages and the averages of its role.
    #[track_caller]
    pub fn record<'t>(
        &self,
        tape: &'t Tape,
        network: &Sequential,
        batch: usize,
        image: [usize; 3],
    ) -> Result<TrainingStep<'t>> {
        self.record_batches(tape, network, [1, batch], image)
    }

    /// Records one step on several batches, `[count, batch]`, for a batch larger than memory: losses, variance and gradients
    /// are means over the batches. `x` and `z` hold the batches one after the other. Batch norm uses the statistics of each
    /// batch.
    #[track_caller]
    pub fn record_batches<'t>(
        &self,
        tape: &'t Tape,
        network: &Sequential,
        [count, batch]: [usize; 2],
        [c, h, w]: [usize; 3],
    ) -> Result<TrainingStep<'t>> {
        if !(1..=MOST_BATCHES).contains(&count) {
            let message = format!("a step has 1 to {MOST_BATCHES} batches, and not {count}");
            return Err(TapeError::Shape { op: "step", shapes: vec![], message, at: Location::caller() });
        }
        let [x, z] = ["x", "z"].map(|name| tape.input(name, [count * batch, c, h, w]));
        let labels = network.classes().map(|classes| tape.input(Self::LABELS, [count * batch, classes]));
        let seed = (self.dropout != 0.0).then(|| tape.input(Self::DROPOUT_SEED, [1]));
        let mut images: [Vec<Var<'t>>; 3] = Default::default();
        let mut means: Vec<Var<'t>> = vec![];
        for i in 0..count {
            let part = |v: Var<'t>| if count == 1 { v } else { v.slice(i * batch, batch) };
            let given = Given { labels: labels.map(part), seed, batch: i as u16 };
            let Batch { fx, y, w, values } = self.batch(network, [part(x), part(z)], given)?;
            images.iter_mut().zip([fx, y, w]).for_each(|(all, one)| all.push(one));
            // A sum so far, rather than all gradients at the end, so that one set of them is kept.
            let share = if i + 1 == count { 1.0 / count as f32 } else { 1.0 };
            let add = |(sum, value): (&Var<'t>, Var<'t>)| tape.linear_combination(&[(share, *sum), (share, value)]);
            means = if i == 0 { values } else { means.iter().zip(values).map(add).collect() };
        }
        let whole = |parts: &[Var<'t>]| if count == 1 { parts[0] } else { tape.concat(parts) };

        let parameters = network.on(tape);
        let weights = tape.input(Self::WEIGHTS, [3]);
        let gradients = [0, 1, 2].map(|term| means[SCALARS + term * parameters.len()..][..parameters.len()].to_vec());
        let sum = |i: usize| ops::weighted_sum(weights, [0, 1, 2].map(|term| gradients[term][i]));
        let total = (0..parameters.len()).map(sum).collect();
        Ok(TrainingStep {
            x,
            z,
            fx: whole(&images[0]),
            y: whole(&images[1]),
            w: whole(&images[2]),
            losses: [means[0], means[1], means[2]],
            variance: means[3],
            parameters,
            gradients,
            total,
        })
    }

    /// Records losses and gradients of a batch.
    #[track_caller]
    fn batch<'t>(&self, network: &Sequential, [x, z]: [Var<'t>; 2], given: Given<'t>) -> Result<Batch<'t>> {
        let fx = self.apply(network, x, Role::Image, given);
        let y = self.apply(network, z, Role::Noise, given);
        let w = self.apply(network, y, Role::Sample, given);
        let parameters = network.on(x.tape());

        let rec = self.mean(fx, x);
        let rec_gradients = x.tape().gradient(rec, &parameters)?;
        let outer = self.outer(rec, [z, y, w], &parameters)?;
        let y_gradient = self.attracted(outer.y_gradient, [x, y])?;
        let idem_gradients = x.tape().vjp(y, y_gradient, &parameters)?;
        let scalars = vec![rec, outer.idem, outer.tight, batch_variance(y)];
        Ok(Batch { fx, y, w, values: [scalars, rec_gradients, idem_gradients, outer.gradients].concat() })
    }

    /// Records f(v), with the running averages and, if there is a seed, the dropout masks of this role.
    #[track_caller]
    fn apply<'t>(&self, network: &Sequential, v: Var<'t>, role: Role, given: Given<'t>) -> Var<'t> {
        let Given { labels, seed, batch } = given;
        let application = 3 * batch + role as u16;
        let dropout = seed.map(|seed| Dropout { probability: self.dropout, seed, application });
        network.apply_to(v, labels, Mode::Train { prefixes: &[PREFIXES[0], role.prefix()], dropout })
    }

    /// The two terms of the outer application w = f(y).
    fn outer<'t>(&self, rec: Var<'t>, [z, y, w]: [Var<'t>; 3], parameters: &[Var<'t>]) -> Result<Outer<'t>> {
        match self.clamp {
            Clamp::None => self.unclamped([y, w], parameters),
            Clamp::Noise(a) => self.clamped([y, w], parameters, a * self.per_sample(y, z), &[y]),
            Clamp::Data(a) => self.clamped([y, w], parameters, a * rec.broadcast([y.shape().batch()]), &[y, rec]),
        }
    }

    fn unclamped<'t>(&self, [y, w]: [Var<'t>; 2], parameters: &[Var<'t>]) -> Result<Outer<'t>> {
        let idem = self.mean(w, y);
        let tight = -idem;
        let mut gradients = y.tape().gradient(tight, &[parameters, &[y]].concat())?;
        let y_gradient = -gradients.remove(parameters.len());
        Ok(Outer { idem, tight, y_gradient, gradients })
    }

    /// The two terms, with `scale` = a·R per sample. The gradient of tightness treats `scale` and its sources `held` as
    /// constants.
    fn clamped<'t>(
        &self,
        [y, w]: [Var<'t>; 2],
        parameters: &[Var<'t>],
        scale: Var<'t>,
        held: &[Var<'t>],
    ) -> Result<Outer<'t>> {
        // The clamp weights samples differently in the two terms, and batch norm couples samples: two backward passes.
        let each = self.per_sample(w, y);
        let idem = each.mean();
        let y_gradient = y.tape().gradient(idem, &[y])?[0];
        let tight = ((-each / scale).tanh() * scale).mean();
        // A requested gradient stops the backward pass at its variable. The unused ones are never computed.
        let mut gradients = y.tape().gradient(tight, &[parameters, held].concat())?;
        gradients.truncate(parameters.len());
        Ok(Outer { idem, tight, y_gradient, gradients })
    }

    /// `y_gradient` with the gradient of the nearest-neighbour term.
    #[track_caller]
    fn attracted<'t>(&self, y_gradient: Var<'t>, [x, y]: [Var<'t>; 2]) -> Result<Var<'t>> {
        if self.nearest == 0.0 {
            return Ok(y_gradient);
        }
        let gradient = y.tape().gradient(nearest(x, y), &[y])?[0];
        Ok(y.tape().linear_combination(&[(1.0, y_gradient), (self.nearest, gradient)]))
    }

    /// D(a, b) over all samples.
    fn mean<'t>(&self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        match self.distance {
            Distance::Mse => a.mse(b),
            Distance::L1 => a.l1(b),
        }
    }

    /// D(a, b) per sample.
    fn per_sample<'t>(&self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        match self.distance {
            Distance::Mse => a.mse_per_sample(b),
            Distance::L1 => a.l1_per_sample(b),
        }
    }
}

/// The mean over images xᵢ of the squared distance per pixel to the nearest sample yⱼ, as a soft minimum
/// −τ·ln Σⱼ exp(−D(xᵢ, yⱼ)/τ) up to a constant.
#[track_caller]
fn nearest<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    let (tape, count, elements) = (x.tape(), x.shape().batch(), x.shape().per_sample());
    let [x, y] = [x, y].map(|images| images.reshape([count, elements]));
    // D(xᵢ, yⱼ) without |xᵢ|², which is the same for all j.
    let squares = (y * y).sum_per_sample().broadcast_channels([count, count]);
    let scale = 1.0 / (TEMPERATURE * elements as f32);
    let logits = tape.linear_combination(&[(2.0 * scale, x.linear(y, None)), (-scale, squares)]);
    let uniform = tape.constant(1.0 / count as f32, [count, count]);
    -TEMPERATURE * (logits.softmax_cross_entropy(uniform) + logits.mean())
}

/// The variance over the batch, averaged over all other axes.
fn batch_variance(y: Var<'_>) -> Var<'_> {
    let vectors = y.reshape([y.shape().batch(), y.shape().per_sample()]);
    vectors.batch_statistics().slice(1, 1).mean()
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

    /// Interprets a tape in f64. Variables in `inputs` get the given values. All others get random values seeded by
    /// their name without `copy.`, so that a copy equals its original.
    fn interpret<'t>(tape: &'t Tape, inputs: &BTreeMap<String, Vec<f64>>) -> Values<'t> {
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

    /// The gradients of the paper's listing: four applications, with a copy of the network for idempotence, and with a
    /// constant f(z) for tightness.
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
        let fx = f.apply(x, mode(Role::Image));
        let fz = f.apply(z, mode(Role::Noise));
        let constant = tape.input("constant f(z)", shape);
        let ffz_of_copy = copy.apply(fz, mode(Role::Sample));
        let ffz = f.apply(constant, mode(Role::Sample));
        let radius = tape.input("constant R", [BATCH]);

        let rec = objective.mean(fx, x);
        let idem = objective.mean(ffz_of_copy, fz);
        let each = -objective.per_sample(ffz, constant);
        let from_noise = objective.per_sample(fz, z);
        let clamped = |a: f32| {
            let scale = a * radius;
            (each / scale).tanh() * scale
        };
        let tight = match objective.clamp {
            Clamp::None => each,
            Clamp::Noise(a) | Clamp::Data(a) => clamped(a),
        };
        let tight = tight.mean();
        let terms: Vec<_> = WEIGHTS.iter().map(|&w| w as f32).zip([rec, idem, tight]).collect();
        let total = tape.linear_combination(&terms);
        let gradients = tape.gradient(total, &f.on(&tape)).unwrap();

        // The first pass computes the constants, and the second pass uses them.
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
                let objective = Objective { distance, clamp, dropout, nearest: 0.0 };
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
    fn several_batches_give_the_means_of_their_losses_and_gradients() {
        for network in [tiny(""), tiny("").conditional(2)] {
            means_of_several_batches(&network);
        }
        for count in [0, MOST_BATCHES + 1] {
            let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0, nearest: 0.0 };
            let refused = objective.record_batches(&Tape::new(), &tiny(""), [count, BATCH], IMAGE).err().unwrap();
            assert!(refused.to_string().contains("1 to 1024 batches"), "{refused}");
        }
    }

    fn means_of_several_batches(network: &Sequential) {
        const COUNT: usize = 3;
        let objective = Objective { distance: Distance::Mse, clamp: Clamp::Noise(1.5), dropout: 0.0, nearest: 0.0 };
        let weights = (Objective::WEIGHTS.to_string(), WEIGHTS.map(|w| f64::from(w as f32)).to_vec());
        let elements = BATCH * IMAGE.iter().product::<usize>();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let [x, z] = [0, 1].map(|_| (0..COUNT * elements).map(|_| rng.random_range(-0.8..0.8)).collect::<Vec<f64>>());
        let labels: Vec<f64> =
            (0..COUNT * BATCH).flat_map(|i| if i % 4 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();

        let tape = Tape::new();
        let step = objective.record_batches(&tape, network, [COUNT, BATCH], IMAGE).unwrap();
        let all = [(Objective::LABELS.into(), labels.clone()), ("x".into(), x.clone()), ("z".into(), z.clone())];
        let mut inputs = BTreeMap::from(all);
        inputs.extend([weights.clone()]);
        let values = interpret(&tape, &inputs);
        let found: Vec<Vec<f64>> =
            step.total.iter().chain(&step.losses).chain([&step.variance]).map(|v| values.get(*v).to_vec()).collect();

        let mut expected: Vec<Vec<f64>> = found.iter().map(|f| vec![0.0; f.len()]).collect();
        for i in 0..COUNT {
            let tape = Tape::new();
            let step = objective.record(&tape, network, BATCH, IMAGE).unwrap();
            let part = |all: &[f64]| all[all.len() / COUNT * i..][..all.len() / COUNT].to_vec();
            let own = inputs
                .iter()
                .map(|(name, all)| (name.clone(), if *name == weights.0 { all.clone() } else { part(all) }));
            let values = interpret(&tape, &own.collect());
            let one = step.total.iter().chain(&step.losses).chain([&step.variance]);
            for (sum, one) in expected.iter_mut().zip(one) {
                sum.iter_mut().zip(values.get(*one)).for_each(|(sum, one)| *sum += one / COUNT as f64);
            }
        }
        for (f, e) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((f - e).abs() < 1e-6 * (1.0 + e.abs()), "{f} and {e}");
        }
        assert_eq!(values.get(step.w).len(), COUNT * elements);
    }

    /// The gradient of the term is Σᵢ wᵢⱼ·2(yⱼ − xᵢ)/(N·elements), with w the softmax of −D/τ over the samples.
    #[test]
    fn each_image_draws_the_samples_near_it() {
        let tape = Tape::new();
        let [x, y] = ["x", "y"].map(|name| tape.input(name, [3, 1, 1, 2]));
        let gradient = tape.gradient(nearest(x, y), &[y]).unwrap()[0];
        let images = [0.0, 0.0, 1.0, 1.0, -1.0, 0.5];
        let samples = [0.1, 0.0, 0.2, 0.1, 0.9, 0.8];
        let values = tape.interpret(&[(x, &images), (y, &samples)]).unwrap();
        let mut expected = [0.0; 6];
        for image in images.chunks(2) {
            let distance = |s: &[f64]| s.iter().zip(image).map(|(s, x)| (s - x).powi(2)).sum::<f64>() / 2.0;
            let weights: Vec<f64> = samples.chunks(2).map(|s| (-distance(s) / f64::from(TEMPERATURE)).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (i, e) in expected.iter_mut().enumerate() {
                *e += weights[i / 2] / total * 2.0 * (samples[i] - image[i % 2]) / 6.0;
            }
        }
        for (f, e) in values.get(gradient).iter().zip(expected) {
            assert!((f - e).abs() < 1e-6, "{f} and {e}");
        }
    }

    /// The term reaches the parameters through f(z) only, with its weight.
    #[test]
    fn the_nearest_neighbour_term_is_part_of_idempotence() {
        let gradients = |nearest: f32| {
            let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0, nearest };
            let tape = Tape::new();
            let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
            let values = interpret(&tape, &BTreeMap::new());
            step.gradients.map(|term| term.iter().flat_map(|g| values.get(*g).to_vec()).collect::<Vec<f64>>())
        };
        let [none, half, whole] = [0.0, 0.5, 1.0].map(gradients);
        assert!(none[0] == whole[0] && none[2] == whole[2]);
        assert!(none[1] != whole[1]);
        for ((n, h), w) in none[1].iter().zip(&half[1]).zip(&whole[1]) {
            assert!((h - (n + w) / 2.0).abs() < 1e-7 * (1.0 + w.abs()), "{n} {h} {w}");
        }
    }

    #[test]
    fn running_averages_move_in_the_order_of_the_applications() {
        let tape = Tape::new();
        let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0, nearest: 0.0 };
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
            let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout, nearest: 0.0 };
            objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
            let inputs = tape.all(|n| matches!(n.source, Source::Input(_))).len();
            let nodes = tape.nodes();
            let forward = nodes.iter().filter(|n| n.name() == "dropout" && !n.backward);
            let ops: Vec<_> = forward.map(|n| format!("{:?}", n.source)).collect();
            (inputs, ops)
        };
        assert_eq!(recorded(0.0), (3, vec![]));
        let (inputs, mut ops) = recorded(0.5);
        // Dropout follows two activations in each of three applications.
        assert_eq!((inputs, ops.len()), (4, 6));
        ops.sort();
        ops.dedup();
        assert_eq!(ops.len(), 6, "{ops:?}");
    }
}
