//! The puzzles of the kernel track, checked on the visitor's adapter. A module of its own, for a worker: it is loaded when the
//! view is opened, and whatever a kernel does, the page answers meanwhile.

#![cfg(target_arch = "wasm32")]

use exercises::kernels::{self, Failed, PUZZLES};
use ign::gpu::Gpu;
use std::fmt::Display;
use wasm_bindgen::prelude::*;

type Result<T> = std::result::Result<T, JsError>;

fn js(error: impl Display) -> JsError {
    JsError::new(&error.to_string())
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// Makes panics lines of the console.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| console_error(&panic.to_string())));
}

/// A puzzle, in words.
#[wasm_bindgen(getter_with_clone)]
pub struct Puzzle {
    pub number: usize,
    pub name: String,
    pub title: String,
    pub hints: Vec<String>,
    /// The text with which the learner begins.
    pub stub: String,
    pub solution: String,
}

/// All puzzles in their order.
#[wasm_bindgen]
pub fn puzzles() -> Vec<Puzzle> {
    let words = |puzzle: &kernels::Puzzle| Puzzle {
        number: puzzle.text.number,
        name: puzzle.text.name.into(),
        title: puzzle.text.title.into(),
        hints: puzzle.text.hints.map(String::from).to_vec(),
        stub: puzzle.stub.into(),
        solution: puzzle.solution.into(),
    };
    PUZZLES.iter().map(words).collect()
}

/// What a check has found.
#[wasm_bindgen(getter_with_clone)]
#[derive(Clone)]
pub struct Verdict {
    pub passed: bool,
    /// What was checked and measured, or what is wrong.
    pub text: String,
    /// The line that is wrong, from 1; 0 if there is none.
    pub line: u32,
    /// Its column in bytes, from 1; 0 if there is none.
    pub column: u32,
}

impl Verdict {
    /// What is wrong with a kernel.
    fn new(failed: &Failed) -> Self {
        let (line, column) = match failed {
            Failed::Wgsl { flaw, .. } | Failed::Flaw { flaw, .. } => (flaw.line, flaw.column),
            Failed::Wrong { writer, .. } => (writer.map_or(0, |writer| writer.line), 0),
            Failed::Costly { .. } | Failed::Engine(_) => (0, 0),
        };
        Self { passed: false, text: failed.to_string(), line, column }
    }
}

fn find(name: &str) -> Result<&'static kernels::Puzzle> {
    PUZZLES.iter().find(|puzzle| puzzle.text.name == name).ok_or_else(|| js(format!("there is no puzzle `{name}`")))
}

/// A kernel after its run in the simulator.
#[wasm_bindgen]
pub struct Simulated(std::result::Result<kernels::Simulated, Verdict>);

#[wasm_bindgen]
impl Simulated {
    /// What the simulator found wrong, if anything.
    #[wasm_bindgen(getter)]
    pub fn wrong(&self) -> Option<Verdict> {
        self.0.as_ref().err().cloned()
    }
}

/// The part of the check that needs no adapter: compiles a kernel for the puzzle called `name` and runs it in the simulator.
///
/// # Errors
/// If no puzzle has that name.
#[wasm_bindgen]
pub fn simulate(name: &str, wgsl: &str) -> Result<Simulated> {
    Ok(Simulated(kernels::simulate(find(name)?, wgsl).map_err(|failed| Verdict::new(&failed))))
}

/// The adapter of the browser, on which kernels are checked.
#[wasm_bindgen]
pub struct Checker(Gpu);

#[wasm_bindgen]
impl Checker {
    /// Opens the adapter, of which the page knows more than wgpu: its name, whether it runs on the CPU, and the number of
    /// lanes per subgroup, if that is fixed and the page asks for subgroups.
    ///
    /// # Errors
    /// If the browser opens no device.
    pub async fn open(name: String, software: bool, subgroup: Option<u32>) -> Result<Checker> {
        let gpu = Gpu::open(None).await.map_err(js)?;
        Ok(Self(gpu.described(name, software, subgroup)))
    }

    /// Runs a kernel that is right in the simulator on the adapter too, and measures it.
    ///
    /// # Errors
    /// If the adapter has failed.
    pub async fn check(&self, simulated: Simulated) -> Result<Verdict> {
        let simulated = match simulated.0 {
            Ok(simulated) => simulated,
            Err(wrong) => return Ok(wrong),
        };
        let leads_to = simulated.puzzle.leads_to;
        let checked = kernels::check(&self.0, simulated).await;
        self.0.healthy().map_err(js)?;
        Ok(match checked {
            Ok(passed) => {
                let text = format!("{passed}\n\nin the engine: {leads_to}");
                Verdict { passed: true, text, line: 0, column: 0 }
            }
            // Browsers refuse some kernels that naga takes: the kernel is to blame, and the adapter goes on.
            Err(failed) => Verdict::new(&failed),
        })
    }
}
