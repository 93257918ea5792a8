//! Batch normalisation as a layer, with the class's scale and shift in a conditional network.

use super::{Mode, Sequential};
use crate::ops::{self, Norm, Normalised};
use crate::tape::{Shape, Tape, Var};

/// ε of batch normalisation.
const EPSILON: f32 = 1e-5;
/// Weight of a batch in the running averages.
const MOMENTUM: f32 = 0.1;

impl Sequential {
    /// Records batch normalisation, layer `i`, including the activation after it.
    #[track_caller]
    pub(super) fn normalise<'t>(&self, x: Var<'t>, i: usize, channels: usize, mode: Mode<'_, 't>) -> Var<'t> {
        let affine = self.weights(x.tape(), i);
        self.standardise(x, affine, self.slope(i + 1).unwrap_or(1.0), [i, channels], mode)
    }

    /// Records conditional batch normalisation, layer `i`, including the activation after it, for `labels` `[N, K]`.
    #[track_caller]
    pub(super) fn normalise_by<'t>(
        &self,
        labels: Var<'t>,
        x: Var<'t>,
        i: usize,
        channels: usize,
        mode: Mode<'_, 't>,
    ) -> Var<'t> {
        let tape = x.tape();
        let none = [tape.constant(1.0, [channels]), tape.constant(0.0, [channels])];
        let standard = self.standardise(x, none, 1.0, [i, channels], mode);
        let [scale, shift] = self.weights(tape, i);
        let y = standard * per_channel(labels.matmul(scale), x.shape()) + per_channel(labels.matmul(shift), x.shape());
        match self.slope(i + 1) {
            Some(slope) => y.leaky_relu(slope),
            None => y,
        }
    }

    /// Records the batch normalisation of layer `i` with scale γ and shift β, and an activation with `slope` below zero.
    #[track_caller]
    fn standardise<'t>(
        &self,
        x: Var<'t>,
        [gamma, beta]: [Var<'t>; 2],
        slope: f32,
        [i, channels]: [usize; 2],
        mode: Mode<'_, 't>,
    ) -> Var<'t> {
        let tape = x.tape();
        let norm = Norm { epsilon: EPSILON, slope };
        let prefixes = match mode {
            Mode::Running(prefix) => {
                let running = self.running(tape, prefix, i, channels);
                return x.batch_norm_fixed(running, gamma, beta, norm);
            }
            Mode::Train { prefixes, .. } => prefixes,
            Mode::Batch => &[],
        };
        let Normalised { y, statistics } = x.batch_norm(gamma, beta, norm);
        for prefix in prefixes {
            let running = self.running(tape, prefix, i, channels);
            ops::update_running(running, statistics, x.shape().elements() / channels, MOMENTUM);
        }
        y
    }

    /// Records minibatch standard deviation, layer `i`.
    #[track_caller]
    pub(super) fn deviate<'t>(&self, x: Var<'t>, i: usize, channels: usize, mode: Mode<'_, 't>) -> Var<'t> {
        let tape = x.tape();
        let [scale, shift] = self.weights(tape, i);
        let variance = match mode {
            Mode::Running(prefix) => self.running(tape, prefix, i, channels)[1],
            Mode::Train { prefixes, .. } => {
                let statistics = x.batch_statistics();
                for prefix in prefixes {
                    let running = self.running(tape, prefix, i, channels);
                    ops::update_running(running, statistics, x.shape().elements() / channels, MOMENTUM);
                }
                variance(x, channels)
            }
            Mode::Batch => variance(x, channels),
        };
        let deviation = (variance + tape.constant(EPSILON, [channels])).sqrt().mean();
        let added = deviation.broadcast([channels]) * scale + shift;
        x + added.broadcast_channels(x.shape())
    }

    /// Running mean and variance of layer `i`, as state on a tape.
    #[track_caller]
    fn running<'t>(&self, tape: &'t Tape, prefix: &str, i: usize, channels: usize) -> [Var<'t>; 2] {
        let name = |what: &str| format!("{prefix}{}{i}.running_{what}", self.name);
        [tape.state(&name("mean"), [channels]), tape.state(&name("var"), [channels])]
    }
}

/// The variance of each channel of x `[N, C, …]`, with a gradient.
#[track_caller]
fn variance(x: Var<'_>, channels: usize) -> Var<'_> {
    let share = 1.0 / (x.shape().elements() / channels) as f32;
    let off = x - (share * x.sum_channels()).broadcast_channels(x.shape());
    share * (off * off).sum_channels()
}

/// Repeats values `[N, C]` over the pixels of `shape` `[N, C, …]`.
#[track_caller]
fn per_channel<'t>(values: Var<'t>, shape: Shape) -> Var<'t> {
    let rows = values.shape().elements();
    values.reshape([rows]).broadcast([rows, shape.elements() / rows.max(1)]).reshape(shape)
}

