//! The layers and tensors of the classifier.

use super::Classifier;
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::{Shape, Var};
use std::collections::BTreeMap;

/// The body and the head: four convolutions (28×28 → 14×14 → 7×7 → 4×4 → 1×1), and a linear layer.
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

/// Records features `[N, 64]` and logits `[N, 10]` of images `x`.
pub(super) fn record<'t>(x: Var<'t>, mode: Mode<'_, 't>) -> [Var<'t>; 2] {
    let [body, head] = networks();
    let features = body.apply(x, mode);
    [features, head.apply(features, mode)]
}

/// The initial values of all saved tensors: parameters and running averages.
pub(super) fn initial(seed: u64) -> BTreeMap<String, Vec<f32>> {
    let [body, head] = networks();
    let mut values = body.initialise(seed, &[""]);
    // The random stream of a parameter depends on its index within its network. With the same seed, the head would
    // repeat the body's values.
    values.extend(head.initialise(seed.wrapping_add(1), &[]));
    values
}

/// The names and shapes of all saved tensors.
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
        let [features, logits] = record(tape.input("x", [3, c, h, w]), Mode::Batch);
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
