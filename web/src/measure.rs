//! Measurements of the adapter: its roof, and products and training steps beside it. Results are checked before they are
//! timed.

use super::{Engine, Result, js};
use ign::compile::compile;
use ign::gpu::{Gpu, Store};
use ign::method::{Clamp, Distance, Objective, PREFIXES, TrainingStep};
use ign::model::Network;
use ign::nn::Adam;
use ign::roof::{Peaks, seconds};
use ign::tape::Tape;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// A measured program.
#[wasm_bindgen]
pub struct Measured {
    /// Time of a run, in seconds.
    pub seconds: f64,
    /// Rate of its arithmetic, in GFLOP/s.
    pub gflops: f64,
    /// The greatest difference between results and their reference in f64, relative to the greatest result.
    pub error: f64,
}

#[wasm_bindgen]
impl Engine {
    /// Multiply-adds in registers, in GFLOP/s, and a copy between large buffers, in GB/s.
    pub async fn peaks(&self) -> Result<Vec<f64>> {
        let Peaks { gflops, gbytes } = Peaks::measure(&self.0).await.map_err(js)?;
        Ok(vec![gflops, gbytes])
    }

    /// The product of two square matrices.
    pub async fn product(&self, size: usize) -> Result<Measured> {
        product(&self.0, size).await
    }

    /// A training step of the 28×28 network: three applications, their backward passes, and Adam.
    pub async fn step(&self, width: usize, batch: usize) -> Result<Measured> {
        step(&self.0, width, batch).await
    }
}

/// Numbers in [-1, 1) that repeat late.
pub(super) fn numbers(count: usize, offset: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + offset) % 2003) as f32 / 1001.5 - 1.0).collect()
}

async fn product(gpu: &Gpu, size: usize) -> Result<Measured> {
    let tape = Tape::new();
    let c = tape.input("a", [size, size]).matmul(tape.input("b", [size, size]));
    let program = compile(gpu, &Store::new(), &tape, &[("c", c)]).await.map_err(js)?;
    let (a, b) = (numbers(size * size, 0), numbers(size * size, 31));
    program.write("a", &a).map_err(js)?;
    program.write("b", &b).map_err(js)?;
    program.run().map_err(js)?;
    let found = program.read(&["c"]).await.map_err(js)?.concat();
    // All columns of some rows, the ends among them.
    let (mut worst, mut greatest) = (0.0f64, 0.0f64);
    for row in [0, size / 3, size / 2, size - 1] {
        for column in 0..size {
            let terms = (0..size).map(|k| f64::from(a[row * size + k]) * f64::from(b[k * size + column]));
            let expected: f64 = terms.sum();
            worst = worst.max((f64::from(found[row * size + column]) - expected).abs());
            greatest = greatest.max(expected.abs());
        }
    }
    let error = worst / greatest;
    if error.is_nan() || error > 1e-4 {
        return Err(JsError::new(&format!(
            "the product {size}³ is wrong: its error is {error:.1e} of its greatest element"
        )));
    }
    let seconds = seconds(gpu, program.program()).await.map_err(js)?;
    Ok(Measured { seconds, gflops: 2.0 * (size as f64).powi(3) / seconds / 1e9, error })
}

/// The optimiser of the measured training step.
pub(super) const ADAM: Adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };

/// Records a training step of the 28×28 network, and returns it with the contents of its state at the begin.
pub(super) fn record(
    tape: &Tape,
    width: usize,
    batch: usize,
) -> Result<(TrainingStep<'_>, BTreeMap<String, Vec<f32>>)> {
    let (network, layers) = (Network::Mnist, Network::Mnist.layers(width));
    let objective = Objective { distance: Distance::Mse, clamp: Clamp::None, dropout: 0.0 };
    let step = objective.record(tape, &layers, batch, network.image()).map_err(js)?;
    ADAM.record(tape, &step.parameters, &step.total);
    let mut state = layers.initialise(1, &PREFIXES);
    state.extend(Adam::initial(&step.parameters));
    Ok((step, state))
}

async fn step(gpu: &Gpu, width: usize, batch: usize) -> Result<Measured> {
    let tape = Tape::new();
    let (step, state) = record(&tape, width, batch)?;
    let mut store = Store::new();
    for (name, contents) in state {
        store.set(gpu, &name, &contents).await.map_err(js)?;
    }
    let program = compile(gpu, &store, &tape, &[("rec", step.losses[0]), ("fx", step.fx)]).await.map_err(js)?;
    let x = numbers(step.x.shape().elements(), 0);
    program.write("x", &x).map_err(js)?;
    program.write("z", &numbers(x.len(), 31)).map_err(js)?;
    program.write(Objective::WEIGHTS, &[1.0, 1.0, 0.1]).map_err(js)?;
    program.write(Adam::RATES, &ADAM.rates(1)).map_err(js)?;
    program.run().map_err(js)?;
    let values = program.read(&["rec", "fx"]).await.map_err(js)?;
    // The loss that the step reports is that of the images that it reports.
    let squares = values[1].iter().zip(&x).map(|(y, x)| f64::from(y - x).powi(2));
    let expected = squares.sum::<f64>() / x.len() as f64;
    let error = (f64::from(values[0][0]) - expected).abs() / expected;
    if error.is_nan() || error > 1e-4 {
        return Err(JsError::new(&format!("the training step is wrong: its loss is off by {error:.1e} of its value")));
    }
    let seconds = seconds(gpu, program.program()).await.map_err(js)?;
    Ok(Measured { seconds, gflops: Network::Mnist.step_flops(width, batch) / seconds / 1e9, error })
}
