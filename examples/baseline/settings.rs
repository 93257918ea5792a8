//! The command line.

use crate::options::{BATCH, SEED, STEPS, WIDTH, number, whole};
use clap::{Parser, ValueEnum};
use ign::baselines::{BaselineConfig, Kind, LatentConfig};
use ign::model::Checkpoint;
use std::path::PathBuf;

/// Trains a DCGAN, a WGAN-GP, a VAE, a regularised autoencoder, a rectified flow or an Idempotent Generative Network on codes,
/// on MNIST and with encoder and decoder of the 28×28 network; or samples the decoder of a trained model. Writes samples.png
/// and evaluation.json. Ctrl-C, SIGTERM and SIGHUP end the training, and what it has is measured.
#[derive(Parser)]
pub struct Arguments {
    /// Baseline to train.
    pub kind: Name,
    /// Number of training steps [default: 2000]. From 1 to 1000000000.
    #[arg(long, value_parser = whole::<u64>(STEPS))]
    pub steps: Option<u64>,
    /// Number of images per batch [default: 64]. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH))]
    pub batch: Option<usize>,
    /// Number of channels of the encoder's first layer [default: 32]. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(WIDTH))]
    pub width: Option<usize>,
    /// Learning rate of Adam [default: 0.0002 for dcgan, 0.0001 for wgan-gp, 0.001 for the others]. From 0 to 1.
    #[arg(long, value_parser = number(0.0..=1.0))]
    pub learning_rate: Option<f64>,
    /// Variance per pixel, in [-1, 1], of vae's Gaussian likelihood. Smaller values give sharper images, larger values
    /// give latents closer to a standard normal distribution [default: 0.1]. From 0.000001 to 1000000.
    #[arg(long, value_parser = number(1e-6..=1e6))]
    pub variance: Option<f64>,
    /// Updates of wgan-gp's critic in each step, which sees as many batches of images [default: 5]. From 1 to 100.
    #[arg(long, value_parser = whole::<usize>(1..=100))]
    pub critic_steps: Option<usize>,
    /// Steps of Euler's method, and so applications of the network, for each of flow's samples [default: 50]. From 1 to
    /// 10000.
    #[arg(long, value_parser = whole::<usize>(1..=10_000))]
    pub sampling_steps: Option<usize>,
    /// Units of each hidden layer of latent's network on codes [default: 256]. From 1 to 1024.
    #[arg(long, value_parser = whole::<usize>(1..=1024))]
    pub latent_width: Option<usize>,
    /// Hidden layers of latent's network on codes [default: 3]. From 1 to 16.
    #[arg(long, value_parser = whole::<usize>(1..=16))]
    pub latent_depth: Option<usize>,
    /// Training steps of latent's network on codes, after those of the autoencoder [default: 3000]. From 1 to 1000000000.
    #[arg(long, value_parser = whole::<u64>(STEPS))]
    pub latent_steps: Option<u64>,
    /// Number of codes per batch of latent's network on codes [default: 128]. From 2 to 65536.
    #[arg(long, value_parser = whole::<usize>(BATCH))]
    pub latent_batch: Option<usize>,
    /// Learning rate of latent's network on codes [default: 0.001]. From 0 to 1.
    #[arg(long, value_parser = number(0.0..=1.0))]
    pub latent_learning_rate: Option<f64>,
    /// Weight of tightness of latent's network on codes [default: 0.2]. From 0 to 1000000.
    #[arg(long, value_parser = number(0.0..=1e6))]
    pub latent_tight: Option<f64>,
    /// Trained model, run folder or file, whose codes low-rank samples [default: models/mnist.safetensors].
    #[arg(long, value_name = "RUN")]
    pub model: Option<PathBuf>,
    /// Number of principal components of low-rank's normal distribution, at most the number of codes [default: 32]. From 1
    /// to 8192.
    #[arg(long, value_parser = whole::<usize>(1..=8192))]
    pub rank: Option<usize>,
    /// Seed of initialisation, data order and noise, in training and for samples. From 0 to 18446744073709551615.
    #[arg(long, value_parser = whole::<u64>(SEED), default_value_t = 1)]
    pub seed: u64,
    /// Number of samples to measure; some metrics use fewer, as the table states. From 4 to 100000.
    #[arg(long, value_parser = whole::<usize>(4..=100_000), default_value_t = 10_000)]
    pub samples: usize,
    /// Folder with MNIST's files.
    #[arg(long, value_name = "DIR", default_value = "data/mnist")]
    pub data: PathBuf,
    /// Output folder [default: runs/KIND].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Classifier that computes the features for sample metrics [default: models/classifier.safetensors, if it knows the
    /// images; without one, what needs features is not measured].
    #[arg(long, value_name = "FILE")]
    pub classifier: Option<PathBuf>,
    /// Second classifier, which measures the Fréchet distance and KID once more [default: models/judge.safetensors, if it
    /// knows the images].
    #[arg(long, value_name = "FILE")]
    pub judge: Option<PathBuf>,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    pub adapter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Name {
    /// Generative adversarial network.
    Dcgan,
    /// Wasserstein GAN with a gradient penalty.
    WganGp,
    /// Variational autoencoder.
    Vae,
    /// Deterministic autoencoder with L2 penalties, sampled from a normal distribution of its codes.
    Rae,
    /// Rectified flow.
    Flow,
    /// Idempotent Generative Network on the codes of rae.
    Latent,
    /// Normal distribution of low rank on the codes of a trained Idempotent Generative Network, without training.
    LowRank,
}

impl Name {
    pub fn text(self) -> String {
        self.to_possible_value().expect("every kind has a name").get_name().into()
    }
}

impl Arguments {
    /// Checks that each given option is one of this baseline.
    pub fn check(&self) -> Result<(), String> {
        let settings = [
            ("variance", self.variance.is_some(), Name::Vae),
            ("critic-steps", self.critic_steps.is_some(), Name::WganGp),
            ("sampling-steps", self.sampling_steps.is_some(), Name::Flow),
            ("latent-width", self.latent_width.is_some(), Name::Latent),
            ("latent-depth", self.latent_depth.is_some(), Name::Latent),
            ("latent-steps", self.latent_steps.is_some(), Name::Latent),
            ("latent-batch", self.latent_batch.is_some(), Name::Latent),
            ("latent-learning-rate", self.latent_learning_rate.is_some(), Name::Latent),
            ("latent-tight", self.latent_tight.is_some(), Name::Latent),
            ("model", self.model.is_some(), Name::LowRank),
            ("rank", self.rank.is_some(), Name::LowRank),
        ];
        if let Some((option, _, name)) = settings.iter().find(|(_, given, name)| *given && *name != self.kind) {
            return Err(format!("--{option} is for {}: {} has none", name.text(), self.kind.text()));
        }
        let training = [
            ("steps", self.steps.is_some()),
            ("batch", self.batch.is_some()),
            ("width", self.width.is_some()),
            ("learning-rate", self.learning_rate.is_some()),
        ];
        match training.iter().find(|(_, given)| *given && self.kind == Name::LowRank) {
            Some((option, _)) => Err(format!("--{option} is for a training: low-rank has none")),
            None => Ok(()),
        }
    }

