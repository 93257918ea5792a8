use super::network::Network;
use super::setting::{Setting, settings};
use crate::error::Error;
use crate::method::{Clamp, Distance, Objective, Target, Weights};
use crate::nn::{Adam, Average, Sequential};
use crate::picture::Background;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

settings! {
    /// All settings of a training run. Settings, data and adapter together determine the result.
    pub struct Config {
        /// Network architecture: mnist (28×28, greyscale), faces (64×64, colour), or channels (1 or 3) and side (8, 14,
        /// 16, 28, 32, 56, 64, … up to 512), as 3x32. `train --data` decides about it otherwise, up to a side of 64.
        pub network: Network,
        /// Output channels of the first convolution; the published networks use 64.
        pub width: usize [1 to 1024],
        /// Number of classes of a conditional network, whose batch norms have a scale and shift for each label; 0 without labels.
        #[serde(default)]
        pub classes: usize [0 to 256],
        /// Bottleneck: plain (as published) or deviation (with the minibatch standard deviation as a further channel).
        #[serde(default)]
        pub bottleneck: Bottleneck,
        /// Batch size in images; batch norm needs two.
        pub batch: usize [2 to 65536],
        /// Number of batches per step, whose gradients are averaged; batch norm uses the statistics of each.
        #[serde(default = "one")]
        pub accumulate: usize [1 to 1024],
        /// Greatest norm of the gradients of all parameters together, to which they are scaled down; 0 does not clip.
        #[serde(default)]
        pub clip: f32 [0 to 1000000],
        /// Total number of training steps.
        pub steps: u64 [1 to 1000000000],
        /// Initial learning rate of Adam.
        pub learning_rate: f64 [0 to 1],
        /// Learning rate at the last step relative to the first, reached linearly; 1 keeps the rate constant.
        #[serde(default = "whole")]
        pub learning_rate_end: f64 [0 to 1],
        /// Decay rate of Adam's first moment (β₁).
        pub beta1: f32 [0 to 0.999999],
        /// Decay rate of Adam's second moment (β₂).
        pub beta2: f32 [0 to 0.999999],
        /// Distance D between images: mse (mean squared error) or l1 (mean absolute error).
        pub distance: Distance,
        /// Weight of the squared distance between features of a classifier, which is added to D; 0 without.
        #[serde(default)]
        pub perceptual: f32 [0 to 1000],
        /// Trained classifier whose features the perceptual distance compares; without effect if its weight is 0.
        #[serde(with = "crate::files::path", default = "features")]
        pub features: PathBuf,
        /// Weight of the reconstruction loss D(f(x), x).
        pub rec: f32 [0 to 1000000],
        /// Weight of the idempotence loss D(f(f(z)), f(z)).
        pub idem: f32 [0 to 1000000],
        /// Initial weight of the tightness loss −D(f(f(z)), f(z)).
        pub tight: f32 [0 to 1000000],
        /// Tightness weight at the last step relative to the first, reached linearly; 1 keeps it constant.
        #[serde(default = "whole")]
        pub tight_end: f64 [0 to 100],
        /// Decay of the moving average of the weights, which sampling uses; 0 disables the average.
        #[serde(default)]
        pub average: f64 [0 to 0.999999],
        /// Bound R of the tightness loss: none, noise (D(f(z), z) per sample) or data (batch reconstruction loss).
        pub clamp: Bound,
        /// Factor a of the tightness bound a·R; without effect if clamp is none.
        pub clamp_ratio: f32 [0.001 to 1000],
        /// Noise distribution: gaussian (standard normal) or frequency (the data's mean and deviation per frequency).
        pub noise: NoiseKind,
        /// Dropout probability of activations that follow batch normalisation; 0 disables dropout.
        #[serde(default)]
        pub dropout: f32 [0 to 0.999999],
        /// Weight of the nearest-neighbour term, relative to idempotence: it pulls the sample of a batch that is nearest to each image,
        /// with labels among those of its class, towards it; without effect if idem is 0.
        #[serde(default)]
        pub nearest: f32 [0 to 1000],
        /// Weight of the pulling-away term, relative to idempotence: it keeps the codes of the samples of a batch apart; without
        /// effect if idem is 0.
        #[serde(default)]
        pub pulling_away: f32 [0 to 1000],
        /// Ratio γ that balances tightness: its weight is multiplied by the lesser of 1 and γ·L_rec/L_idem; 0 does not; without
        /// effect if tight is 0.
        #[serde(default)]
        pub balance: f32 [0 to 1000],
        /// Target of idempotence: twice (f(f(z)), as in the paper) or purified (3f²(z) − 2f³(z), held constant); without effect if
        /// idem is 0.
        #[serde(default)]
        pub target: Target,
        /// Share of the images that are degraded before f reconstructs them, as a denoiser does; the paper has 0.
        #[serde(default)]
        pub degraded: f64 [0 to 1],
        /// Seed of the initial weights, the data order, the noise and the dropout masks. From 0 to 18446744073709551615.
        pub seed: u64,
        /// Data folder: a data set in MNIST's format, or pictures (JPEG, PNG, WebP, BMP, GIF) in it and its subfolders.
        #[serde(with = "crate::files::path")]
        pub data: PathBuf,
        /// Background of transparent pictures: white, black, or auto (white behind dark strokes, black behind light ones).
        #[serde(default)]
        pub background: Background,
        /// Steps between lines of metrics.
        pub log_every: u64 [1 to 1000000000],
        /// Steps between sample pictures.
        pub sample_every: u64 [1 to 1000000000],
        /// Steps between checkpoints.
        pub checkpoint_every: u64 [1 to 1000000000],
    }
}

/// The number of batches of a plain step.
fn one() -> usize {
    1
}

