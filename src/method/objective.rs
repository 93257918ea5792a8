use super::terms::{nearest, pulling_away};
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

/// What idempotence draws a sample y = f(z) to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// w = f(y), with the gradient through this outer application, as in the paper.
    #[default]
    Twice,
    /// 3w − 2f(w), held constant: the step of McWeeny's purification, K′ = 3K² − 2K³, which has the idempotent maps as its
    /// attracting fixed points (Jensen & Vicary, "Enforcing idempotency in neural networks", 2025).
    Purified,
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
/// Further terms are joined to idempotence by weights of their own: the [nearest-neighbour term](Self::nearest) and the
/// [pulling-away term](Self::pulling_away). Like it, they reach the parameters through y = f(z) only.
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
    /// What idempotence draws a sample to.
    pub target: Target,
    /// The weight of the squared distance between features, relative to D; 0 without. D(a, b) becomes D(a, b) + π·(mean
    /// squared error of φ(a) and φ(b)), with the features φ that the step is [recorded](Self::record_batches) with, in all
    /// terms. They are constants of the training (Johnson et al., perceptual losses, arXiv 1603.08155).
    pub perceptual: f32,
    /// The probability of [`Dropout`], with separate masks per application; 0 records no dropout.
    pub dropout: f32,
    /// The weight ν of the nearest-neighbour term, relative to idempotence; 0 records none. The term is the mean over the
    /// images xᵢ of a batch of the squared distance per pixel to the nearest of its samples f(zⱼ), as a soft minimum:
    ///
    /// N = mean −τ·ln Σⱼ exp(−|xᵢ − f(zⱼ)|²/(τ·elements)), up to constants, with τ = 0.01
    ///
    /// It draws a sample to every image, so that no part of the data is left out (implicit maximum likelihood estimation,
    /// Li & Malik 2018, here beside the terms of the paper; arXiv 2511.02614 has it in place of tightness).
    pub nearest: f32,
    /// The weight of the pulling-away term, relative to idempotence; 0 records none. The term is the mean squared cosine
    /// between the codes sᵢ, sⱼ of different samples of a batch: what f's encoder makes of f(zᵢ) and f(zⱼ), at the
    /// bottleneck.
    ///
    /// P = Σ_{i≠j} (sᵢ·sⱼ/(|sᵢ|·|sⱼ|))²/(N(N − 1))
    ///
    /// It keeps samples apart (Zhao et al., energy-based generative adversarial networks, arXiv 1609.03126, equation 4).
    pub pulling_away: f32,
    /// The ratio γ of a balance between tightness and reconstruction; 0 records none. With it the weight of tightness is
    /// λ_tight·min(1, γ·L_rec/L_idem), with the losses of the step, held constant: tightness yields where samples are
    /// already mapped farther than images are. Berthelot et al., arXiv 1703.10717 (BEGAN), seek the same ratio by steps of
    /// an integral control.
    pub balance: f32,
    /// Whether the images that f reconstructs are degraded ones, the input [`DEGRADED`](Self::DEGRADED): rec is then
    /// D(f(d(x)), x). The paper's network never sees such images.
    pub degraded: bool,
}

impl Default for Objective {
    /// The objective of the paper with the mean squared error, without a clamp.
    fn default() -> Self {
        Self {
            distance: Distance::Mse,
            clamp: Clamp::None,
            target: Target::Twice,
            perceptual: 0.0,
            dropout: 0.0,
            nearest: 0.0,
            pulling_away: 0.0,
            balance: 0.0,
            degraded: false,
        }
    }
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

/// The networks of a step: f, and the features of a perceptual distance.
#[derive(Clone, Copy, Debug)]
pub struct Networks<'a> {
    /// f.
    pub f: &'a Sequential,
    /// The features φ, with running averages that have no prefix.
    pub features: Option<&'a Sequential>,
}

impl<'a> From<&'a Sequential> for Networks<'a> {
    fn from(f: &'a Sequential) -> Self {
        Self { f, features: None }
    }
}

