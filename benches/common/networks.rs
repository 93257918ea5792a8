//! The layers of both networks as subjects.

use super::testing;
use ign::ign::Network;
use ign::nn::{Layer, Mode, Sequential};
use ign::tape::{Result, Tape, Var};

/// A layer of a network, by itself.
pub struct Part {
    /// Network, layer, and extents of its input and output.
    pub name: String,
    layers: Sequential,
    input: [usize; 3],
}

impl Part {
    /// Records the layer applied to `x`, and returns its output, `x` and the weight.
    pub fn record<'t>(&self, tape: &'t Tape, batch: usize) -> Result<[Var<'t>; 3]> {
        let [c, h, w] = self.input;
        let x = tape.input("x", [batch, c, h, w]);
        let y = self.layers.apply(x, Mode::Batch)?;
        Ok([y, x, self.layers.on(tape)?[0]])
    }

    /// The same, and the gradients that `choose` wants of (x, weight).
    pub fn vjp<'t>(&self, tape: &'t Tape, batch: usize, choose: [bool; 2]) -> Result<Vec<Var<'t>>> {
        let [y, x, weight] = self.record(tape, batch)?;
        let wrt: Vec<_> = [x, weight].into_iter().zip(choose).filter(|(_, wanted)| *wanted).map(|(v, _)| v).collect();
        tape.vjp(y, tape.input("g", y.shape()), &wrt)
    }
}

/// The layers of both networks that `wanted` accepts, each shape once.
pub fn parts(wanted: impl Fn(&Layer) -> bool) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![];
    for (network, width) in [(Network::Mnist, 32), (Network::Faces, if testing() { 4 } else { 32 })] {
        let mut input = network.image();
        for (i, layer) in network.layers(width).layers.into_iter().enumerate() {
            let layers = Sequential::new(vec![layer]);
            let tape = Tape::new();
            let [c, h, w] = input;
            let y = layers.apply(tape.input("x", [1, c, h, w]), Mode::Batch).expect("the networks are valid");
            let [_, oc, oh, ow] = y.shape().nchw().expect("the networks map images to images");
            if wanted(&layer) && !parts.iter().any(|p| p.layers == layers && p.input == input) {
                let name = format!("{network:?} {i}: {c}x{h}x{w} to {oc}x{oh}x{ow}").to_lowercase();
                parts.push(Part { name, layers, input });
            }
            input = [oc, oh, ow];
        }
    }
    parts
}
