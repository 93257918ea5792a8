use super::Sequential;
use crate::ops;
use crate::tape::{Result, Shape, Tape};
use std::collections::BTreeMap;

/// An exponential moving average of a network's parameters and running averages, which changes less from step to step
/// than the network does (Polyak & Juditsky 1992; for generators Yazıcı et al. 2018).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// What is left of the average after a step.
    pub decay: f64,
}

impl Average {
    /// The host's input that holds the [`rate`](Average::rate).
    pub const RATE: &'static str = "average.rate";

    /// The averaged network: the same layers with tensors of their own.
    pub fn of(network: &Sequential) -> Sequential {
        Sequential { layers: network.layers.clone(), name: format!("average.{}", network.name) }
    }

    /// The tensors of the averaged network, and those of `network` that they are averages of.
    fn pairs(network: &Sequential, prefixes: &[&str]) -> impl Iterator<Item = (String, String, Shape)> {
        let averages = Self::of(network).tensors(prefixes).into_iter();
        averages.zip(network.tensors(prefixes)).map(|((average, shape), (x, _))| (average, x, shape))
    }

    /// The averages before the first step, by name: the tensors of `network` as `values` has them.
    pub fn initial(
        network: &Sequential,
        prefixes: &[&str],
        values: &BTreeMap<String, Vec<f32>>,
    ) -> BTreeMap<String, Vec<f32>> {
        let copy = |(average, x, _): (String, String, Shape)| Some((average, values.get(&x)?.clone()));
        Self::pairs(network, prefixes).filter_map(copy).collect()
    }

    /// Records that the averaged network moves towards `network` as it is now, with its running averages of each prefix.
    pub fn record(tape: &Tape, network: &Sequential, prefixes: &[&str]) -> Result<()> {
        let rate = tape.input(Self::RATE, [1]);
        for (average, x, shape) in Self::pairs(network, prefixes) {
            ops::moving_average(tape.state(&average, shape.clone())?, tape.state(&x, shape)?, rate)?;
        }
        Ok(())
    }

    /// What the host writes before step `t`, counted from 1: 1 − min(decay, (1 + t)/(10 + t)). The first steps are
    /// forgotten sooner, as in TensorFlow's `ExponentialMovingAverage`.
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
        Average::record(&tape, &network, &["", "noise."]).unwrap();
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
