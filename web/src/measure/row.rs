//! Rows of the table of measurements.

use super::steps::Step;
use ign::gpu::{Caps, Cost, Distinct};
use ign::roof::{Peaks, Point};
use wasm_bindgen::prelude::*;

/// A measured quantity. What does not apply is missing.
#[wasm_bindgen(getter_with_clone)]
#[derive(Clone, Default)]
pub struct Row {
    /// The table that it belongs to: `roof`, `lab`, `product`, `step`, `operation` or `sum`.
    pub group: String,
    /// Number or letter in the drawing.
    pub label: String,
    /// What was measured.
    pub name: String,
    /// What there is to know about it.
    pub note: String,
    /// An explanation of several sentences.
    pub text: String,
    /// Number of calls in a training step.
    pub calls: Option<usize>,
    /// Time of a call, in milliseconds.
    pub ms: Option<f64>,
    /// Rate of the arithmetic, in GFLOP/s.
    pub gflops: Option<f64>,
    /// Rate of the minimum memory traffic, in GB/s.
    pub gbytes: Option<f64>,
    /// The least time under the roofline, divided by the measured time.
    pub share: Option<f64>,
    /// What limits it under the roofline: `arithmetic` or `memory`.
    pub limit: String,
    /// The greatest error of a checked result, relative to the greatest magnitude of its reference in f64.
    pub error: Option<f64>,
    pub(super) cost: Cost,
}

impl Row {
    pub fn of(group: &str) -> Self {
        Self { group: group.into(), ..Self::default() }
    }

    /// The roof of the adapter with these `caps`.
    pub fn roof(peaks: &Peaks, caps: &Caps) -> Self {
        Self {
            name: "multiply-adds in registers, and a copy between buffers of 64 MiB".into(),
            note: caps.to_string(),
            gflops: Some(peaks.gflops),
            gbytes: Some(peaks.gbytes),
            ..Self::of("roof")
        }
    }

    /// A step of the kernel lab on an adapter with subgroups of this many lanes.
    pub fn lab(step: &Step, size: usize, lanes: u32) -> Self {
        let counts = (step.counts)(lanes);
        let per = |count: f64, what: &str| {
            let share = (1000.0 * count / counts.multiply_adds).round() / 10.0;
            (share > 0.0).then(|| format!("{share} {what}"))
        };
        let counts = [
            per(counts.loads, "loads"),
            per(counts.workgroup_loads, "loads from workgroup memory"),
            per(counts.shuffles, "shuffles"),
        ];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        Self {
            name: format!("{}, {size}³", step.name),
            note: format!("per 100 multiply-adds {}", counts.join(", ")),
            text: step.text(),
            ..Self::of("lab")
        }
    }

    pub fn product(size: usize) -> Self {
        Self { name: format!("matrix product {size}³"), ..Self::of("product") }
    }

    /// A training step of `flops` floating-point operations, beside the roof of arithmetic.
    pub fn step([width, batch]: [usize; 2], flops: f64, seconds: f64, peaks: &Peaks) -> Self {
        let gflops = flops / seconds / 1e9;
        Self {
            name: format!("training step, w = {width}, batch {batch}"),
            note: "three applications, their backward passes, and Adam".into(),
            ms: Some(1e3 * seconds),
            gflops: Some(gflops),
            share: Some(gflops / peaks.gflops),
            limit: "arithmetic".into(),
            ..Self::of("step")
        }
    }

    pub fn operation(dispatch: &Distinct) -> Self {
        // An update in place has no output.
        let shape = match dispatch.shape.as_str() {
            "[0]" => format!("in place, {} bytes", dispatch.cost.bytes),
            shape => shape.into(),
        };
        Self { name: format!("{} {shape}", dispatch.op), note: dispatch.kernel.clone(), ..Self::of("operation") }
    }

    pub fn error(self, error: f64) -> Self {
        Self { error: Some(error), ..self }
    }

    /// The row with the time of each of its `calls` of `cost`.
    pub fn timed(self, peaks: &Peaks, cost: Cost, seconds: f64, calls: usize) -> Self {
        let mut row = Self { calls: Some(calls), ms: Some(1e3 * seconds), cost, ..self };
        if let Some(point) = row.point() {
            row.gflops = (cost.flops > 0).then(|| point.gflops());
            row.gbytes = Some(point.gbytes());
            row.share = Some(point.share(peaks));
            let arithmetic = point.intensity() > peaks.gflops / peaks.gbytes;
            row.limit = if arithmetic { "arithmetic" } else { "memory" }.into();
        }
        row
    }

    /// Time of all calls, in seconds.
    fn total(&self) -> f64 {
        self.ms.unwrap_or_default() / 1e3 * self.calls.unwrap_or_default() as f64
    }

    /// The place under the roofline, with the time of all calls.
    pub fn point(&self) -> Option<Point> {
        let calls = self.calls? as u64;
        Some(Point {
            label: self.label.clone(),
            what: self.name.clone(),
            cost: Cost { flops: calls * self.cost.flops, bytes: calls * self.cost.bytes },
            seconds: self.total(),
            part: self.group == "operation",
        })
    }
}

/// Number of labels of operations.
const LABELS: usize = 24;

/// All rows so far.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Row>,
    /// Time of the whole step whose operations are measured, in seconds.
    pub whole: f64,
}

impl Rows {
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// All operations together, beside the whole step.
    pub fn sum(&self) -> Row {
        let operations = || self.rows.iter().filter(|row| row.group == "operation");
        let total: f64 = operations().map(Row::total).sum();
        let calls: usize = operations().filter_map(|row| row.calls).sum();
        Row {
            name: format!("all {calls} calls together"),
            note: format!("{:.0} % of the step timed as a whole", 100.0 * total / self.whole),
            ms: Some(1e3 * total),
            ..Row::of("sum")
        }
    }

    /// The rows with their labels: letters for the products, numbers for the operations that take longest in total, which come
    /// first.
    pub fn sorted(&self) -> Vec<Row> {
        let mut rows = self.rows.clone();
        let operations = |row: &Row| row.group == "operation";
        if let Some(first) = rows.iter().position(operations) {
            let last = rows.iter().rposition(operations).unwrap_or(first);
            rows[first..=last].sort_by(|a, b| b.total().total_cmp(&a.total()));
        }
        let (mut letters, mut numbers) = ('a'.., 1..=LABELS);
        for row in rows.iter_mut().filter(|row| row.calls.is_some()) {
            row.label = match operations(row) {
                true => numbers.next().map_or(String::new(), |number| number.to_string()),
                false => letters.next().map_or(String::new(), String::from),
            };
        }
        rows
    }
}
