use super::distance::{Distance, Metric};
use super::terms::{nearest, pulling_away};
use super::{PREFIXES, Role};
use crate::nn::{Dropout, Mode, Sequential};
use crate::ops;
use crate::tape::{Result, Tape, TapeError, Var};
use serde::{Deserialize, Serialize};
use std::panic::Location;

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
    /// In a conditional network, j goes over the samples of the image's class. The term draws a sample to every image, so that
    /// no part of the data is left out (implicit maximum likelihood estimation,
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
    fn default() -> Self {
        Self::PAPER
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
    /// The objective of the paper, with the mean squared error and without a clamp. The default.
    pub const PAPER: Self = Self {
        distance: Distance::Mse,
        clamp: Clamp::None,
        target: Target::Twice,
        perceptual: 0.0,
        dropout: 0.0,
        nearest: 0.0,
        pulling_away: 0.0,
        balance: 0.0,
        degraded: false,
    };

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
    /// `labels` if the network is conditional, `degraded` if images are degraded, and `dropout.seed` if dropout is enabled.
    /// Every application updates the unprefixed running averages and the averages of its role.
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
        let y_gradient = self.joined(purified.unwrap_or(outer.y_gradient), [x, y, code], given.labels)?;
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
    #[track_caller]
    fn outer<'t>(
        &self,
        metric: Metric<'_>,
        rec: Var<'t>,
        [z, y, w]: [Var<'t>; 3],
        parameters: &[Var<'t>],
    ) -> Result<Outer<'t>> {
        let each = |v: Var<'t>| v.broadcast([y.shape().batch()]);
        match self.clamp {
            Clamp::None => unclamped(metric, [y, w], parameters),
            Clamp::Noise(a) => clamped(metric, [y, w], parameters, a * metric.per_sample(y, z), &[y]),
            Clamp::Data(a) => clamped(metric, [y, w], parameters, a * each(rec), &[y, rec]),
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
    fn joined<'t>(&self, y_gradient: Var<'t>, [x, y, code]: [Var<'t>; 3], labels: Option<Var<'t>>) -> Result<Var<'t>> {
        let mut sum = vec![(1.0, y_gradient)];
        if self.nearest != 0.0 {
            sum.push((self.nearest, y.tape().gradient(nearest(x, y, labels), &[y])?[0]));
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

/// The two terms of the outer application w = f(y) without a clamp, in one backward pass.
#[track_caller]
fn unclamped<'t>(metric: Metric<'_>, [y, w]: [Var<'t>; 2], parameters: &[Var<'t>]) -> Result<Outer<'t>> {
    let idem = metric.mean(w, y);
    let tight = -idem;
    let mut gradients = y.tape().gradient(tight, &[parameters, &[y]].concat())?;
    let y_gradient = -gradients.remove(parameters.len());
    Ok(Outer { idem, tight, y_gradient, gradients })
}

/// The two terms, with `scale` = a·R per sample. The gradient of tightness treats `scale` and its sources `held` as
/// constants.
#[track_caller]
fn clamped<'t>(
    metric: Metric<'_>,
    [y, w]: [Var<'t>; 2],
    parameters: &[Var<'t>],
    scale: Var<'t>,
    held: &[Var<'t>],
) -> Result<Outer<'t>> {
    // The clamp weights samples differently in the two terms, and batch norm couples samples: two backward passes.
    let each = metric.per_sample(w, y);
    let idem = each.mean();
    let y_gradient = y.tape().gradient(idem, &[y])?[0];
    let tight = ((-each / scale).tanh() * scale).mean();
    // A requested gradient stops the backward pass at its variable. The unused ones are never computed.
    let mut gradients = y.tape().gradient(tight, &[parameters, held].concat())?;
    gradients.truncate(parameters.len());
    Ok(Outer { idem, tight, y_gradient, gradients })
}

/// The variance over the batch, averaged over all other axes.
fn batch_variance(y: Var<'_>) -> Var<'_> {
    let vectors = y.reshape([y.shape().batch(), y.shape().per_sample()]);
    vectors.batch_statistics().slice(1, 1).mean()
}

#[cfg(test)]
mod tests;
