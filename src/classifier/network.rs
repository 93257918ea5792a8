//! The layers and tensors of the classifier.

use super::{Architecture, Classifier, Signature};
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::{Shape, Var};
use std::collections::BTreeMap;

/// The body and the head. The body has convolutions, each with batch norm and an activation: for digits
/// 28×28 → 14×14 → 7×7 → 4×4 → 1×1. The head is a linear layer.
pub(super) fn networks(signature: Signature) -> [Sequential; 2] {
    let (uniform, width, activation) = match signature.architecture {
        Architecture::Doubling => (false, 16, Layer::Relu),
        Architecture::Uniform => (true, 24, Layer::LeakyRelu(0.2)),
    };
    let mut body = vec![];
    for layer in signature.images.encoder(width, Classifier::FEATURES) {
        let Layer::Conv2d { mut inputs, mut outputs, mut kernel, stride, mut padding } = layer else { continue };
        if uniform {
            (inputs, outputs) = (inputs.min(width), outputs.min(width));
            if stride == 2 {
                (kernel, padding) = (5, 2);
            } else {
                outputs = Classifier::FEATURES;
            }
        }
        let convolution = Layer::Conv2d { inputs, outputs, kernel, stride, padding };
        body.extend([convolution, Layer::BatchNorm { channels: outputs }, activation]);
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
        for architecture in [Architecture::Doubling, Architecture::Uniform] {
            for (channels, side, classes) in [(1, 28, 10), (3, 32, 7)] {
                let tape = Tape::new();
                let signature = Signature::new([channels, side, side], classes).unwrap();
                let x = tape.input("x", [3, channels, side, side]);
                let [features, logits] = record(Signature { architecture, ..signature }, x, Mode::Batch);
                assert_eq!((features.shape(), logits.shape()), ([3, 64].into(), [3, classes].into()));
            }
        }
    }
}