    /// The settings of the training; `None` without one. That of `latent` begins with the autoencoder's.
    pub fn training(&self) -> Option<BaselineConfig> {
        let kind = match self.kind {
            Name::Dcgan => Kind::Dcgan,
            Name::WganGp => Kind::WganGp { critic_steps: self.critic_steps.unwrap_or(5) },
            Name::Vae => Kind::Vae { variance: self.variance.unwrap_or(0.1) },
            Name::Rae | Name::Latent => Kind::Rae,
            Name::Flow => Kind::Flow { sampling_steps: self.sampling_steps.unwrap_or(50) },
            Name::LowRank => return None,
        };
        let learning_rate = self.learning_rate.unwrap_or(kind.learning_rate());
        let (width, batch) = (self.width.unwrap_or(32), self.batch.unwrap_or(64));
        Some(BaselineConfig { kind, width, batch, learning_rate, seed: self.seed })
    }

    /// The model that `low-rank` samples.
    pub fn model(&self) -> PathBuf {
        self.model.clone().unwrap_or_else(|| Checkpoint::SHIPPED.into())
    }

    /// The settings of the training on codes.
    pub fn latent(&self) -> LatentConfig {
        LatentConfig {
            width: self.latent_width.unwrap_or(256),
            depth: self.latent_depth.unwrap_or(3),
            batch: self.latent_batch.unwrap_or(128),
            learning_rate: self.latent_learning_rate.unwrap_or(1e-3),
            tight: self.latent_tight.unwrap_or(0.2) as f32,
            seed: self.seed,
        }
    }
}
