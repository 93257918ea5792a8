use super::{Result, js};
use ign::gpu::Gpu;
use ign::method::{Degradation, Role};
use ign::model::{Checkpoint, Generator, Noise, NormStatistics};
use ign::random::{Stream, stream};
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
        let generator = Generator::load(gpu, &checkpoint, count, NormStatistics::Role).await.map_err(js)?;
        Ok(Self { noise: checkpoint.noise().map_err(js)?, generator })
    }
}

#[wasm_bindgen]
impl Model {
    /// The shape `[C, H, W]` of an image.
    pub fn shape(&self) -> Vec<usize> {
        self.generator.image().to_vec()
    }

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

    /// The names of the degradations for these images.
    pub fn degradations(&self) -> Vec<String> {
        Degradation::all(self.generator.image()[0]).into_iter().map(Degradation::name).collect()
    }

    /// Images with the degradation at this place of the list.
    pub fn degrade(&self, x: Vec<f32>, place: usize, seed: u32) -> Result<Vec<f32>> {
        let shape = self.generator.image();
        let all = Degradation::all(shape[0]);
        let degradation = all.get(place).ok_or_else(|| JsError::new("there is no such degradation"))?;
        degradation.apply(&x, shape, &mut stream(seed.into(), Stream::Degradation, 0)).map_err(js)
    }
}
