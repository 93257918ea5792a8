//! The layers and tensors of the classifier.

use super::{Classifier, Signature};
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::{Shape, Var};
use std::collections::BTreeMap;

/// Number of channels after the first convolution.
const WIDTH: usize = 16;

/// The body and the head. The body has the convolutions of the encoder for such images, each with batch norm and ReLU: for
/// digits 28×28 → 14×14 → 7×7 → 4×4 → 1×1. The head is a linear layer.
pub(super) fn networks(signature: Signature) -> [Sequential; 2] {
    let mut body = vec![];
    for layer in signature.images.encoder(WIDTH, Classifier::FEATURES) {
        if let Layer::Conv2d { outputs, .. } = layer {
            body.extend([layer, Layer::BatchNorm { channels: outputs }, Layer::Relu]);
        }
    }
    body.push(Layer::Flatten);
    let head = vec![Layer::Linear { inputs: Classifier::FEATURES, outputs: signature.classes }];
    let named = |layers, name: &str| Sequential { layers, name: name.into() };
    [named(body, "features."), named(head, "classes.")]
}

/// Records features `[N, 64]` and logits `[N, K]` of images `x`.
pub(super) fn record<'t>(signature: Signature, x: Var<'t>, mode: Mode<'_, 't>) -> [Var<'t>; 2] {
    let [body, head] = networks(signature);
    let features = body.apply(x, mode);
    [features, head.apply(features, mode)]
}

/// The names and shapes of all saved tensors.
pub(super) fn shapes(signature: Signature) -> BTreeMap<String, Shape> {
    let [body, head] = networks(signature);
    body.tensors(&[""]).into_iter().chain(head.tensors(&[])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    #[test]
    fn images_become_features_and_logits() {
        for (channels, side, classes) in [(1, 28, 10), (3, 32, 7)] {
            let tape = Tape::new();
            let signature = Signature::new([channels, side, side], classes).unwrap();
            let x = tape.input("x", [3, channels, side, side]);
            let [features, logits] = record(signature, x, Mode::Batch);
            assert_eq!((features.shape(), logits.shape()), ([3, 64].into(), [3, classes].into()));
        }
    }
}
