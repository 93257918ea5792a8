//! The layers and tensors of the classifier.

use super::{Architecture, Classifier, Signature};
use crate::model::Network;
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::{Shape, Var};
use std::collections::BTreeMap;

/// The body and the head. The body has convolutions, each with batch norm and an activation: for digits
/// 28×28 → 14×14 → 7×7 → 4×4 → 1×1. The head is a linear layer.
pub(super) fn networks(signature: Signature) -> [Sequential; 2] {
    let body = match signature.architecture {
        Architecture::Doubling => signature.images.features(),
        Architecture::Uniform => uniform(signature.images),
    };
    let head = vec![Layer::Linear { inputs: Classifier::FEATURES, outputs: signature.classes }];
    [body, Sequential { layers: head, name: "classes.".into() }]
}

/// The body of 5×5 convolutions with as many channels in every layer.
fn uniform(images: Network) -> Sequential {
    const WIDTH: usize = 24;
    let mut layers = vec![];
    for layer in images.encoder(WIDTH, Classifier::FEATURES) {
        let Layer::Conv2d { inputs, kernel, stride, padding, .. } = layer else { continue };
        let inputs = inputs.min(WIDTH);
        let (outputs, kernel, padding) = match stride {
            2 => (WIDTH, 5, 2),
            _ => (Classifier::FEATURES, kernel, padding),
        };
        let convolution = Layer::Conv2d { inputs, outputs, kernel, stride, padding };
        layers.extend([convolution, Layer::BatchNorm { channels: outputs }, Layer::LeakyRelu(0.2)]);
    }
    layers.push(Layer::Flatten);
    Sequential { layers, name: "features.".into() }
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
