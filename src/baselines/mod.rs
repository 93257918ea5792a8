//! Baselines for the Idempotent Generative Network: other generative models with the same encoder and decoder, trained by
//! the same engine.

mod dcgan;
mod flow;
mod gaussian;
mod latent;
mod low_rank;
mod rae;
mod training;
mod unet;
mod vae;
mod wgan_gp;

pub use latent::{Latent, LatentConfig, LatentSamples};
pub use low_rank::LowRank;
pub use training::{Baseline, BaselineConfig};

use crate::compile::Compiled;
use crate::descent::Recorded;
use crate::error::Error;
use crate::model::Network;
use crate::nn::{Adam, Layer, Mode, Sequential};
use crate::tape::{Result, Var};
use dcgan::Dcgan;
use flow::Flow;
use rae::Rae;
use serde::Serialize;
use vae::Vae;
use wgan_gp::WganGp;

/// A baseline with its specific settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
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
    /// The Wasserstein generative adversarial network with a gradient penalty (Gulrajani et al. 2017).
    ///
    /// The generator G is the decoder. The critic D is the encoder with one output and without batch norm: the penalty is
    /// of the gradient for each image alone. For images x `[N, 1, 28, 28]`, latents z ~ N(0, I) `[N, 4w, 1, 1]` and
    /// weights u ~ U(0, 1) `[N]`, D descends the gradient of
    ///
    /// L_D = mean D(G(z)) − mean D(x) + 10·mean (|∂D(x̂)/∂x̂| − 1)², with x̂ = u·x + (1 − u)·G(z)
    ///
    /// with G(z) held constant. G descends the gradient of L_G = −mean D(G(z)). The norm |·| is over the pixels of an
    /// image. A step is `critic_steps` updates of D, each with other images, latents and weights, and then one update of
    /// G. It therefore sees `critic_steps` batches of images. Adam has β = (0, 0.9) and a default learning rate of 10⁻⁴.
    WganGp {
        /// Number of updates of the critic for each one of the generator, 1 to 100; 5 in the paper.
        critic_steps: usize,
    },
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
    /// The regularised autoencoder with L2 penalties, RAE-L2 (Ghosh et al. 2020).
    ///
    /// The encoder e maps images x `[N, 1, 28, 28]` to codes c = e(x) `[N, 64, 1, 1]`, the decoder g maps them back, without
    /// noise. Both descend the gradient of
    ///
    /// L = Σ (x − g(c))² + 10⁻²·½·Σ c² + 10⁻³·Σ θ²
    ///
    /// where the first two sums, over pixels and over codes, are means over the batch, and θ are the parameters of g.
    /// The paper does not fix the factors. Images are g(c) for codes c from the normal distribution that has the mean and
    /// the covariance of the codes of all training images. Adam has β = (0.9, 0.999) and a default learning rate of 10⁻³.
    Rae,
    /// The rectified flow (Liu et al. 2022), which is flow matching along straight lines (Lipman et al. 2022).
    ///
    /// The velocity v is a small U-Net: the encoder and the decoder, where the result of each layer of the encoder is added
    /// to that of the decoder's layer with the same shape, and a function of the time t to each of these results, per
    /// channel. For images x₁ `[N, 1, 28, 28]`, noise x₀ ~ N(0, I) of the same shape and times t ~ U(0, 1) `[N]`, v
    /// descends the gradient of
    ///
    /// L = mean (v(x_t, t) − (x₁ − x₀))², with x_t = (1 − t)·x₀ + t·x₁.
    ///
    /// An image begins as noise at t = 0, and takes `sampling_steps` steps of Euler's method to t = 1,
    /// x ← x + v(x, t)/`sampling_steps`: as many applications of the network. Its pixels are clamped to [-1, 1]. Adam has
    /// β = (0.9, 0.999) and a default learning rate of 10⁻³.
    Flow {
        /// Number of applications of the network per image, 1 to 10000.
        sampling_steps: usize,
    },
}

/// The network that provides encoder and decoder of the baselines.
const NETWORK: Network = Network::MNIST;

impl Kind {
    /// The image shape `[C, H, W]`.
    pub fn image(self) -> [usize; 3] {
        NETWORK.image()
    }