/// The classifier shipped with the project.
pub(super) fn features() -> PathBuf {
    "models/classifier.safetensors".into()
}

/// The final factor of a constant schedule.
fn whole() -> f64 {
    1.0
}

/// What lies between encoder and decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bottleneck {
    /// Nothing, as published.
    #[default]
    Plain,
    /// The minibatch standard deviation as a further channel; see [`Layer`](crate::nn::Layer::MinibatchDeviation).
    Deviation,
}

/// The bound of the tightness loss; see [`Clamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Bound {
    None,
    Noise,
    Data,
}

/// The distribution of z; see [`Noise`](super::Noise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum NoiseKind {
    Gaussian,
    Frequency,
}

impl Config {
    /// The training objective, without the weights of its terms.
    pub fn objective(&self) -> Objective {
        let clamp = match self.clamp {
            Bound::None => Clamp::None,
            Bound::Noise => Clamp::Noise(self.clamp_ratio),
            Bound::Data => Clamp::Data(self.clamp_ratio),
        };
        let Self { distance, perceptual, target, dropout, nearest, pulling_away, balance, .. } = *self;
        let degraded = self.degraded > 0.0;
        Objective { distance, perceptual, clamp, target, dropout, nearest, pulling_away, balance, degraded }
    }

    /// The weights of the objective's terms after `done` steps.
    pub fn weights(&self, done: u64) -> Weights {
        Weights { rec: self.rec, idem: self.idem, tight: self.tight * self.left(self.tight_end, done) as f32 }
    }

    /// The optimiser after `done` steps.
    pub fn adam(&self, done: u64) -> Adam {
        let learning_rate = self.learning_rate * self.left(self.learning_rate_end, done);
        Adam { learning_rate, beta1: self.beta1, beta2: self.beta2, ..Adam::default() }
    }

    /// The network.
    pub fn layers(&self) -> Sequential {
        let layers = self.network.layers(self.width);
        let layers = match self.bottleneck {
            Bottleneck::Plain => layers,
            Bottleneck::Deviation => layers.with_minibatch_deviation(),
        };
        if self.classes == 0 { layers } else { layers.conditional(self.classes) }
    }

    /// The features of the perceptual distance, if it has a weight.
    pub fn feature_extractor(&self) -> Option<Sequential> {
        (self.perceptual > 0.0).then(|| self.network.features())
    }

    /// The network with averaged weights, if averaging is enabled.
    pub fn averaged(&self) -> Option<Sequential> {
        (self.average > 0.0).then(|| Average::of(&self.layers()))
    }

    /// The factor of a linear schedule after `done` steps: 1 at the first step, `end` at the last.
    fn left(&self, end: f64, done: u64) -> f64 {
        let last = self.steps.saturating_sub(1).max(1);
        1.0 + (end - 1.0) * done.min(last) as f64 / last as f64
    }

    /// The number of training images per step.
    pub fn images_per_step(&self) -> usize {
        self.batch * self.accumulate
    }

    /// Floating-point operations per step: nine times those of a forward pass, with two per multiply-add.
    pub fn flops(&self) -> f64 {
        self.network.step_flops(self.width, self.images_per_step())
    }

    /// Checks the range of every setting, and the size of the network.
    ///
    /// # Errors
    /// The first setting out of range, with its value and the range.
    pub fn check(&self) -> Result<(), Error> {
        self.check_ranges()?;
        self.network.check_width(self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Preset;
    use super::*;

    #[test]
    fn schedules_run_from_the_first_step_to_the_last() {
        let config = Config { steps: 5, tight: 0.6, tight_end: 0.5, learning_rate_end: 0.0, ..Preset::Quick.config() };
        let tight = [0, 2, 4, 9].map(|done| config.weights(done).tight);
        assert!(tight.iter().zip([0.6, 0.45, 0.3, 0.3]).all(|(t, e)| (t - e).abs() < 1e-6), "{tight:?}");
        let rates = [0, 2, 4].map(|done| config.adam(done).learning_rate);
        assert_eq!(rates, [config.learning_rate, config.learning_rate / 2.0, 0.0]);
        let constant = Config { steps: 1, ..Preset::Quick.config() };
        assert_eq!(constant.weights(0).tight, constant.tight);
    }

    #[test]
    fn settings_out_of_range_are_refused_with_their_value() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Preset::Quick.config();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(refused(|c| c.batch = 1), "batch is 1, and must be from 2 to 65536");
        assert!(refused(|c| c.width = 0).contains("width is 0"));
        assert!(refused(|c| c.width = usize::MAX).contains("must be from 1 to 1024"));
        assert!(refused(|c| c.steps = u64::MAX).contains("must be from 1 to 1000000000"));
        assert!(refused(|c| c.learning_rate = f64::NAN).contains("learning_rate is NaN"));
        assert!(refused(|c| c.tight = -1.0).contains("tight is -1"));
        assert!(refused(|c| c.average = 1.0).contains("average is 1"));
        assert!(refused(|c| c.dropout = f32::INFINITY).contains("dropout is inf"));
        assert!(refused(|c| c.beta1 = 1.0).contains("beta1 is 1"));
    }

    #[test]
    fn networks_that_no_adapter_holds_are_refused_with_their_size() {
        let refused = |network: Network, width| Config { network, width, ..Preset::Quick.config() }.check();
        assert!(refused(Network::MNIST, 800).is_ok() && refused(Network::FACES, 390).is_ok());
        let error = refused(Network::FACES, 1024).unwrap_err().to_string();
        let parameters: usize = Network::FACES.layers(1024).parameters().iter().map(|p| p.shape.elements()).sum();
        assert!(error.contains(&parameters.to_string()) && error.contains("536870912"), "{error}");
    }
}