/// The distance D of an objective, with features.
#[derive(Clone, Copy)]
struct Metric<'a> {
    distance: Distance,
    /// The features and their weight.
    features: Option<(&'a Sequential, f32)>,
}

/// What the applications of f in a batch are given beside images and noise.
#[derive(Clone, Copy)]
struct Given<'a, 't> {
    metric: Metric<'a>,
    /// The images x as f gets them: degraded, if the objective says so.
    seen: Var<'t>,
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

    /// The input `[N, C, H, W]` with degraded images, in the order of the images `x`.
    pub const DEGRADED: &'static str = "degraded";

    /// Records one step of `network` on batches of `batch` images `[C, H, W]`, with inputs `x`, `z` and `weights`,
    /// `labels` if the network is conditional, `degraded` if images are degraded, and `dropout.seed` if dropout is enabled. Every application updates the
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
    pub fn record_batches<'t, 'n>(
        &self,
        tape: &'t Tape,
        networks: impl Into<Networks<'n>>,
        [count, batch]: [usize; 2],
        [c, h, w]: [usize; 3],
    ) -> Result<TrainingStep<'t>> {
        if !(1..=MOST_BATCHES).contains(&count) {
            let message = format!("a step has 1 to {MOST_BATCHES} batches, and not {count}");
            return Err(TapeError::Shape { op: "step", shapes: vec![], message, at: Location::caller() });
        }
        let Networks { f: network, features } = networks.into();
        if (self.perceptual != 0.0) != features.is_some() {
            let message = "a perceptual distance needs both features and a weight".into();
            return Err(TapeError::Shape { op: "step", shapes: vec![], message, at: Location::caller() });
        }
        let metric = Metric { distance: self.distance, features: features.map(|features| (features, self.perceptual)) };
        let [x, z] = ["x", "z"].map(|name| tape.input(name, [count * batch, c, h, w]));
        let seen = if self.degraded { tape.input(Self::DEGRADED, x.shape()) } else { x };
        let labels = network.classes().map(|classes| tape.input(Self::LABELS, [count * batch, classes]));
        let seed = (self.dropout != 0.0).then(|| tape.input(Self::DROPOUT_SEED, [1]));
        let mut images: [Vec<Var<'t>>; 3] = Default::default();
        let mut means: Vec<Var<'t>> = vec![];
        for i in 0..count {
            let part = |v: Var<'t>| if count == 1 { v } else { v.slice(i * batch, batch) };
            let given = Given { metric, seen: part(seen), labels: labels.map(part), seed, batch: i as u16 };
            let Batch { fx, y, w, values } = self.batch(network, [part(x), part(z)], given)?;
            images.iter_mut().zip([fx, y, w]).for_each(|(all, one)| all.push(one));
            // A sum so far, rather than all gradients at the end, so that one set of them is kept.
            let share = if i + 1 == count { 1.0 / count as f32 } else { 1.0 };
            let add = |(sum, value): (&Var<'t>, Var<'t>)| tape.linear_combination(&[(share, *sum), (share, value)]);
            means = if i == 0 { values } else { means.iter().zip(values).map(add).collect() };
        }
        let whole = |parts: &[Var<'t>]| if count == 1 { parts[0] } else { tape.concat(parts) };

        let parameters = network.on(tape);
        let weights = self.balanced(tape.input(Self::WEIGHTS, [3]), [means[0], means[1]]);
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
    fn batch<'t>(&self, network: &Sequential, [x, z]: [Var<'t>; 2], given: Given<'_, 't>) -> Result<Batch<'t>> {
        let [fx, _] = self.apply(network, given.seen, Role::Image, given);
        let [y, _] = self.apply(network, z, Role::Noise, given);
        let [w, code] = self.apply(network, y, Role::Sample, given);
        let parameters = network.on(x.tape());