    /// The default learning rate: those of the papers for the adversarial networks, and 10⁻³ for the others, the default
    /// of Adam (Kingma & Ba 2014).
    pub fn learning_rate(self) -> f64 {
        match self {
            Self::Dcgan => 2e-4,
            Self::WganGp { .. } => 1e-4,
            Self::Vae { .. } | Self::Rae | Self::Flow { .. } => 1e-3,
        }
    }

    /// Number of batches of training images that a step sees.
    pub fn image_batches(self) -> usize {
        match self {
            Self::WganGp { critic_steps } => critic_steps,
            _ => 1,
        }
    }

    /// The number of trainable parameters at width `w`.
    pub fn parameters(self, w: usize) -> usize {
        let model = self.model(w);
        model.networks().iter().flat_map(|n| n.parameters()).map(|p| p.shape.elements()).sum()
    }

    /// Checks that the specific settings are in their ranges.
    fn check(self) -> std::result::Result<(), Error> {
        match self {
            Self::Dcgan | Self::Rae => Ok(()),
            Self::WganGp { critic_steps } => Error::check_range("critic_steps", critic_steps as f64, 1.0..=100.0),
            Self::Vae { variance } => Error::check_range("variance", variance, 1e-6..=1e6),
            Self::Flow { sampling_steps } => {
                Error::check_range("sampling_steps", sampling_steps as f64, 1.0..=10_000.0)
            }
        }
    }

    fn adam(self, learning_rate: f64) -> Adam {
        let adam = Adam { learning_rate, ..Adam::default() };
        match self {
            Self::Dcgan => Adam { beta1: 0.5, ..adam },
            Self::WganGp { .. } => Adam { beta1: 0.0, beta2: 0.9, ..adam },
            Self::Vae { .. } | Self::Rae | Self::Flow { .. } => adam,
        }
    }

    fn model(self, w: usize) -> Box<dyn Model> {
        match self {
            Self::Dcgan => Box::new(Dcgan::new(w)),
            Self::WganGp { critic_steps } => Box::new(WganGp::new(w, critic_steps)),
            Self::Vae { variance } => Box::new(Vae::new(w, variance as f32)),
            Self::Rae => Box::new(Rae::new(w)),
            Self::Flow { sampling_steps } => Box::new(Flow::new(w, sampling_steps)),
        }
    }
}

/// Networks and objective of a baseline.
trait Model {
    /// Number of latents per image: the normally distributed numbers from which it is generated.
    fn latents(&self) -> usize;

    /// All networks. Each has running averages with an empty prefix.
    fn networks(&self) -> Vec<&Sequential>;

    /// Number of batches of latents per step.
    fn latent_batches(&self) -> usize {
        1
    }

    /// Records losses and gradients for images `x` `[N, 1, 28, 28]` and standard normal `z` `[M, latents, 1, 1]`, where N
    /// and M are the images of all batches of a step.
    fn record<'t>(&self, x: Var<'t>, z: Var<'t>) -> Result<Recorded<'t>>;

    /// Name and contents of the inputs of step `done` + 1 that `record` adds.
    fn inputs(&self, _config: &BaselineConfig, _done: u64) -> Vec<(&'static str, Vec<f32>)> {
        vec![]
    }

    /// Records the program that generates images from `z` `[N, latents, 1, 1]`. Batch norms use running averages.
    fn decode<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.networks()[0].apply(z, Mode::Running(""))
    }

    /// Generates images from `z` with the program of `decode`, whose input is `z` and whose output is `y`.
    fn generate(&self, program: &Compiled, z: &[f32]) -> std::result::Result<Vec<f32>, Error> {
        Ok(program.blocking_run_batched("z", z, [SAMPLES, self.latents()], &["y"])?.concat())
    }

    /// The encoder whose codes of the training images give the distribution of the latents; by default they are
    /// standard normal.
    fn encoder(&self) -> Option<&Sequential> {
        None
    }
}

/// Number of samples per batch.
const SAMPLES: usize = 64;

/// A network whose tensor names start with `name`, to share a store with other networks.
fn network(name: &str, layers: Vec<Layer>) -> Sequential {
    Sequential { layers, name: name.into() }
}
