//! A training step that has been checked line by line.

use super::row::Row;
use crate::{Result, js};
use ign::gpu::Gpu;
use ign::model::{Network, SyntheticStep};
use std::collections::{BTreeMap, BTreeSet};
use wasm_bindgen::prelude::*;

/// Cost of the lines that are compared with f64, in floating-point operations and bytes. A few seconds in WebAssembly.
const BUDGET: u64 = 500_000_000;

/// A training step of the 28×28 network, and what comparing its lines with f64 gave.
pub struct Checked {
    pub step: SyntheticStep,
    /// Width and batch.
    pub sizes: [usize; 2],
    /// The error of each line that was compared.
    lines: BTreeMap<usize, f64>,
    /// The greatest error of the lines that each kernel took part in.
    kernels: BTreeMap<String, f64>,
}

impl Checked {
    /// Compiles and checks a step.
    ///
    /// # Errors
    /// The first line that is off; an error of the adapter.
    pub async fn new(gpu: &Gpu, sizes: [usize; 2]) -> Result<Self> {
        let step = SyntheticStep::new(gpu, Network::MNIST, sizes).await.map_err(js)?;
        let mut lines = BTreeMap::new();
        let each = |line, error| {
            lines.insert(line, error);
        };
        if let Some(finding) = step.compare(BUDGET, each).await.map_err(js)? {
            return Err(JsError::new(&format!("the training step is wrong: {finding}")));
        }
        let mut kernels = BTreeMap::new();
        for dispatch in step.program().program().distinct() {
            for error in dispatch.lines.iter().filter_map(|line| lines.get(line)) {
                let greatest = kernels.entry(dispatch.kernel.clone()).or_insert(*error);
                *greatest = error.max(*greatest);
            }
        }
        Ok(Self { step, sizes, lines, kernels })
    }

    /// The greatest error of the lines that `kernel` took part in.
    pub fn error(&self, kernel: &str) -> f64 {
        self.kernels.get(kernel).copied().unwrap_or(f64::NAN)
    }

    /// What was checked, in words.
    pub fn row(&self) -> Row {
        let [width, batch] = self.sizes;
        let dispatches = self.step.program().program().distinct();
        let all: BTreeSet<_> = dispatches.iter().flat_map(|dispatch| &dispatch.lines).collect();
        let which = match self.lines.len() == all.len() {
            true => "all of them".into(),
            false => format!("the {} of least cost, and so that each kernel is among them", self.lines.len()),
        };
        let error = self.lines.values().fold(0.0f64, |most, error| most.max(*error));
        Row {
            name: format!("check of w = {width}, batch {batch}"),
            note: format!(
                "{} operations with {} kernels run one by one; compared with f64 on the same operands: {which}",
                all.len(),
                self.kernels.len()
            ),
            ..Row::of("step")
        }
        .error(error)
    }
}
