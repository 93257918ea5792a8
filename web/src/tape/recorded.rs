//! The tapes that the page can draw.

use super::drawing::Drawing;
use super::typed::Typed;
use crate::{Engine, Result, js, toy};
use ign::method::{Clamp, Objective, PREFIXES, Role};
use ign::model::{Network, SyntheticStep};
use ign::nn::{Adam, Mode};
use ign::tape::Tape;
use ign::toy::Config;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// Tape, outputs and contents of a training step.
type Recorded = (Tape, Vec<usize>, BTreeMap<String, Vec<f32>>);

#[wasm_bindgen]
impl Engine {
    /// The formulas of `text` with their gradient, as a tape.
    pub fn typed(&self, text: &str) -> Result<Drawing> {
        let typed = Typed::new(text).map_err(js)?;
        let all = (0..typed.tape.nodes().len()).collect();
        let contents = typed.contents();
        Drawing::new(&self.0, typed.tape, all, contents, typed.names)
    }

    /// Whether the adapter can time single dispatches.
    pub fn timestamps(&self) -> bool {
        self.0.caps().timestamps
    }

    /// A tape of what runs, by name: `plane` is a training step of the view Learn, `digits` a training step of the 28×28
    /// network, and `f` that network applied to an image.
    pub fn recorded(&self, name: &str) -> Result<Drawing> {
        let (tape, outputs, mut contents) = match name {
            "plane" => plane()?,
            "digits" => digits()?,
            _ => f(),
        };
        contents.insert(Adam::RATES.into(), SyntheticStep::ADAM.rates(1).to_vec());
        contents.insert(Objective::WEIGHTS.into(), vec![1.0, 1.0, 0.1]);
        Drawing::new(&self.0, tape, outputs, contents, BTreeMap::new())
    }
}

fn plane() -> Result<Recorded> {
    let config = Config { width: 32, batch: 256, objective: toy::OBJECTIVE, seed: 1 };
    let tape = Tape::new();
    let step = config.record(&tape).map_err(js)?;
    Adam::default().record(&tape, &step.parameters, &step.total);
    let mut state = config.initialise();
    state.extend(Adam::initial(&step.parameters));
    let outputs = step.losses.map(|loss| loss.line()).to_vec();
    Ok((tape, outputs, state))
}

fn digits() -> Result<Recorded> {
    let tape = Tape::new();
    let (network, width) = (Network::MNIST, 8);
    let step = SyntheticStep::record(&tape, network, [width, 16], Clamp::None).map_err(js)?;
    let mut state = network.layers(width).initialise(1, &PREFIXES);
    state.extend(Adam::initial(&step.parameters));
    let outputs = step.losses.map(|loss| loss.line()).to_vec();
    Ok((tape, outputs, state))
}

fn f() -> Recorded {
    let tape = Tape::new();
    let layers = Network::MNIST.layers(32);
    let [c, h, w] = Network::MNIST.image();
    let y = layers.apply(tape.input("x", [1, c, h, w]), Mode::Running(Role::Image.prefix()));
    let outputs = vec![y.line()];
    (tape, outputs, layers.initialise(1, &PREFIXES))
}
