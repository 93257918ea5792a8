//! Measurements of the adapter, one row at a time. Results are checked before they are timed.

#[path = "../../../examples/kernel_lab/lab.rs"]
mod lab;
mod row;
mod step;
#[path = "../../../examples/kernel_lab/steps.rs"]
mod steps;

use super::{Engine, Result, js};
use ign::compile::compile;
use ign::gpu::{Distinct, Gpu, Program, Store};
use ign::model::Network;
use ign::roof::{Peaks, dispatch_seconds, plot, seconds};
use ign::tape::Tape;
use lab::Product;
use row::{Row, Rows};
use std::collections::VecDeque;
use step::Checked;
use steps::{NEEDS, STEPS, Step};
use wasm_bindgen::prelude::*;

/// What is measured in one row.
enum Task {
    /// Peak arithmetic and bandwidth.
    Roof,
    /// A step of the kernel lab.
    Lab(&'static Step),
    /// The product of two square matrices of this size.
    Product(usize),
    /// The lines of a training step of this width and batch, against f64.
    Check([usize; 2]),
    /// The training step whose lines have been checked.
    Step,
    /// A dispatch of this step.
    Operation(Distinct),
    /// The dispatches together.
    Sum,
}

/// Width and batch of the measured training steps.
const SIZES: [[usize; 2]; 2] = [[8, 16], [32, 64]];

/// All measurements of an adapter.
#[wasm_bindgen]
pub struct Measurement {
    gpu: Gpu,
    tasks: VecDeque<Task>,
    peaks: Peaks,
    checked: Option<Checked>,
    rows: Rows,
}

#[wasm_bindgen]
impl Engine {
    /// Prepares the measurements of the adapter.
    pub fn measurement(&self) -> Measurement {
        let steps = SIZES.into_iter().flat_map(|sizes| [Task::Check(sizes), Task::Step]);
        let products = [256, 512, 1024].map(Task::Product);
        Measurement {
            gpu: self.0.clone(),
            tasks: [Task::Roof].into_iter().chain(STEPS.iter().map(Task::Lab)).chain(products).chain(steps).collect(),
            peaks: Peaks { gflops: f64::INFINITY, gbytes: f64::INFINITY },
            checked: None,
            rows: Rows::default(),
        }
    }
}

#[wasm_bindgen]
impl Measurement {
    /// What the next call of [`measure`](Self::measure) measures; nothing at the end.
    pub fn next(&self) -> Option<String> {
        self.tasks.front().map(|task| match task {
            Task::Roof => "the roof".into(),
            Task::Lab(step) => format!("the kernel lab, {}", step.name),
            Task::Product(size) => format!("the product {size}³"),
            Task::Check([width, batch]) => {
                format!("compiling and checking a training step, w = {width}, batch {batch}")
            }
            Task::Step => "the training step".into(),
            Task::Operation(dispatch) => format!("{} {}, {} to go", dispatch.op, dispatch.shape, self.tasks.len()),
            Task::Sum => "the sum".into(),
        })
    }

    /// Measures one row.
    pub async fn measure(&mut self) -> Result<Row> {
        let task = self.tasks.pop_front().ok_or_else(|| JsError::new("everything is measured"))?;
        let row = match task {
            Task::Roof => {
                self.peaks = Peaks::measure(&self.gpu).await.map_err(js)?;
                Row::roof(&self.peaks, self.gpu.caps())
            }
            Task::Lab(step) => self.lab(step).await?,
            Task::Product(size) => self.product(size).await?,
            Task::Check(sizes) => {
                // The memory of the step before is free for this one.
                self.checked = None;
                let checked = Checked::new(&self.gpu, sizes).await?;
                let row = checked.row();
                self.checked = Some(checked);
                row
            }
            Task::Step => self.step().await?,
            Task::Operation(dispatch) => self.operation(&dispatch).await?,
            Task::Sum => self.rows.sum(),
        };
        self.rows.push(row.clone());
        Ok(row)
    }

