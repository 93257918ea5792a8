use super::Sequential;
use crate::ops;
use crate::tape::{Shape, Tape};
use std::collections::BTreeMap;

/// Exponential moving average of a network's parameters and running averages: a ← a + rate·(x − a) for every tensor x.
/// The average changes less per step than the network (Polyak & Juditsky 1992; for generators Yazıcı et al. 2018).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// Weight of the old average in the new one, after the first steps.
    pub decay: f64,
}

impl Average {
    /// Name of the input `[1]` with the [`rate`](Average::rate) of the step.
    pub const RATE: &'static str = "average.rate";

    /// The averaged network: the same layers with separate tensors.
    pub fn of(network: &Sequential) -> Sequential {
        Sequential { layers: network.layers.clone(), name: format!("average.{}", network.name) }
    }

    /// Names of the tensors of the averaged network and of `network`, in pairs, with their shapes.
    fn pairs(network: &Sequential, prefixes: &[&str]) -> impl Iterator<Item = (String, String, Shape)> {
        let averages = Self::of(network).tensors(prefixes).into_iter();
        averages.zip(network.tensors(prefixes)).map(|((average, shape), (x, _))| (average, x, shape))
    }

    /// Initial averages by name: the tensors of `network`, from `values`.
    pub fn initial(
        network: &Sequential,
        prefixes: &[&str],
        values: &BTreeMap<String, Vec<f32>>,
    ) -> BTreeMap<String, Vec<f32>> {
        // A tensor that is missing here is named when the tape is compiled.
        let copy = |(average, x, _): (String, String, Shape)| values.get(&x).map(|values| (average, values.clone()));
        Self::pairs(network, prefixes).filter_map(copy).collect()
    }

    /// Records the update of the averaged network. It covers the parameters and the running averages of each prefix.
    #[track_caller]
    pub fn record(tape: &Tape, network: &Sequential, prefixes: &[&str]) {
        let rate = tape.input(Self::RATE, [1]);
        for (average, x, shape) in Self::pairs(network, prefixes) {
            ops::moving_average(tape.state(&average, shape.clone()), tape.state(&x, shape), rate);
        }
    }

    /// Rate of step `t`, counted from 1: 1 − min(decay, (1 + t)/(10 + t)). The host writes it to the input
    /// [`RATE`](Self::RATE) before the step. As in TensorFlow's `ExponentialMovingAverage`, the rate is higher at
    /// first, so that the first steps lose their weight sooner.
    pub fn rate(&self, t: u64) -> f32 {
        let t = t as f64;
        (1.0 - self.decay.min((1.0 + t) / (10.0 + t))) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Layer;
    use crate::tape::Source;

    #[test]
    fn every_tensor_has_its_average() {
        let tape = Tape::new();
        let network = Sequential::new(vec![Layer::Linear { inputs: 3, outputs: 2 }, Layer::BatchNorm { channels: 2 }]);
        Average::record(&tape, &network, &["", "noise."]);
        let nodes = tape.nodes();
        let updates = nodes.iter().filter(|n| matches!(n.source, Source::Op(_)));
        let pairs: Vec<_> = updates.map(|n| [0, 1].map(|i| nodes[n.inputs[i]].name().to_string())).collect();
        assert_eq!(pairs.len(), 8);
        assert!(pairs.contains(&["average.0.weight".into(), "0.weight".into()]), "{pairs:?}");
        assert!(pairs.contains(&["noise.average.1.running_var".into(), "noise.1.running_var".into()]), "{pairs:?}");
    }

    #[test]
    fn the_first_steps_are_forgotten_sooner() {
        let rates = [1, 8, 1_000_000].map(|t| Average { decay: 0.75 }.rate(t));
        assert_eq!(rates, [9.0 / 11.0, 0.5, 0.25]);
    }
}
