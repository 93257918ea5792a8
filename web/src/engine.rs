//! The adapter of the browser, which makes everything else.

use super::model::{Model, Recogniser};
use ign::gpu::Gpu;
use ign::ops::kernels_for;
use std::fmt::Display;
use wasm_bindgen::prelude::*;

pub(super) type Result<T> = std::result::Result<T, JsError>;

pub(super) fn js(error: impl Display) -> JsError {
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

/// The adapter of the browser.
#[wasm_bindgen]
pub struct Engine(pub(super) Gpu);

#[wasm_bindgen]
impl Engine {
    /// Opens the adapter, of which the page knows more than wgpu: its name, whether it runs on the CPU, and the number of
    /// lanes per subgroup, if that is fixed and the page asks for subgroups.
    pub async fn open(name: String, software: bool, subgroup: Option<u32>) -> Result<Engine> {
        let gpu = Gpu::open(None).await.map_err(js)?;
        Ok(Self(gpu.described(name, software, subgroup)))
    }

    /// The adapter and the kernels that it gets, in words.
    pub fn describe(&self) -> String {
        format!("{}; {}", self.0.caps(), kernels_for(self.0.caps()))
    }

    /// A trained network from the bytes of a checkpoint, compiled for `count` images at a time.
    pub async fn model(&self, bytes: Vec<u8>, count: usize) -> Result<Model> {
        Model::new(&self.0, &bytes, count).await
    }

    /// A classifier from the bytes of its file, compiled for `count` images at a time.
    pub async fn recogniser(&self, bytes: Vec<u8>, count: usize) -> Result<Recogniser> {
        Recogniser::new(&self.0, &bytes, count).await
    }

    /// Whether the adapter computes on the CPU.
    pub fn software(&self) -> bool {
        self.0.caps().software
    }

    /// Number of shaders that are compiled, and of those to be compiled.
    pub fn compiled(&self) -> Vec<f64> {
        let (compiled, wanted) = self.0.compiled();
        vec![compiled as f64, wanted as f64]
    }

    /// The failure of the adapter, if it has failed.
    pub fn failure(&self) -> Option<String> {
        self.0.healthy().err().map(|error| error.to_string())
    }
}
