use super::config::{Bottleneck, Bound, Config, NoiseKind, features};
use super::network::Network;
use crate::method::{Distance, Target};
use crate::picture::Background;
use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::super::named;
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
}
