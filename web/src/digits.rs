//! The training of the 28×28 network on images that the page loads.

use super::{Engine, Result, js};
use ign::data::Images;
use ign::method::{Losses, Weights};
use ign::model::{Checkpoint, Config, NoiseKind, Preset};
use ign::train::{Preview, Trainer, Watch};
use wasm_bindgen::prelude::*;

/// What the settings of a new training are taken from.
const PRESET: Preset = Preset::Quick;

/// Training images.
#[wasm_bindgen]
pub struct Digits(Images);

#[wasm_bindgen]
impl Digits {
    /// The number of bytes of an IDX file up to the end of its first `count` images of 28×28 pixels.
    pub fn bytes(count: usize) -> usize {
        16 + count * 28 * 28
    }

    /// The first `count` images of an IDX file, not gzipped. The file may end after them.
    ///
    /// # Errors
    /// If the bytes are no such file, or truncated.
    pub fn read(file: &[u8], count: usize) -> Result<Digits> {
        Ok(Self(Images::from_idx(file, count).map_err(js)?))
    }

    /// The number of images.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[wasm_bindgen]
impl Engine {
    /// A new training with the settings of the preset `quick` but for width, batch and noise, whose deviation per frequency
    /// is that of the data, or else one.
    ///
    /// # Errors
    /// If a setting is out of range, or the adapter fails.
    pub async fn train(
        &self,
        digits: &Digits,
        width: usize,
        batch: usize,
        frequency: bool,
        seed: u32,
    ) -> Result<Training> {
        let noise = if frequency { NoiseKind::Frequency } else { NoiseKind::Gaussian };
        let config = Config { width, batch, noise, seed: seed.into(), ..PRESET.config() };
        Training::new(Trainer::new(&self.0, &config, digits.0.clone()).await)
    }

    /// Goes on with the training of a checkpoint.
    ///
    /// # Errors
    /// If the bytes are no checkpoint of such a network, or lack the optimiser's moments, or the adapter fails.
    pub async fn resume(&self, digits: &Digits, checkpoint: &[u8]) -> Result<Training> {
        let checkpoint = Checkpoint::from_bytes(checkpoint).map_err(js)?;
        Training::new(Trainer::resume(&self.0, checkpoint, digits.0.clone()).await)
    }
}

/// A training of the 28×28 network.
#[wasm_bindgen]
pub struct Training {
    trainer: Trainer,
    watch: Watch,
}

/// The losses of a step.
#[wasm_bindgen(getter_with_clone)]
pub struct Progress {
    pub step: f64,
    pub rec: f32,
    pub idem: f32,
    pub tight: f32,
    /// A warning, if the training fails in a known way.
    pub warning: Option<String>,
}

/// The weights of the losses rec, idem and tight, and the learning rate.
fn settings(config: &Config) -> Vec<f64> {
    let Config { rec, idem, tight, learning_rate, .. } = *config;
    vec![rec.into(), idem.into(), tight.into(), learning_rate]
}

impl Training {
    fn new(trainer: std::result::Result<Trainer, ign::error::Error>) -> Result<Self> {
        Ok(Self { trainer: trainer.map_err(js)?, watch: Watch::default() })
    }
}

#[wasm_bindgen]
impl Training {
    /// Takes some steps, and reads the losses of the last one.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub async fn advance(&mut self, count: usize) -> Result<Progress> {
        for _ in 0..count {
            self.trainer.advance().await.map_err(js)?;
        }
        let losses = self.trainer.losses().await.map_err(js)?;
        let (step, steps) = (self.trainer.step(), self.trainer.config().steps);
        let warning = self.watch.observe(step, steps, &losses);
        let Losses { rec, idem, tight, .. } = losses;
        Ok(Progress { step: step as f64, rec, idem, tight, warning })
    }

    /// Rows of images, one after the other: noise z, f(z), f(f(z)), f(f(f(z))), training images x, and f(x).
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn preview(&self) -> Result<Vec<f32>> {
        let Preview { z, f, x, fx } = self.trainer.preview().await.map_err(js)?;
        Ok([z, f.concat(), x, fx].concat())
    }

    /// Width and batch size.
    pub fn size(&self) -> Vec<usize> {
        vec![self.trainer.config().width, self.trainer.config().batch]
    }

    /// The number of completed steps.
    pub fn step(&self) -> f64 {
        self.trainer.step() as f64
    }

    /// The weights of the losses rec, idem and tight, and the learning rate.
    pub fn settings(&self) -> Vec<f64> {
        settings(self.trainer.config())
    }

    /// What [`settings`](Self::settings) says of a new training.
    pub fn defaults() -> Vec<f64> {
        settings(&PRESET.config())
    }

    /// Changes what [`settings`](Self::settings) says, from the next step on.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn set(&mut self, rec: f32, idem: f32, tight: f32, learning_rate: f64) -> Result<()> {
        self.trainer.set(Weights { rec, idem, tight }, learning_rate).map_err(js)
    }

    /// A checkpoint, which native programs read and resume, or, if `published`, without the optimiser's moments.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub async fn checkpoint(&self, published: bool) -> Result<Vec<u8>> {
        let checkpoint = self.trainer.checkpoint().await.map_err(js)?;
        let checkpoint = if published { checkpoint.published().map_err(js)? } else { checkpoint };
        checkpoint.to_bytes().map_err(js)
    }
}