        let rec = given.metric.mean(fx, x);
        let rec_gradients = x.tape().gradient(rec, &parameters)?;
        let outer = self.outer(given.metric, rec, [z, y, w], &parameters)?;
        let purified = match self.target {
            Target::Twice => None,
            Target::Purified => Some(self.purified(network, [y, w], given)?),
        };
        let y_gradient = self.joined(purified.unwrap_or(outer.y_gradient), [x, y, code])?;
        let idem_gradients = x.tape().vjp(y, y_gradient, &parameters)?;
        let scalars = vec![rec, outer.idem, outer.tight, batch_variance(y)];
        Ok(Batch { fx, y, w, values: [scalars, rec_gradients, idem_gradients, outer.gradients].concat() })
    }

    /// Records f(v), with the running averages and, if there is a seed, the dropout masks of this role. Returns the output
    /// and the code at the bottleneck.
    #[track_caller]
    fn apply<'t>(&self, network: &Sequential, v: Var<'t>, role: Role, given: Given<'_, 't>) -> [Var<'t>; 2] {
        let Given { labels, seed, batch, .. } = given;
        let application = 3 * batch + role as u16;
        let dropout = seed.map(|seed| Dropout { probability: self.dropout, seed, application });
        network.apply_with_code(v, labels, Mode::Train { prefixes: &[PREFIXES[0], role.prefix()], dropout })
    }

    /// The two terms of the outer application w = f(y).
    fn outer<'t>(
        &self,
        metric: Metric<'_>,
        rec: Var<'t>,
        [z, y, w]: [Var<'t>; 3],
        parameters: &[Var<'t>],
    ) -> Result<Outer<'t>> {
        match self.clamp {
            Clamp::None => metric.unclamped([y, w], parameters),
            Clamp::Noise(a) => metric.clamped([y, w], parameters, a * metric.per_sample(y, z), &[y]),
            Clamp::Data(a) => metric.clamped([y, w], parameters, a * rec.broadcast([y.shape().batch()]), &[y, rec]),
        }
    }

    /// The gradient of D(y, 3w − 2f(w)) with respect to y, with the purified target held constant.
    #[track_caller]
    fn purified<'t>(&self, network: &Sequential, [y, w]: [Var<'t>; 2], given: Given<'_, 't>) -> Result<Var<'t>> {
        let third = network.apply_to(w, given.labels, Mode::Batch);
        let target = y.tape().linear_combination(&[(3.0, w), (-2.0, third)]);
        // A requested gradient stops the backward pass at its variable.
        Ok(y.tape().gradient(given.metric.mean(y, target), &[y, target])?[0])
    }

    /// `y_gradient` with the gradients of the terms that join idempotence.
    #[track_caller]
    fn joined<'t>(&self, y_gradient: Var<'t>, [x, y, code]: [Var<'t>; 3]) -> Result<Var<'t>> {
        let mut sum = vec![(1.0, y_gradient)];
        if self.nearest != 0.0 {
            sum.push((self.nearest, y.tape().gradient(nearest(x, y), &[y])?[0]));
        }
        if self.pulling_away != 0.0 {
            sum.push((self.pulling_away, y.tape().gradient(pulling_away(code), &[y])?[0]));
        }
        Ok(if sum.len() == 1 { y_gradient } else { y.tape().linear_combination(&sum) })
    }

    /// The weights (λ_rec, λ_idem, λ_tight), with that of tightness balanced against the losses rec and idem.
    #[track_caller]
    fn balanced<'t>(&self, weights: Var<'t>, [rec, idem]: [Var<'t>; 2]) -> Var<'t> {
        if self.balance == 0.0 {
            return weights;
        }
        let tape = weights.tape();
        let one = tape.constant(1.0, [1]);
        let [rec, idem] = [rec, idem].map(|loss| loss.reshape([1]));
        // min(1, r) = 1 − relu(1 − r).
        let factor = one - (one - self.balance * rec / idem).relu();
        weights * tape.concat(&[one, one, factor])
    }
}

impl Metric<'_> {
    fn unclamped<'t>(self, [y, w]: [Var<'t>; 2], parameters: &[Var<'t>]) -> Result<Outer<'t>> {
        let idem = self.mean(w, y);
        let tight = -idem;
        let mut gradients = y.tape().gradient(tight, &[parameters, &[y]].concat())?;
        let y_gradient = -gradients.remove(parameters.len());
        Ok(Outer { idem, tight, y_gradient, gradients })
    }

    /// The two terms, with `scale` = a·R per sample. The gradient of tightness treats `scale` and its sources `held` as
    /// constants.
    fn clamped<'t>(
        self,
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

    /// D(a, b) over all samples.
    fn mean<'t>(self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        let pixels = match self.distance {
            Distance::Mse => a.mse(b),
            Distance::L1 => a.l1(b),
        };
        self.with_features(pixels, a, b, Var::mse)
    }

    /// D(a, b) per sample.
    fn per_sample<'t>(self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        let pixels = match self.distance {
            Distance::Mse => a.mse_per_sample(b),
            Distance::L1 => a.l1_per_sample(b),
        };
        self.with_features(pixels, a, b, Var::mse_per_sample)
    }

    /// The distance `pixels`, with that of the features if there are any.
    fn with_features<'t>(
        self,
        pixels: Var<'t>,
        a: Var<'t>,
        b: Var<'t>,
        distance: fn(Var<'t>, Var<'t>) -> Var<'t>,
    ) -> Var<'t> {
        match self.features {
            None => pixels,
            Some((features, weight)) => {
                let [a, b] = [a, b].map(|images| features.apply(images, Mode::Running("")));
                pixels + weight * distance(a, b)
            }
        }
    }
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
        let metric = Metric { distance: objective.distance, features: None };
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

        let rec = metric.mean(fx, x);
        let idem = metric.mean(ffz_of_copy, fz);
        let each = -metric.per_sample(ffz, constant);
        let from_noise = metric.per_sample(fz, z);
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
                let objective = Objective { distance, clamp, dropout, ..Objective::default() };
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
            let objective = Objective::default();
            let refused = objective.record_batches(&Tape::new(), &tiny(""), [count, BATCH], IMAGE).err().unwrap();
            assert!(refused.to_string().contains("1 to 1024 batches"), "{refused}");
        }
    }

    fn means_of_several_batches(network: &Sequential) {
        const COUNT: usize = 3;
        let objective = Objective { clamp: Clamp::Noise(1.5), ..Objective::default() };
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

    /// The gradients of the three terms, with random inputs.
    fn terms(objective: Objective) -> [Vec<f64>; 3] {
        let tape = Tape::new();
        let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
        let values = interpret(&tape, &BTreeMap::new());
        step.gradients.map(|term| term.iter().flat_map(|g| values.get(*g).to_vec()).collect())
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-7 * (1.0 + e.abs()), "{f} and {e}");
        }
    }

    /// The terms reach the parameters through f(z) only, with their weight.
    #[test]
    fn further_terms_are_part_of_idempotence() {
        let joined: [fn(f32) -> Objective; 2] = [
            |nearest| Objective { nearest, ..Objective::default() },
            |pulling_away| Objective { pulling_away, ..Objective::default() },
        ];
        for objective in joined {
            let [none, half, whole] = [0.0, 0.5, 1.0].map(|weight| terms(objective(weight)));
            assert!(none[0] == whole[0] && none[2] == whole[2]);
            assert!(none[1] != whole[1]);
            let middle: Vec<f64> = none[1].iter().zip(&whole[1]).map(|(n, w)| (n + w) / 2.0).collect();
            close(&half[1], &middle);
        }
    }

    /// The gradient of D(y, K′) with respect to y alone is 2(y − K′)/elements.
    #[test]
    fn a_purified_target_is_a_constant() {
        let tape = Tape::new();
        let objective = Objective { target: Target::Purified, ..Objective::default() };
        let TrainingStep { y, w, parameters, gradients, .. } =
            objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
        let third = tiny("").apply(w, Mode::Batch);
        let off = tape.linear_combination(&[(1.0, y), (-3.0, w), (2.0, third)]);
        let expected = tape.vjp(y, 2.0 / y.shape().elements() as f32 * off, &parameters).unwrap();
        let values = interpret(&tape, &BTreeMap::new());
        for (found, expected) in gradients[1].iter().zip(expected) {
            close(values.get(*found), values.get(expected));
        }
        let [plain, purified] = [Objective::default(), objective].map(terms);
        assert!(plain[0] == purified[0] && plain[1] != purified[1] && plain[2] == purified[2]);
    }

    #[test]
    fn balance_lowers_the_weight_of_tightness_where_idempotence_is_large() {
        let totals = |balance: f32, tight: f64| {
            let tape = Tape::new();
            let objective = Objective { balance, ..Objective::default() };
            let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
            let weights = [WEIGHTS[0], WEIGHTS[1], tight].map(|w| f64::from(w as f32)).to_vec();
            let values = interpret(&tape, &[(Objective::WEIGHTS.to_string(), weights)].into());
            let losses = step.losses.map(|loss| values.get(loss)[0]);
            (losses, step.total.iter().flat_map(|g| values.get(*g).to_vec()).collect::<Vec<f64>>())
        };
        let ([rec, idem, _], _) = totals(0.0, 0.7);
        let gamma = 0.4 * idem / rec;
        close(&totals(gamma as f32, 0.7).1, &totals(0.0, 0.4 * 0.7).1);
        // No more than λ_tight.
        close(&totals(1.5 * (idem / rec) as f32, 0.7).1, &totals(0.0, 0.7).1);
    }

    #[test]
    fn degraded_images_are_what_f_gets_and_not_what_it_should_give() {
        let [x, other] =
            [7, 11].map(|step| (0..BATCH * 36).map(|i| f64::from((i * step % 13) as u32) / 13.0).collect());
        let fx = |degraded: bool, given: &Vec<f64>| {
            let tape = Tape::new();
            let step = Objective { degraded, ..Objective::default() }.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
            let inputs = [("x", &x), (Objective::DEGRADED, given)].map(|(name, data)| (name.to_string(), data.clone()));
            let values = interpret(&tape, &inputs.into());
            let fx = values.get(step.fx).to_vec();
            let squares = fx.iter().zip(&x).map(|(f, x): (_, &f64)| (f - x).powi(2));
            close(values.get(step.losses[0]), &[squares.sum::<f64>() / fx.len() as f64]);
            fx
        };
        assert_eq!(fx(true, &x), fx(false, &other));
        assert_ne!(fx(true, &other), fx(false, &other));
    }

    #[test]
    fn a_perceptual_distance_has_that_of_the_features_in_every_term() {
        let features = Sequential {
            layers: vec![Layer::Conv2d { inputs: 1, outputs: 2, kernel: 3, stride: 1, padding: 0 }, Layer::Flatten],
            name: "features.".into(),
        };
        for clamp in [Clamp::None, Clamp::Noise(1.5)] {
            let tape = Tape::new();
            let f = tiny("");
            let networks = Networks { f: &f, features: Some(&features) };
            let objective = Objective { perceptual: 0.5, clamp, ..Objective::default() };
            let step = objective.record_batches(&tape, networks, [1, BATCH], IMAGE).unwrap();
            assert_eq!(step.parameters.len(), f.parameters().len());
            let distance = |a: Var<'_>, b: Var<'_>| {
                let values = interpret(&tape, &BTreeMap::new());
                let [a, b] = [a, b].map(|v| values.get(v).to_vec());
                a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64
            };
            let of = |v| features.apply(v, Mode::Running(""));
            for (loss, [a, b]) in step.losses.into_iter().zip([[step.fx, step.x], [step.w, step.y]]) {
                let seen = [of(a), of(b)];
                let expected = distance(a, b) + 0.5 * distance(seen[0], seen[1]);
                let found = interpret(&tape, &BTreeMap::new()).get(loss)[0];
                assert!((found - expected).abs() < 1e-7, "{found} and {expected}");
            }
        }
        let (tape, objective) = (Tape::new(), Objective { perceptual: 0.5, ..Objective::default() });
        let alone = objective.record(&tape, &tiny(""), BATCH, IMAGE);
        assert!(alone.err().unwrap().to_string().contains("needs both features and a weight"));
    }

    #[test]
    fn running_averages_move_in_the_order_of_the_applications() {
        let tape = Tape::new();
        let objective = Objective::default();
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
            let objective = Objective { dropout, ..Objective::default() };
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