    /// The training step whose operations are measured one by one.
    pub fn step_name(&self) -> String {
        let [width, batch] = self.sizes();
        format!("w = {width}, batch {batch}")
    }

    /// The rows so far. Operations are in the order of their total time.
    pub fn rows(&self) -> Vec<Row> {
        self.rows.sorted()
    }

    /// The drawing of the roofline, as SVG, with a point for each row that has a place under it.
    pub fn drawing(&self) -> String {
        let points: Vec<_> = self.rows.sorted().iter().filter_map(Row::point).collect();
        plot(&self.peaks, &points)
    }
}

impl Measurement {
    /// Width and batch of the training step whose operations are measured one by one: a small one without a GPU.
    fn sizes(&self) -> [usize; 2] {
        SIZES[usize::from(!self.gpu.caps().software)]
    }

    async fn lab(&mut self, step: &Step) -> Result<Row> {
        let caps = self.gpu.caps();
        let size = if caps.software { 256 } else { 512 };
        let row = Row::lab(step, size, caps.subgroup.unwrap_or(1));
        if !step.runs(caps) {
            return Ok(Row { note: NEEDS.into(), ..row });
        }
        let product = Product::new(size, 0..size);
        let (program, error) = lab::checked(&self.gpu, step, &product).await.map_err(js)?;
        let seconds = self.seconds(&program).await?;
        Ok(row.error(error).timed(&self.peaks, product.cost(), seconds, 1))
    }

    async fn product(&mut self, size: usize) -> Result<Row> {
        let tape = Tape::new();
        let c = tape.input("a", [size, size]).matmul(tape.input("b", [size, size]));
        let program = compile(&self.gpu, &Store::new(), &tape, &[("c", c)]).await.map_err(js)?;
        // All columns of some rows, the ends among them.
        let product = Product::new(size, [0, size / 3, size / 2, size - 1]);
        program.write("a", &product.a).map_err(js)?;
        program.write("b", &product.b).map_err(js)?;
        program.run().map_err(js)?;
        let found = program.read(&["c"]).await.map_err(js)?.concat();
        let error = product.check(&format!("the product {size}³"), &found).map_err(js)?;
        let seconds = self.seconds(program.program()).await?;
        Ok(Row::product(size).error(error).timed(&self.peaks, product.cost(), seconds, 1))
    }

    /// Times the checked step. Its dispatches follow if it is the one for this adapter.
    async fn step(&mut self) -> Result<Row> {
        let Checked { step, sizes: [width, batch], .. } = self.checked()?;
        let flops = Network::MNIST.step_flops(*width, *batch);
        step.run(1).map_err(js)?;
        let error = step.loss_error().await.map_err(js)?;
        let seconds = self.seconds(step.program().program()).await?;
        let row = Row::step([*width, *batch], flops, seconds, &self.peaks).error(error);
        if [*width, *batch] == self.sizes() {
            step.hold().map_err(js)?;
            let dispatches = step.program().program().distinct();
            self.rows.whole = seconds;
            self.tasks.push_front(Task::Sum);
            dispatches.into_iter().rev().for_each(|dispatch| self.tasks.push_front(Task::Operation(dispatch)));
        }
        Ok(row)
    }

    async fn operation(&mut self, dispatch: &Distinct) -> Result<Row> {
        let checked = self.checked()?;
        let program = checked.step.program().program();
        let seconds = dispatch_seconds(&self.gpu, program, dispatch.first).await.map_err(js)?;
        let row = Row::operation(dispatch).error(checked.error(&dispatch.kernel));
        Ok(row.timed(&self.peaks, dispatch.cost, seconds, dispatch.lines.len()))
    }

    fn checked(&self) -> Result<&Checked> {
        self.checked.as_ref().ok_or_else(|| JsError::new("no training step has been checked"))
    }

    async fn seconds(&self, program: &Program) -> Result<f64> {
        seconds(&self.gpu, program).await.map_err(js)
    }
}
