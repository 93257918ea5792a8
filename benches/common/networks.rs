//! The layers of both networks, as subjects of benchmarks.

use super::testing;
use ign::model::Network;
use ign::nn::{Layer, Mode, Sequential};
use ign::tape::{Tape, Var};

/// A single layer of a network.
pub struct Part {
    /// Network, layer number, and shapes of input and output.
    pub name: String,
    layers: Sequential,
    input: [usize; 3],
}

impl Part {
    /// Records the layer applied to `x`, and returns its output, `x` and the weight.
    pub fn record<'t>(&self, tape: &'t Tape, batch: usize) -> [Var<'t>; 3] {
        let [c, h, w] = self.input;
        let x = tape.input("x", [batch, c, h, w]);
        let y = self.layers.apply(x, Mode::Batch);
        [y, x, self.layers.on(tape)[0]]
    }

    /// Records the layer and its gradients for those of (x, weight) that `choose` selects. Returns the gradients.
    pub fn vjp<'t>(&self, tape: &'t Tape, batch: usize, choose: [bool; 2]) -> Vec<Var<'t>> {
        let [y, x, weight] = self.record(tape, batch);
        let wrt: Vec<_> = [x, weight].into_iter().zip(choose).filter(|(_, wanted)| *wanted).map(|(v, _)| v).collect();
        tape.vjp(y, tape.input("g", y.shape()), &wrt).expect("layers can be differentiated")
    }
}

/// The layers of both networks that `wanted` accepts, without duplicates.
pub fn parts(wanted: impl Fn(&Layer) -> bool) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![];
    for network in Network::PUBLISHED {
        let width = if testing() && network == Network::FACES { 4 } else { 32 };
        let mut input = network.image();
        for (i, layer) in network.layers(width).layers.into_iter().enumerate() {
            let layers = Sequential::new(vec![layer]);
            let tape = Tape::new();
            let [c, h, w] = input;
            let y = layers.apply(tape.input("x", [1, c, h, w]), Mode::Batch);
            let [_, oc, oh, ow] = y.shape().nchw().expect("the networks map images to images");
            if wanted(&layer) && !parts.iter().any(|p| p.layers == layers && p.input == input) {
                let name = format!("{network} {i}: {c}x{h}x{w} to {oc}x{oh}x{ow}");
                parts.push(Part { name, layers, input });
            }
            input = [oc, oh, ow];
        }
    }
    parts
}
