//! The layers, and the tensors that belong to them.

use super::Classifier;
use crate::metrics::MetricsError;
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::{Shape, Var};
use std::collections::BTreeMap;

/// Four convolutions, 28×28 to 14×14, 7×7, 4×4 and one pixel, and the linear layer behind them.
pub(super) fn networks() -> [Sequential; 2] {
    let conv = |inputs, outputs, kernel, stride, padding| Layer::Conv2d { inputs, outputs, kernel, stride, padding };
    let block = |conv: Layer, channels| [conv, Layer::BatchNorm { channels }, Layer::Relu];
    let blocks = [
        block(conv(1, 16, 4, 2, 1), 16),
        block(conv(16, 32, 4, 2, 1), 32),
        block(conv(32, 64, 3, 2, 1), 64),
        block(conv(64, Classifier::FEATURES, 4, 1, 0), Classifier::FEATURES),
    ];
    let body = [blocks.as_flattened(), &[Layer::Flatten]].concat();
    let head = vec![Layer::Linear { inputs: Classifier::FEATURES, outputs: Classifier::CLASSES }];
    let named = |layers, name: &str| Sequential { layers, name: name.into() };
    [named(body, "features."), named(head, "classes.")]
}

/// Records features and logits of `x`.
pub(super) fn record<'t>(x: Var<'t>, mode: Mode<'_, 't>) -> Result<[Var<'t>; 2], MetricsError> {
    let [body, head] = networks();
    let features = body.apply(x, mode)?;
    Ok([features, head.apply(features, mode)?])
}

/// Initial values of everything that is saved.
pub(super) fn initial(seed: u64) -> BTreeMap<String, Vec<f32>> {
    let [body, head] = networks();
    let mut values = body.initialise(seed, &[""]);
    // Parameters draw by their number within a network: with the same seed the head would repeat the body's numbers.
    values.extend(head.initialise(seed.wrapping_add(1), &[]));
    values
}

/// Names and shapes of everything that is saved.
pub(super) fn shapes() -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<String, Shape> =
        initial(0).into_iter().map(|(name, values)| (name, [values.len()].into())).collect();
    shapes.extend(networks().iter().flat_map(|n| n.parameters()).map(|p| (p.name, p.shape)));
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn images_become_features_and_logits() {
        let tape = Tape::new();
        let [c, h, w] = Classifier::IMAGE;
        let [features, logits] = record(tape.input("x", [3, c, h, w]), Mode::Batch).unwrap();
        assert_eq!((features.shape(), logits.shape()), ([3, 64].into(), [3, 10].into()));
    }

    #[test]
    fn every_tensor_has_an_initial_value_of_its_shape() {
        let (shapes, values) = (shapes(), initial(1));
        assert!(values.keys().eq(shapes.keys()));
        assert!(values.iter().all(|(name, v)| v.len() == shapes[name].elements()));
        assert_eq!(shapes["features.3.weight"], [32, 16, 4, 4].into());
        assert_ne!(values["features.0.weight"][..99], values["classes.0.weight"][..99]);
    }
}
