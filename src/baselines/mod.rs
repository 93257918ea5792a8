//! Baselines for the Idempotent Generative Network: a DCGAN and a VAE with the same encoder and decoder, trained by the
//! same engine.

mod dcgan;
mod training;
mod vae;

pub use training::{Baseline, BaselineConfig};

use crate::descent::Recorded;
use crate::model::Network;
use crate::nn::{Adam, Layer, Sequential};
use crate::tape::{Result, Var};
use dcgan::Dcgan;
use serde::Serialize;
use vae::Vae;

/// A baseline with its specific settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// The deep convolutional generative adversarial network (Radford et al. 2015).
    ///
    /// The generator G is the decoder. The discriminator D is the encoder with two outputs; their softmax gives the
    /// probabilities of real and generated images. For a batch of images x `[N, 1, 28, 28]` and latents z ~ N(0, I)
    /// `[N, 4w, 1, 1]`, D descends the gradient of
    ///
    /// L_D = −mean log P(real | x) − mean log P(generated | G(z))
    ///
    /// with G(z) held constant. G descends the gradient of the non-saturating loss (Goodfellow et al. 2014)
    ///
    /// L_G = −mean log P(real | G(z)).
    ///
    /// D is applied to real and to generated images in separate batches, each normalised by its batch statistics. Both
    /// gradients are computed before either update, so that D is applied to G(z) once. Adam has β = (0.5, 0.999) and a
    /// default learning rate of 2·10⁻⁴.
    Dcgan,
    /// The variational autoencoder (Kingma & Welling 2013).
    ///
    /// The encoder outputs mean μ and log variance ln s² of a normal distribution of 64 latents. The decoder g maps
    /// latents to the image x̂ = g(μ + s·ε), with ε ~ N(0, I) `[N, 64, 1, 1]`. Both descend the gradient of the loss,
    /// averaged over the batch,
    ///
    /// L = Σ (x − x̂)²/(2σ²) + ½·Σ (μ² + s² − ln s² − 1).
    ///
    /// The first sum, over pixels, is the negative logarithm of a Gaussian likelihood, up to a constant. The second
    /// sum, over latents, is the Kullback-Leibler divergence of N(μ, s²) from N(0, I). Adam has β = (0.9, 0.999) and a
    /// default learning rate of 10⁻³.
    Vae {
        /// The variance σ² per pixel, 10⁻⁶ to 10⁶, for pixels in [-1, 1].
        variance: f64,
    },
}

/// The network that provides encoder and decoder of the baselines.
const NETWORK: Network = Network::MNIST;

impl Kind {
    /// The image shape `[C, H, W]`.
    pub fn image(self) -> [usize; 3] {
        NETWORK.image()
    }

    /// The default learning rate: 2·10⁻⁴ for the DCGAN (Radford et al. 2015), and 10⁻³ for the VAE, the default of Adam
    /// (Kingma & Ba 2014).
    pub fn learning_rate(self) -> f64 {
        match self {
            Self::Dcgan => 2e-4,
            Self::Vae { .. } => 1e-3,
        }
    }

    /// The number of trainable parameters at width `w`.
    pub fn parameters(self, w: usize) -> usize {
        let model = self.model(w);
        model.networks().iter().flat_map(|n| n.parameters()).map(|p| p.shape.elements()).sum()
    }

    fn adam(self, learning_rate: f64) -> Adam {
        let beta1 = match self {
            Self::Dcgan => 0.5,
            Self::Vae { .. } => 0.9,
        };
        Adam { learning_rate, beta1, ..Adam::default() }
    }

    fn model(self, w: usize) -> Box<dyn Model> {
        match self {
            Self::Dcgan => Box::new(Dcgan::new(w)),
            Self::Vae { variance } => Box::new(Vae::new(w, variance as f32)),
        }
    }
}

/// Networks and objective of a baseline.
trait Model {
    /// Number of latents per image.
    fn latents(&self) -> usize;

    /// All networks. The first one maps latents to images; only its batch norms have running averages.
    fn networks(&self) -> Vec<&Sequential>;

    /// Records losses and gradients for images `x` `[N, 1, 28, 28]` and standard normal `z` `[N, latents, 1, 1]`.
    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Recorded<'t>>;
}

/// A network whose tensor names start with `name`, to share a store with other networks.
fn network(name: &str, layers: Vec<Layer>) -> Sequential {
    Sequential { layers, name: name.into() }
}
