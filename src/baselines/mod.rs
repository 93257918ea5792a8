//! What the Idempotent Generative Network is compared with: a DCGAN and a VAE whose halves are those of its network,
//! trained by the same engine.

mod dcgan;
mod training;
mod vae;

pub use training::{Baseline, Settings};

use crate::ign::Network;
use crate::nn::{Adam, Layer, Sequential};
use crate::tape::{Result, Var};
use dcgan::Dcgan;
use serde::Serialize;
use vae::Vae;

/// Which baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// The deep convolutional generative adversarial network (Radford et al. 2015): a generator G, the decoder, and a
    /// discriminator D, the encoder with two outputs whose softmax is the probability of real or made. Over a batch of
    /// images x `[N, 1, 28, 28]` and latents z ~ N(0, I) `[N, 4w, 1, 1]`, D goes down the gradient of
    ///
    /// L_D = −mean log P(real | x) − mean log P(made | G(z))
    ///
    /// with G(z) held constant, and G that of the non-saturating loss (Goodfellow et al. 2014)
    ///
    /// L_G = −mean log P(real | G(z)).
    ///
    /// Real and made images go through D as batches of their own, each normalised by its own statistics. Both gradients
    /// are taken before both updates, so that D is applied to G(z) once. Adam with β = (0.5, 0.999), rate 2·10⁻⁴.
    Dcgan,
    /// The variational autoencoder (Kingma & Welling 2013): the encoder gives mean μ and log variance ln s² of a normal
    /// distribution of 64 latents, the decoder g makes the image x̂ = g(μ + s·ε), with ε ~ N(0, I) `[N, 64, 1, 1]`.
    /// Both go down the gradient of the mean over the batch of
    ///
    /// L = Σ (x − x̂)²/(2σ²) + ½·Σ (μ² + s² − ln s² − 1),
    ///
    /// the first sum over pixels being, up to a constant, −log of a Gaussian likelihood, the second over latents the
    /// divergence of N(μ, s²) from N(0, I). Adam with β = (0.9, 0.999), rate 10⁻³.
    Vae {
        /// σ², of a pixel in [-1, 1].
        variance: f32,
    },
}

/// The baselines have its encoder and its decoder.
const NETWORK: Network = Network::Mnist;

impl Kind {
    /// `[C, H, W]` of its images.
    pub fn image(self) -> [usize; 3] {
        NETWORK.image()
    }

    /// The names of its two losses.
    pub fn losses(self) -> [&'static str; 2] {
        match self {
            Self::Dcgan => ["discriminator", "generator"],
            Self::Vae { .. } => ["reconstruction", "divergence"],
        }
    }

    /// The published step size.
    pub fn learning_rate(self) -> f64 {
        match self {
            Self::Dcgan => 2e-4,
            Self::Vae { .. } => 1e-3,
        }
    }

    /// How many numbers are trained at width `w`.
    pub fn parameters(self, w: usize) -> usize {
        let model = self.model(w);
        model.networks().iter().flat_map(|n| n.parameters()).map(|p| p.shape.elements()).sum()
    }

    fn adam(self, learning_rate: f64) -> Adam {
        let beta1 = match self {
            Self::Dcgan => 0.5,
            Self::Vae { .. } => 0.9,
        };
        Adam { learning_rate, beta1, beta2: 0.999, epsilon: 1e-8 }
    }

    fn model(self, w: usize) -> Box<dyn Model> {
        match self {
            Self::Dcgan => Box::new(Dcgan::new(w)),
            Self::Vae { variance } => Box::new(Vae::new(w, variance)),
        }
    }
}

/// What a baseline is made of.
trait Model {
    /// Latent variables of an image.
    fn latents(&self) -> usize;

    /// All networks. The first turns latents into images, and has running averages.
    fn networks(&self) -> Vec<&Sequential>;

    /// Records losses and gradients on images x and standard normals z `[N, latents, 1, 1]`.
    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Step<'t>>;
}

/// A recorded step, up to the update.
struct Step<'t> {
    losses: [Var<'t>; 2],
    parameters: Vec<Var<'t>>,
    /// What each parameter goes down.
    gradients: Vec<Var<'t>>,
}

/// Layers that share a store with others.
fn network(name: &str, layers: Vec<Layer>) -> Sequential {
    Sequential { layers, name: name.into() }
}
