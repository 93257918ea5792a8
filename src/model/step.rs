//! A training step on made-up images, to be measured and checked.

use super::Network;
use crate::compile::{Compiled, Finding, compile};
use crate::error::Error;
use crate::gpu::{Distinct, Gpu, GpuError, Store};
use crate::method::{Clamp, Objective, PREFIXES, TrainingStep};
use crate::nn::Adam;
use crate::tape::{self, Tape};
use std::collections::{BTreeMap, BTreeSet};

/// A compiled training step of a network with initial parameters: three applications, their backward passes, and Adam.
/// Images and noise are made up.
pub struct SyntheticStep {
    tape: Tape,
    program: Compiled,
    x: Vec<f32>,
}

impl SyntheticStep {
    /// The optimiser.
    pub const ADAM: Adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };

    /// Records a step of `network` at `width` on batches of `batch` images, with Adam.
    ///
    /// # Errors
    /// A misfit on the tape.
    #[track_caller]
    pub fn record<'t>(
        tape: &'t Tape,
        network: Network,
        [width, batch]: [usize; 2],
        clamp: Clamp,
    ) -> tape::Result<TrainingStep<'t>> {
        let objective = Objective { clamp, ..Objective::default() };
        let step = objective.record(tape, &network.layers(width), batch, network.image())?;
        Self::ADAM.record(tape, &step.parameters, &step.total);
        Ok(step)
    }

    /// Compiles the step without a clamp, and writes its inputs.
    ///
    /// # Errors
    /// A width out of range; a step beyond the limits or the memory of the adapter; an error of the adapter.
    pub async fn new(gpu: &Gpu, network: Network, [width, batch]: [usize; 2]) -> Result<Self, Error> {
        network.check_width(width)?;
        let tape = Tape::new();
        let (program, elements) = {
            let step = Self::record(&tape, network, [width, batch], Clamp::None)?;
            let parameters = network.layers(width).initialise(1, &PREFIXES);
            let mut store = Store::new();
            store.set_all(gpu, parameters.into_iter().chain(Adam::initial(&step.parameters))).await?;
            let outputs = [("rec", step.losses[0]), ("fx", step.fx)];
            (compile(gpu, &store, &tape, &outputs).await?, step.x.shape().elements())
        };
        let images = |offset: u64| -> Vec<f32> {
            (0..elements as u64).map(|i| ((i * 7919 + offset) % 200) as f32 / 100.0 - 1.0).collect()
        };
        let x = images(0);
        program.write("x", &x)?;
        program.write("z", &images(31))?;
        program.write(Objective::WEIGHTS, &[1.0, 1.0, 0.1])?;
        program.write(Adam::RATES, &Self::ADAM.rates(1))?;
        Ok(Self { tape, program, x })
    }

    /// The compiled step.
    pub fn program(&self) -> &Compiled {
        &self.program
    }

    /// Submits step number `t`, counted from 1.
    ///
    /// # Errors
    /// An error of the adapter.
    pub fn run(&self, t: u64) -> Result<(), GpuError> {
        self.program.write(Adam::RATES, &Self::ADAM.rates(t))?;
        self.program.run()
    }

    /// Sets the step size to 0, so that runs and repeated dispatches leave the parameters as they are.
    ///
    /// # Errors
    /// An error of the adapter.
    pub fn hold(&self) -> Result<(), GpuError> {
        self.program.write(Adam::RATES, &[0.0, 1.0])
    }

    /// Runs the step line by line, and compares the lines of least cost with their f64 reference: as many as cost `budget`
    /// floating-point operations and bytes, and for every kernel at least one. Hands each of these lines with its error to
    /// `each`, as [`Compiled::compare`].
    ///
    /// # Errors
    /// An error of the adapter.
    pub async fn compare(&self, budget: u64, each: impl FnMut(usize, f64)) -> Result<Option<Finding>, GpuError> {
        let lines = cheapest(&self.program.program().distinct(), budget);
        self.program.compare(&self.tape, |line| lines.contains(&line), each).await
    }

    /// The distance of the last step's loss L_rec from that of its images x and f(x) in f64, relative to the latter.
    ///
    /// # Errors
    /// An error of the adapter.
    pub async fn loss_error(&self) -> Result<f64, GpuError> {
        let values = self.program.read(&["rec", "fx"]).await?;
        let squares = values[1].iter().zip(&self.x).map(|(y, x)| f64::from(y - x).powi(2));
        let expected = squares.sum::<f64>() / self.x.len() as f64;
        Ok((f64::from(values[0][0]) - expected).abs() / expected)
    }
}