#[cfg(test)]
mod tests {
    use crate::nn::{Layer, Mode, Sequential};
    use crate::tape::Tape;

    const CHANNELS: usize = 2;

    /// The output of a batch norm with leaky ReLU, conditional on one of `classes`, for x `[3, 2, 2, 2]`.
    fn output(classes: Option<usize>, labels: Option<&[f64]>, scale: &[f64], shift: &[f64]) -> Vec<f64> {
        let tape = Tape::new();
        let network = Sequential::new(vec![Layer::BatchNorm { channels: CHANNELS }, Layer::LeakyRelu(0.2)]);
        let network = classes.map_or(network.clone(), |classes| network.conditional(classes));
        assert_eq!(network.classes(), classes);
        let x = tape.input("x", [3, CHANNELS, 2, 2]);
        let given = labels.map(|labels| tape.input("labels", [3, labels.len() / 3]));
        let y = network.apply_to(x, given, Mode::Batch);
        let pixels: Vec<f64> = (0..24).map(|i| f64::from(i * 7 % 11) - 4.0).collect();
        let parameters = network.on(&tape);
        let mut feeds = vec![(x, &pixels[..]), (parameters[0], scale), (parameters[1], shift)];
        feeds.extend(given.zip(labels));
        tape.interpret(&feeds).unwrap().get(y).to_vec()
    }

    #[test]
    fn each_sample_has_scale_and_shift_of_its_class() {
        let (scale, shift) = ([2.0, 0.5, -1.0, 3.0], [0.1, -0.2, 0.3, 0.4]);
        let found = output(Some(2), Some(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]), &scale, &shift);
        let of_class = |class: usize| output(None, None, &scale[2 * class..][..2], &shift[2 * class..][..2]);
        let [first, second] = [0, 1].map(of_class);
        let expected = [&first[..8], &second[8..16], &first[16..]].concat();
        for (f, e) in found.iter().zip(&expected) {
            assert!((f - e).abs() < 1e-12, "{found:?} and {expected:?}");
        }
    }

    #[test]
    fn minibatch_deviation_adds_the_deviation_of_the_batch() {
        let tape = Tape::new();
        let transposed = Layer::ConvTranspose2d {
            inputs: CHANNELS,
            outputs: 1,
            kernel: 1,
            stride: 1,
            padding: 0,
            output_padding: 0,
        };
        let network = Sequential::new(vec![Layer::Tanh, transposed]).with_minibatch_deviation();
        assert_eq!(network.layers[1..], [Layer::MinibatchDeviation { channels: CHANNELS }, transposed]);
        let alone = Sequential::new(vec![network.layers[1]]);
        let x = tape.input("x", [2, CHANNELS, 1, 1]);
        let [scale, shift] = alone.on(&tape)[..] else { panic!("scale and shift") };
        let batch = alone.apply(x, Mode::Batch);
        let running = alone.apply(x, Mode::Running("role."));
        let [mean, variance] = ["mean", "var"].map(|what| tape.state(&format!("role.0.running_{what}"), [CHANNELS]));
        let feeds: [(_, &[f64]); 5] = [
            (x, &[1.0, 5.0, 3.0, -1.0]),
            (scale, &[1.0, 10.0]),
            (shift, &[0.0, 0.5]),
            (mean, &[0.0; 2]),
            (variance, &[1.0, 1.0]),
        ];
        let values = tape.interpret(&feeds).unwrap();
        // The deviations are 1 and 3, and 2 on average.
        for (found, expected) in [(batch, [3.0, 25.5, 5.0, 19.5]), (running, [2.0, 15.5, 4.0, 9.5])] {
            let close = values.get(found).iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-4);
            assert!(close, "{:?} and {expected:?}", values.get(found));
        }
        // A layer without a bottleneck has none.
        let without = Sequential::new(vec![Layer::Tanh]);
        assert_eq!(without.clone().with_minibatch_deviation(), without);
    }

    #[test]
    fn without_labels_all_classes_weigh_the_same() {
        let found = output(Some(2), None, &[2.0, 0.5, -1.0, 3.0], &[0.1, -0.2, 0.3, 0.4]);
        let expected = output(None, None, &[0.5, 1.75], &[0.2, 0.1]);
        assert!(found.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-6), "{found:?} and {expected:?}");
    }
}
