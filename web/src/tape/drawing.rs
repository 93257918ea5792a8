//! A tape with everything that the page says about its lines.

use super::lanes::{lanes, readers};
use super::typed::interpret;
use crate::{Engine, Result, js};
use ign::compile::{Compiled, Lowered, compile, lower};
use ign::gpu::{Gpu, Store};
use ign::ops::meanings;
use ign::tape::{Source, Tape, Var};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A tape, lowered for the adapter, and compiled when it first runs. The page may ask about lines while a run is under way, so
/// that no method takes the drawing for itself.
#[wasm_bindgen]
pub struct Drawing {
    tape: Tape,
    lowered: Lowered,
    /// The lines that are outputs.
    outputs: Vec<usize>,
    /// The contents of inputs and state, by name. What is missing gets numbers in [-1, 1).
    contents: BTreeMap<String, Vec<f32>>,
    /// The names of lines.
    names: BTreeMap<usize, Vec<String>>,
    program: RefCell<Option<Rc<Compiled>>>,
    /// The time of every dispatch in seconds, the sum over all timed runs, and their number.
    times: RefCell<(Vec<f64>, u32)>,
}

/// A line of a tape.
#[wasm_bindgen(getter_with_clone)]
pub struct Line {
    /// The line as the tape prints it.
    pub text: String,
    /// The name of the operation, the input or the state.
    pub name: String,
    /// `input`, `state`, `constant` or `operation`.
    pub kind: String,
    /// The shape of the value.
    pub shape: String,
    /// The lane of the drawing: `forward`, `backward` or `update`.
    pub lane: String,
    /// The names that a typed formula gives the value.
    pub names: String,
    /// The settings of the operation, as Rust prints them.
    pub settings: String,
    /// The lines that this line reads.
    pub reads: Vec<u32>,
    /// The lines that read this line.
    pub readers: Vec<u32>,
    /// Whether the line is computed: outputs, updates of state, and what these read.
    pub needed: bool,
    /// The numbers of the dispatches that the line became.
    pub dispatches: Vec<u32>,
}

/// Numbers in [-1, 1) that repeat late.
fn numbers(count: usize, offset: usize) -> Vec<f32> {
    let offset = offset as u64;
    (0..count as u64).map(|i| ((i * 7919 + offset) % 2003) as f32 / 1001.5 - 1.0).collect()
}

/// What an operation computes.
#[wasm_bindgen(getter_with_clone)]
pub struct Meaning {
    /// The Rust expression that records the operation.
    pub usage: String,
    /// The formula.
    pub formula: String,
    /// The gradient. Empty if the operation is itself a part of the gradient of `usage`.
    pub gradient: String,
}

/// A dispatch.
#[wasm_bindgen(getter_with_clone)]
pub struct Dispatched {
    /// The file and the entry point.
    pub kernel: String,
    /// The specialisation constants.
    pub constants: String,
    /// The number of workgroups, and of invocations in each.
    pub grid: String,
    /// The values that are bound to the variables of the shader.
    pub bindings: Vec<String>,
    /// The least arithmetic in floating-point operations, and the least memory traffic in bytes.
    pub cost: Vec<f64>,
    /// The whole text of the shader.
    pub wgsl: String,
}

impl Drawing {
    pub(super) fn new(
        gpu: &Gpu,
        tape: Tape,
        outputs: Vec<usize>,
        contents: BTreeMap<String, Vec<f32>>,
        names: BTreeMap<usize, Vec<String>>,
    ) -> Result<Self> {
        let lowered = lower(&tape, gpu.caps(), &borrowed(&named(&tape, &outputs))).map_err(js)?;
        let times = RefCell::new((vec![0.0; lowered.commands.list().len()], 0));
        Ok(Self { tape, lowered, outputs, contents, names, program: RefCell::default(), times })
    }

    /// The contents of an input or a state.
    fn content(&self, var: Var<'_>) -> Vec<f32> {
        let known = self.contents.get(&var.name()).cloned();
        known.unwrap_or_else(|| numbers(var.shape().elements(), 31 * var.line()))
    }

    /// Compiles the tape at the first call, and writes its inputs and its state.
    async fn program(&self, gpu: &Gpu) -> Result<Rc<Compiled>> {
        if let Some(program) = &*self.program.borrow() {
            return Ok(program.clone());
        }
        let mut store = Store::new();
        for state in self.tape.all(|node| matches!(node.source, Source::State(_))) {
            store.set(gpu, &state.name(), &self.content(state)).await.map_err(js)?;
        }
        let outputs = named(&self.tape, &self.outputs);
        let program = compile(gpu, &store, &self.tape, &borrowed(&outputs)).await.map_err(js)?;
        for input in self.tape.all(|node| matches!(node.source, Source::Input(_))) {
            program.write(&input.name(), &self.content(input)).map_err(js)?;
        }
        let program = Rc::new(program);
        *self.program.borrow_mut() = Some(program.clone());
        Ok(program)
    }
}

/// Lines of a tape with the names under which they are outputs of its program.
fn named<'t>(tape: &'t Tape, outputs: &[usize]) -> Vec<(String, Var<'t>)> {
    let lines = tape.all(|_| true);
    outputs.iter().map(|&line| (format!("%{line}"), lines[line])).collect()
}