/// The lines of least cost: as many as cost `budget` floating-point operations and bytes, and one more for each kernel
/// that these leave out.
fn cheapest(dispatches: &[Distinct], budget: u64) -> BTreeSet<usize> {
    let mut lines: BTreeMap<usize, (u64, Vec<&str>)> = BTreeMap::new();
    for Distinct { kernel, cost, lines: of_these, .. } in dispatches {
        for line in of_these {
            let (sum, kernels) = lines.entry(*line).or_default();
            *sum += cost.flops + cost.bytes;
            kernels.push(kernel);
        }
    }
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(line, (cost, _))| (*cost, *line));
    let (mut chosen, mut known, mut spent) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (line, (cost, kernels)) in lines {
        spent += cost;
        if spent <= budget || kernels.iter().any(|kernel| !known.contains(kernel)) {
            chosen.insert(line);
            known.extend(kernels);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::TOLERANCE;
    use crate::gpu::Cost;
    use crate::testing::gpu;

    #[test]
    fn a_step_agrees_with_its_reference_and_its_loss_with_its_images() {
        let step = gpu().wait(SyntheticStep::new(gpu(), Network::MNIST, [2, 2])).unwrap();
        let (mut worst, mut lines) = (0.0f64, vec![]);
        let each = |line, error: f64| {
            worst = worst.max(error);
            lines.push(line);
        };
        assert_eq!(gpu().wait(step.compare(1_000_000, each)).unwrap(), None);
        assert!(worst > 0.0 && worst < TOLERANCE, "{worst}");
        // Every kernel is among the lines that were compared, and some lines cost too much.
        let dispatches = step.program().program().distinct();
        let compared = |d: &Distinct| d.lines.iter().any(|line| lines.contains(line));
        let kernels = |wanted: &dyn Fn(&Distinct) -> bool| -> BTreeSet<String> {
            dispatches.iter().filter(|d| wanted(d)).map(|d| d.kernel.clone()).collect()
        };
        assert_eq!(kernels(&compared), kernels(&|_| true));
        assert!(!dispatches.iter().all(compared));
        assert_eq!(dispatches.iter().map(|d| d.lines.len()).sum::<usize>(), step.program().program().dispatches());

        step.run(2).unwrap();
        assert!(gpu().wait(step.loss_error()).unwrap() < 1e-5);
    }

    #[test]
    fn the_cheapest_lines_are_chosen_and_one_for_every_kernel() {
        let dispatch = |kernel: &str, flops, lines: &[usize]| Distinct {
            first: 0,
            op: "op",
            shape: String::new(),
            kernel: kernel.into(),
            cost: Cost { flops, bytes: 0 },
            lines: lines.to_vec(),
        };
        let dispatches = [
            dispatch("a", 10, &[1, 2, 3]),
            dispatch("b", 100, &[4, 5]),
            dispatch("c", 1, &[4, 6]),
            dispatch("a", 50, &[7]),
        ];
        assert_eq!(cheapest(&dispatches, 0), [1, 5, 6].into());
        assert_eq!(cheapest(&dispatches, 21), [1, 2, 5, 6].into());
        assert_eq!(cheapest(&dispatches, 1000).len(), 7);
    }
}
