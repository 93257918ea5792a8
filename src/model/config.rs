use super::network::Network;
use crate::error::Error;
use crate::method::{Clamp, Distance, Objective, Target, Weights};
use crate::nn::{Adam, Average, Sequential};
use crate::picture::Background;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as NotOneOf};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A setting of a training: an option of command lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The name, as in JSON.
    pub name: &'static str,
    /// The help text. The range of a number is its last sentence.
    pub help: &'static str,
    /// The least and the greatest permitted value of a number.
    pub range: Option<[f64; 2]>,
}

/// Declares a struct of settings: its documented fields, its JSON form, the list from which programs build their command
/// lines, and the check of all ranges, which stand after the type of a field.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $Name:ident {
            $(
                $(#[doc = $help:literal])+ $(#[serde($($serde:tt)+)])?
                pub $field:ident: $Type:ty $([$least:literal to $greatest:literal])?,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $Name {
            $(
                $(#[doc = $help])+ $(#[doc = concat!("From ", $least, " to ", $greatest, ".")])?
                $(#[serde($($serde)+)])? pub $field: $Type,
            )+
        }

        impl $Name {
            /// All settings.
            pub const SETTINGS: &[Setting] = &[$(
                Setting {
                    name: stringify!($field),
                    help: concat!($($help,)+ $(" From ", $least, " to ", $greatest, ".")?).trim_ascii(),
                    range: settings!(@range $([$least as f64, $greatest as f64])?),
                },
            )+];

            /// The first setting out of range.
            fn check_ranges(&self) -> Result<(), Error> {
                $($(Error::check_range(stringify!($field), self.$field as f64, $least as f64..=$greatest as f64)?;)?)+
                Ok(())
            }
        }
    };
    (@range) => { None };
    (@range $range:expr) => { Some($range) };
}

settings! {
    /// All settings of a training run. Settings, data and adapter together determine the result.
    pub struct Config {
        /// Network architecture: mnist (28×28, greyscale), faces (64×64, colour), or channels and side, as 3x32. `train --data`
        /// decides about it otherwise, up to a side of 64.
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
        /// Weight of the nearest-neighbour term, relative to idempotence: it pulls the sample nearest to each image towards it.
        #[serde(default)]
        pub nearest: f32 [0 to 1000],
        /// Weight of the pulling-away term, relative to idempotence: it keeps the codes of the samples of a batch apart.
        #[serde(default)]
        pub pulling_away: f32 [0 to 1000],
        /// Ratio γ that balances tightness: its weight is multiplied by the lesser of 1 and γ·L_rec/L_idem; 0 does not.
        #[serde(default)]
        pub balance: f32 [0 to 1000],
        /// Target of idempotence: twice (f(f(z)), as in the paper) or purified (3f²(z) − 2f³(z), held constant).
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
fn features() -> PathBuf {
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

/// Parses a value by its name in JSON, such as a [`Preset`] or a [`Network`].
///
/// # Errors
/// If no value has this name; the message lists those that there are.
pub fn named<T: DeserializeOwned>(name: &str) -> Result<T, NotOneOf> {
    T::deserialize(name.into_deserializer())
}

/// Named sets of recommended settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// MNIST digits in minutes, even without a GPU.
    Quick,
    /// The MNIST settings with the best results in docs/study.md.
    Mnist,
    /// The published recipe for MNIST.
    Published,
    /// 64×64 colour images from a folder of pictures, for example faces.
    Faces,
}

impl Preset {
    /// The settings of this preset.
    pub fn config(self) -> Config {
        let published = Config {
            network: Network::MNIST,
            width: 64,
            classes: 0,
            bottleneck: Bottleneck::Plain,
            batch: 256,
            accumulate: 1,
            clip: 0.0,
            // 100 epochs.
            steps: 23_400,
            learning_rate: 1e-4,
            learning_rate_end: 1.0,
            beta1: 0.5,
            beta2: 0.999,
            distance: Distance::Mse,
            perceptual: 0.0,
            features: features(),
            rec: 1.0,
            idem: 1.0,
            tight: 0.1,
            tight_end: 1.0,
            average: 0.0,
            clamp: Bound::None,
            clamp_ratio: 1.5,
            noise: NoiseKind::Gaussian,
            dropout: 0.0,
            nearest: 0.0,
            pulling_away: 0.0,
            balance: 0.0,
            target: Target::Twice,
            degraded: 0.0,
            seed: 1,
            data: "data/mnist".into(),
            background: Background::Auto,
            log_every: 10,
            sample_every: 500,
            checkpoint_every: 500,
        };
        match self {
            // docs/study.md justifies the settings of the first two presets.
            Self::Quick => Config {
                width: 32,
                batch: 64,
                steps: 1200,
                learning_rate: 4e-3,
                learning_rate_end: 0.1,
                tight: 0.6,
                tight_end: 0.5,
                average: 0.99,
                noise: NoiseKind::Frequency,
                log_every: 5,
                sample_every: 100,
                checkpoint_every: 100,
                ..published
            },
            Self::Mnist => Config { steps: 2000, rec: 2.0, nearest: 0.1, ..Self::Quick.config() },
            Self::Published => published,
            Self::Faces => Config {
                network: Network::FACES,
                batch: 64,
                steps: 100_000,
                distance: Distance::L1,
                rec: 20.0,
                idem: 20.0,
                tight: 2.5,
                clamp: Bound::Noise,
                noise: NoiseKind::Frequency,
                data: "data/faces".into(),
                ..published
            },
        }
    }
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
    pub fn features(&self) -> Option<Sequential> {
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
    use super::*;

    #[test]
    fn presets_are_valid_and_survive_json() {
        for name in ["quick", "mnist", "published", "faces"] {
            let config = named::<Preset>(name).unwrap().config();
            config.check().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
        }
        assert!(named::<Preset>("slow").unwrap_err().to_string().contains("`quick`"));
    }

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
