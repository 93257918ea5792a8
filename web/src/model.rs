use super::{Result, js};
use ign::classifier::Classifier;
use ign::gpu::Gpu;
use ign::method::Role;
use ign::model::{Checkpoint, Generator, Network, Noise, NormStatistics};
use ign::random::Stream;
use wasm_bindgen::prelude::*;

/// A trained network.
#[wasm_bindgen]
pub struct Model {
    generator: Generator,
    noise: Noise,
}

impl Model {
    pub async fn new(gpu: &Gpu, bytes: &[u8], count: usize) -> Result<Self> {
        let checkpoint = Checkpoint::from_bytes(bytes).map_err(js)?;
        let shape = checkpoint.config.network.image();
        if checkpoint.config.network != Network::MNIST {
            return Err(JsError::new(&format!(
                "the network takes images of shape {shape:?}; the page draws [1, 28, 28]"
            )));
        }
        if checkpoint.config.classes > 0 {
            return Err(JsError::new("the network needs a label for each image; the page draws without labels"));
        }
        let generator = Generator::load(gpu, &checkpoint, count, NormStatistics::Role).await.map_err(js)?;
        Ok(Self { noise: checkpoint.noise().map_err(js)?, generator })
    }
}

#[wasm_bindgen]
impl Model {
    /// Noise for `count` images, that of `examples/sample` for the same seed.
    pub fn noise(&self, seed: u32, counter: u32, count: usize) -> Vec<f32> {
        let elements: usize = self.generator.image().iter().product();
        self.noise.draw(seed.into(), Stream::Preview, counter.into(), count * elements)
    }

    /// f(z), f(f(z)), … one after the other, for noise z.
    pub async fn sample(&self, z: Vec<f32>, times: usize) -> Result<Vec<f32>> {
        Ok(self.generator.repeat(Role::Noise, &z, times).await.map_err(js)?.concat())
    }

    /// f(x), f(f(x)), … one after the other, for images x.
    pub async fn project(&self, x: Vec<f32>, times: usize) -> Result<Vec<f32>> {
        Ok(self.generator.repeat(Role::Image, &x, times).await.map_err(js)?.concat())
    }
}

/// A classifier of digits.
#[wasm_bindgen]
pub struct Recogniser(Classifier);

impl Recogniser {
    pub async fn new(gpu: &Gpu, bytes: &[u8], count: usize) -> Result<Self> {
        Ok(Self(Classifier::from_bytes(gpu, bytes, count).await.map_err(js)?))
    }
}

#[wasm_bindgen]
impl Recogniser {
    /// For each image, the most likely digit and its probability, one after the other.
    pub async fn recognise(&self, images: Vec<f32>) -> Result<Vec<f32>> {
        let seen = self.0.look(&images).await.map_err(js)?;
        let likely = |p: &[f32]| {
            let (digit, probability) = p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap_or((0, &0.0));
            [digit as f32, *probability]
        };
        Ok(seen.probabilities.chunks_exact(self.0.signature().classes).flat_map(likely).collect())
    }
}