/// Outputs in the form that compilation takes.
fn borrowed<'a, 't>(outputs: &'a [(String, Var<'t>)]) -> Vec<(&'a str, Var<'t>)> {
    outputs.iter().map(|(name, line)| (name.as_str(), *line)).collect()
}

#[wasm_bindgen]
impl Drawing {
    /// All lines in order.
    pub fn lines(&self) -> Vec<Line> {
        let nodes = self.tape.nodes();
        let (lanes, readers) = (lanes(&nodes), readers(&nodes));
        let numbers = |lines: &[usize]| lines.iter().map(|&line| line as u32).collect();
        let mut dispatches: Vec<Vec<usize>> = vec![vec![]; nodes.len()];
        for (i, command) in self.lowered.commands.list().iter().enumerate() {
            dispatches[command.line].push(i);
        }
        let line = |(id, node): (usize, &ign::tape::Node)| {
            let (kind, settings) = match &node.source {
                Source::Input(_) => ("input", String::new()),
                Source::State(_) => ("state", String::new()),
                Source::Constant(value) => ("constant", value.to_string()),
                Source::Op(op) => ("operation", format!("{op:?}")),
            };
            Line {
                text: self.tape.describe(id),
                name: node.name().into(),
                kind: kind.into(),
                shape: node.shape.to_string(),
                lane: lanes[id].name().into(),
                names: self.names.get(&id).map(|names| names.join(" = ")).unwrap_or_default(),
                settings,
                reads: numbers(&node.inputs),
                readers: numbers(&readers[id]),
                needed: self.lowered.lines[id].is_some(),
                dispatches: numbers(&dispatches[id]),
            }
        };
        nodes.iter().enumerate().map(line).collect()
    }

    /// What a line computes, by the table of operations. Empty for a line that is not computed.
    pub fn meanings(&self, line: usize) -> Vec<Meaning> {
        let nodes = self.tape.nodes();
        let Some(node) = nodes.get(line).filter(|node| matches!(node.source, Source::Op(_))) else { return vec![] };
        let meaning = |meaning: ign::ops::Meaning| {
            let example = meaning.example;
            let (formula, gradient) = match meaning.backward {
                true => (example.gradient, ""),
                false => (example.formula, example.gradient),
            };
            Meaning { usage: example.usage.into(), formula: formula.into(), gradient: gradient.into() }
        };
        meanings(node.name()).into_iter().map(meaning).collect()
    }

    /// A dispatch, by its number.
    pub fn dispatch(&self, number: usize) -> Result<Dispatched> {
        let commands = &self.lowered.commands;
        let command = commands.list().get(number).ok_or_else(|| JsError::new("there is no such dispatch"))?;
        let dispatch = &command.dispatch;
        let [x, y, z] = dispatch.kernel.reflect().map_err(js)?.workgroup_size;
        let described = dispatch.kernel.describe();
        let (kernel, constants) = described.split_once('[').unwrap_or((&described, ""));
        let binding = |(name, value): &(&str, _)| format!("{name}: {}", commands.get(*value).label);
        Ok(Dispatched {
            kernel: kernel.into(),
            constants: constants.trim_end_matches(']').into(),
            grid: match dispatch.workgroups {
                1 => format!("1 workgroup of {}", x * y * z),
                count => format!("{count} workgroups of {}", x * y * z),
            },
            bindings: dispatch.bindings.iter().map(binding).collect(),
            cost: vec![dispatch.cost.flops as f64, dispatch.cost.bytes as f64],
            wgsl: dispatch.kernel.wgsl(),
        })
    }

    /// The value of every line of typed formulas in f64.
    pub fn interpreted(&self) -> Result<Vec<Elements>> {
        let values = interpret(&self.tape, &self.contents).map_err(js)?;
        Ok(self.tape.all(|_| true).iter().map(|var| Elements { all: values.get(*var).to_vec() }).collect())
    }

    /// The values of the outputs on the adapter.
    pub async fn computed(&self, engine: &Engine) -> Result<Vec<Elements>> {
        let names: Vec<_> = self.outputs.iter().map(|line| format!("%{line}")).collect();
        let program = self.program(&engine.0).await?;
        program.run().map_err(js)?;
        let values = program.read(&names.iter().map(String::as_str).collect::<Vec<_>>()).await.map_err(js)?;
        Ok(values.into_iter().map(|value| Elements { all: value.into_iter().map(f64::from).collect() }).collect())
    }

    /// Compiles the tape, if that was not done yet.
    pub async fn compile(&self, engine: &Engine) -> Result<()> {
        self.program(&engine.0).await.map(drop)
    }

    /// Runs the tape once, and adds the time of every dispatch to those of earlier runs. Returns the mean times in seconds.
    pub async fn time(&self, engine: &Engine) -> Result<Vec<f64>> {
        let profile = self.program(&engine.0).await?.profile().await.map_err(js)?;
        let mut times = self.times.borrow_mut();
        for (time, dispatch) in times.0.iter_mut().zip(&profile.dispatches) {
            *time += dispatch.time.as_secs_f64();
        }
        times.1 += 1;
        let runs = f64::from(times.1);
        Ok(times.0.iter().map(|time| time / runs).collect())
    }

    /// The number of timed runs.
    pub fn runs(&self) -> u32 {
        self.times.borrow().1
    }
}

/// The elements of a value.
#[wasm_bindgen(getter_with_clone)]
pub struct Elements {
    /// All of them.
    pub all: Vec<f64>,
}
