use super::TrainError;
use crate::ign::{Clamp, Distance, Network, Objective, Weights};
use crate::nn::{Adam, Average, Sequential};
use clap::Args;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as NotOneOf};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Every setting of a training. Together with the data and the adapter it determines the result.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The network: mnist (28×28, grey) or faces (64×64, colour).
    #[arg(long, value_parser = named::<Network>)]
    pub network: Network,
    /// Channels of its first layer; the published networks have 64.
    #[arg(long)]
    pub width: usize,
    /// Images of a batch.
    #[arg(long)]
    pub batch: usize,
    /// Steps to train.
    #[arg(long)]
    pub steps: u64,
    /// Adam's step size.
    #[arg(long)]
    pub learning_rate: f64,
    /// What is left of the step size at the last step, to which it falls linearly: 1 for a constant one.
    #[arg(long)]
    #[serde(default = "whole")]
    pub learning_rate_end: f64,
    /// Adam's decay of the first moment.
    #[arg(long)]
    pub beta1: f32,
    /// Adam's decay of the second moment.
    #[arg(long)]
    pub beta2: f32,
    /// The distance between images: mse or l1.
    #[arg(long, value_parser = named::<Distance>)]
    pub distance: Distance,
    /// Weight of reconstruction, D(f(x), x).
    #[arg(long)]
    pub rec: f32,
    /// Weight of idempotence, D(f(f(z)), f(z)).
    #[arg(long)]
    pub idem: f32,
    /// Weight of tightness, −D(f(f(z)), f(z)).
    #[arg(long)]
    pub tight: f32,
    /// What is left of the weight of tightness at the last step, to which it falls linearly: 1 for a constant one.
    #[arg(long)]
    #[serde(default = "whole")]
    pub tight_end: f64,
    /// The decay of an exponential moving average of the weights, by which trained networks are then used: 0 for none.
    #[arg(long)]
    #[serde(default)]
    pub average: f64,
    /// What bounds tightness: none, noise (each sample's D(f(z), z)) or data (the batch's reconstruction).
    #[arg(long, value_parser = named::<Bound>)]
    pub clamp: Bound,
    /// The ratio a of the bound.
    #[arg(long)]
    pub clamp_ratio: f32,
    /// The noise: gaussian, or frequency (with the data's statistics at each frequency).
    #[arg(long, value_parser = named::<NoiseKind>)]
    pub noise: NoiseKind,
    /// Probability with which training drops out an activation behind a batch norm: 0 for none.
    #[arg(long)]
    #[serde(default)]
    pub dropout: f32,
    /// Fixes initialisation, order of the data, noise, and what is dropped out.
    #[arg(long)]
    pub seed: u64,
    /// A folder of images, or of a data set in MNIST's format.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Steps from one line of metrics to the next.
    #[arg(long, value_name = "STEPS")]
    pub log_every: u64,
    /// Steps from one picture to the next.
    #[arg(long, value_name = "STEPS")]
    pub sample_every: u64,
    /// Steps from one checkpoint to the next.
    #[arg(long, value_name = "STEPS")]
    pub checkpoint_every: u64,
}

/// What is left at the end of what does not fall.
fn whole() -> f64 {
    1.0
}

/// What bounds tightness; see [`Clamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Bound {
    None,
    Noise,
    Data,
}

/// The distribution of z; see [`Noise`](crate::ign::Noise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum NoiseKind {
    Gaussian,
    Frequency,
}

/// Parses a value by the name it has in `config.json`.
pub(super) fn named<T: DeserializeOwned>(name: &str) -> Result<T, NotOneOf> {
    T::deserialize(name.into_deserializer())
}

/// Settings that are known to work, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Digits in minutes, also without a GPU.
    Quick,
    /// The best digits of docs/study.md.
    Mnist,
    /// The published recipe for MNIST.
    Published,
    /// 64×64 colour images from a folder of pictures.
    Faces,
}

impl Preset {
    /// Parses a preset's name.
    pub fn named(name: &str) -> Result<Self, NotOneOf> {
        named(name)
    }

    /// Its settings.
    pub fn config(self) -> Config {
        let published = Config {
            network: Network::Mnist,
            width: 64,
            batch: 256,
            // 100 epochs.
            steps: 23_400,
            learning_rate: 1e-4,
            learning_rate_end: 1.0,
            beta1: 0.5,
            beta2: 0.999,
            distance: Distance::Mse,
            rec: 1.0,
            idem: 1.0,
            tight: 0.1,
            tight_end: 1.0,
            average: 0.0,
            clamp: Bound::None,
            clamp_ratio: 1.5,
            noise: NoiseKind::Gaussian,
            dropout: 0.0,
            seed: 1,
            data: "data/mnist".into(),
            log_every: 10,
            sample_every: 500,
            checkpoint_every: 500,
        };
        match self {
            // docs/study.md says why the first two are as they are.
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
            Self::Mnist => Config { steps: 2000, rec: 2.0, ..Self::Quick.config() },
            Self::Published => published,
            Self::Faces => Config {
                network: Network::Faces,
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
    /// The form of the objective.
    pub fn objective(&self) -> Objective {
        let clamp = match self.clamp {
            Bound::None => Clamp::None,
            Bound::Noise => Clamp::Noise(self.clamp_ratio),
            Bound::Data => Clamp::Data(self.clamp_ratio),
        };
        Objective { distance: self.distance, clamp, dropout: self.dropout }
    }

    /// The weights of its terms after `done` steps.
    pub fn weights(&self, done: u64) -> Weights {
        Weights { rec: self.rec, idem: self.idem, tight: self.tight * self.left(self.tight_end, done) as f32 }
    }

    /// The optimiser after `done` steps.
    pub fn adam(&self, done: u64) -> Adam {
        let learning_rate = self.learning_rate * self.left(self.learning_rate_end, done);
        Adam { learning_rate, beta1: self.beta1, beta2: self.beta2, epsilon: 1e-8 }
    }

    /// The network.
    pub fn layers(&self) -> Sequential {
        self.network.layers(self.width)
    }

    /// The network of averages, if there is one.
    pub fn averaged(&self) -> Option<Sequential> {
        (self.average > 0.0).then(|| Average::of(&self.layers()))
    }

    /// What is left after `done` steps of what falls from 1 at the first step to `end` at the last.
    fn left(&self, end: f64, done: u64) -> f64 {
        let last = self.steps.saturating_sub(1).max(1);
        1.0 + (end - 1.0) * done.min(last) as f64 / last as f64
    }

    /// Floating point operations of a step: nine times a forward pass, a multiply-add counting two.
    pub fn flops(&self) -> f64 {
        let macs = self.layers().macs(self.network.image());
        9.0 * 2.0 * macs as f64 * self.batch as f64
    }

    /// Checks every setting for its range.
    ///
    /// # Errors
    /// The first setting that is out of it, with its value.
    pub fn check(&self) -> Result<(), TrainError> {
        let positive = |name: &str, value: u64| match value {
            0 => Err(TrainError::Config(format!("--{name} must be at least 1"))),
            _ => Ok(()),
        };
        positive("width", self.width as u64)?;
        positive("steps", self.steps)?;
        positive("log-every", self.log_every)?;
        positive("sample-every", self.sample_every)?;
        positive("checkpoint-every", self.checkpoint_every)?;
        if self.batch < 2 {
            let text = format!("--batch is {}, but batch norm needs at least 2 images", self.batch);
            return Err(TrainError::Config(text));
        }
        let within = |name: &str, value: f64, range: std::ops::RangeInclusive<f64>| match range.contains(&value) {
            true => Ok(()),
            false => Err(TrainError::Config(format!(
                "--{name} is {value}, and must be from {} to {}",
                range.start(),
                range.end()
            ))),
        };
        within("learning-rate", self.learning_rate, 0.0..=1.0)?;
        within("learning-rate-end", self.learning_rate_end, 0.0..=1.0)?;
        within("tight-end", self.tight_end, 0.0..=100.0)?;
        within("average", self.average, 0.0..=0.999_999)?;
        within("beta1", self.beta1.into(), 0.0..=0.999_999)?;
        within("beta2", self.beta2.into(), 0.0..=0.999_999)?;
        for (name, weight) in [("rec", self.rec), ("idem", self.idem), ("tight", self.tight)] {
            within(name, weight.into(), 0.0..=1e6)?;
        }
        within("dropout", self.dropout.into(), 0.0..=0.999_999)?;
        within("clamp-ratio", self.clamp_ratio.into(), 1e-3..=1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_survive_json() {
        for name in ["quick", "mnist", "published", "faces"] {
            let config = Preset::named(name).unwrap().config();
            config.check().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
        }
        assert!(Preset::named("slow").unwrap_err().to_string().contains("`quick`"));
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
        assert!(refused(|c| c.batch = 1).contains("--batch is 1"));
        assert!(refused(|c| c.width = 0).contains("--width"));
        assert!(refused(|c| c.learning_rate = f64::NAN).contains("--learning-rate is NaN"));
        assert!(refused(|c| c.tight = -1.0).contains("--tight is -1"));
        assert!(refused(|c| c.average = 1.0).contains("--average is 1"));
        assert!(refused(|c| c.dropout = 1.0).contains("--dropout is 1"));
        assert!(refused(|c| c.beta1 = 1.0).contains("--beta1 is 1"));
    }
}
