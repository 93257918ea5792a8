//! The Idempotent Generative Network on points of the plane, where a network f: ℝ² → ℝ² is a field of arrows f(x) − x and its
//! fixed points are what it has learned.

#[cfg(not(target_arch = "wasm32"))]
mod blocking;
#[cfg(feature = "train")]
mod coupling;
mod data;
#[cfg(feature = "train")]
mod exact;
mod task;

pub use data::{Data, mean_nearest_distance};
#[cfg(feature = "train")]
pub use exact::{Exact, ExactConfig};
pub use task::{Config, Settings};

use crate::descent::Descent;
use crate::error::Error;
use crate::gpu::Gpu;
use crate::method::Role;
use crate::model::{Generator, NormStatistics};
use crate::random::Stream;
use task::{Learner, POINT};

/// The training of a network f: ℝ² → ℝ², which can be applied at any time.
pub struct Toy {
    /// The device, to wait for.
    #[cfg(not(target_arch = "wasm32"))]
    gpu: Gpu,
    descent: Descent<Learner>,
    /// f, compiled for [`APPLIED`] points.
    f: Generator,
}

/// Number of points of one application.
const APPLIED: usize = 1024;

impl Toy {
    /// A new training.
    ///
    /// # Errors
    /// If a setting is out of range, there are no data, or the adapter fails.
    pub async fn new(gpu: &Gpu, config: Config, settings: Settings) -> Result<Self, Error> {
        config.check()?;
        settings.check()?;
        let descent = Descent::new(gpu, Learner { config, settings }, &config.initialise(), 0).await?;
        let f = Generator::new(gpu, descent.store(), &config.layers(), POINT, APPLIED, NormStatistics::Batch).await?;
        Ok(Self {
            #[cfg(not(target_arch = "wasm32"))]
            gpu: gpu.clone(),
            descent,
            f,
        })
    }

    /// The settings of the next step.
    pub fn settings(&self) -> &Settings {
        &self.descent.task().settings
    }

    /// Changes the settings, from the next step on.
    ///
    /// # Errors
    /// If a setting is out of range, or there are no data. The settings then stay.
    pub fn set(&mut self, settings: Settings) -> Result<(), Error> {
        settings.check()?;
        self.descent.task_mut().settings = settings;
        Ok(())
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// Submits one step. Does not wait for the adapter to finish.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn advance(&mut self) -> Result<(), Error> {
        self.descent.advance().await
    }

    /// The unweighted losses of the last step: rec, idem and tight.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub async fn losses(&self) -> Result<Vec<(&'static str, f32)>, Error> {
        self.descent.losses().await
    }

    /// Draws `count` points of the data for a picture, the same at each call.
    pub fn data(&self, count: usize) -> Vec<[f32; 2]> {
        self.settings().data.draw(self.descent.task().config.seed, Stream::Preview, 0, count)
    }

    /// Draws `count` points of noise z for a picture, the same at each call.
    pub fn noise(&self, count: usize) -> Vec<[f32; 2]> {
        points(&self.settings().draw_noise(self.descent.task().config.seed, Stream::Preview, 1, count))
    }

    /// f(x) for each of the `points`.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn apply(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        Ok(self::points(&self.f.apply(Role::Sample, points.as_flattened()).await?))
    }

    /// The results of `times` repeated applications to each of the `points`: f(x), f(f(x)), ….
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn repeat(&self, points: &[[f32; 2]], times: usize) -> Result<Vec<Vec<[f32; 2]>>, Error> {
        let results = self.f.repeat(Role::Sample, points.as_flattened(), times).await?;
        Ok(results.iter().map(|result| self::points(result)).collect())
    }

    /// The field f(x) − x at each of the `points`. Its length is near zero at fixed points of f.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn field(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        let difference = |(y, x): ([f32; 2], &[f32; 2])| [y[0] - x[0], y[1] - x[1]];
        Ok(self.apply(points).await?.into_iter().zip(points).map(difference).collect())
    }
}

/// The centres of the `side`² cells of the square [-extent, extent]², in rows from y = -extent on.
pub fn grid(side: usize, extent: f32) -> Vec<[f32; 2]> {
    let at = |i: usize| extent * ((2 * i + 1) as f32 / side as f32 - 1.0);
    (0..side * side).map(|i| [at(i % side), at(i / side)]).collect()
}

/// Consecutive pairs of coordinates as points.
fn points(flat: &[f32]) -> Vec<[f32; 2]> {
    flat.as_chunks().0.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{Clamp, Objective, Weights};
    use crate::testing::gpu;

    fn config() -> Config {
        let objective = Objective { clamp: Clamp::Noise(1.5), ..Objective::default() };
        Config { width: 32, batch: 128, objective, seed: 1 }
    }

    fn settings() -> Settings {
        let weights = Weights { rec: 1.0, idem: 1.0, tight: 0.2 };
        Settings { data: Data::Moons, weights, learning_rate: 4e-3, noise: 1.0 }
    }

    fn toy(settings: Settings) -> Toy {
        Toy::blocking_new(gpu(), config(), settings).unwrap()
    }

    fn advance(toy: &mut Toy, steps: usize) {
        for _ in 0..steps {
            toy.blocking_advance().unwrap();
        }
        toy.blocking_losses().unwrap();
    }

    /// The mean distance between corresponding points.
    fn moved(a: &[[f32; 2]], b: &[[f32; 2]]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum::<f32>() / a.len() as f32
    }

    #[test]
    fn samples_reach_the_moons_and_stay() {
        let mut toy = toy(settings());
        let (x, z) = (toy.data(500), toy.noise(500));
        let distances = |toy: &Toy| {
            let y = toy.blocking_repeat(&z, 2).unwrap();
            (mean_nearest_distance(&y[0], &x), mean_nearest_distance(&x, &y[0]), moved(&y[0], &y[1]) / moved(&z, &y[0]))
        };
        let before = distances(&toy);
        for _ in 0..20 {
            advance(&mut toy, 40);
        }
        let (samples, coverage, idempotence) = distances(&toy);
        assert!(samples < 0.15 && samples < before.0 / 4.0, "{samples}, before {}", before.0);
        assert!(coverage < 0.06, "{coverage}");
        assert!(idempotence < 0.15, "{idempotence}");
    }

    #[test]
    fn a_weight_of_zero_switches_a_term_off() {
        let none = Weights { rec: 0.0, idem: 0.0, tight: 0.0 };
        let mut still = toy(Settings { weights: none, ..settings() });
        let points = grid(4, 1.0);
        let before = still.blocking_apply(&points).unwrap();
        advance(&mut still, 3);
        assert_eq!(still.blocking_apply(&points).unwrap(), before);
        // Reconstruction alone copies its data.
        still.set(Settings { weights: Weights { rec: 1.0, ..none }, ..settings() }).unwrap();
        let error = |toy: &Toy| moved(&toy.data(200), &toy.blocking_apply(&toy.data(200)).unwrap());
        let untrained = error(&still);
        advance(&mut still, 100);
        assert!(error(&still) < untrained / 3.0, "{} of {untrained}", error(&still));
    }

    #[test]
    fn changed_settings_hold_from_the_next_step_on() {
        let mut changed = toy(Settings { data: Data::Points(vec![[0.5, 0.5]]), noise: 3.0, ..settings() });
        let mut plain = toy(settings());
        changed.set(settings()).unwrap();
        for _ in 0..3 {
            advance(&mut changed, 1);
            advance(&mut plain, 1);
            assert_eq!(changed.blocking_losses().unwrap(), plain.blocking_losses().unwrap());
        }
        assert_eq!((changed.step(), changed.settings()), (3, &settings()));
    }

    #[test]
    fn the_field_leads_from_a_point_to_its_image() {
        let toy = toy(settings());
        // More points than are applied at once.
        let points = grid(40, 1.5);
        let (images, field) = (toy.blocking_apply(&points).unwrap(), toy.blocking_field(&points).unwrap());
        assert_eq!([images.len(), field.len()], [1600; 2]);
        for ((x, y), arrow) in points.iter().zip(&images).zip(&field) {
            assert_eq!(*arrow, [y[0] - x[0], y[1] - x[1]]);
        }
        assert_eq!(grid(2, 1.0), [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]);
    }

    #[test]
    fn what_cannot_be_learned_is_refused() {
        let refused = |settings| Toy::blocking_new(gpu(), config(), settings).err().unwrap().to_string();
        let with = |points: &[[f32; 2]]| Settings { data: Data::Points(points.to_vec()), ..settings() };
        assert!(refused(with(&[])).contains("no point"));
        assert!(refused(with(&[[0.0, f32::NAN]])).contains("(0, NaN) is not finite"));
        assert!(refused(Settings { noise: -1.0, ..settings() }).contains("noise is -1"));
        let weights = Weights { tight: f32::NAN, ..settings().weights };
        assert!(refused(Settings { weights, ..settings() }).contains("tight is NaN"));
        let wide = Toy::blocking_new(gpu(), Config { width: 0, ..config() }, settings()).err().unwrap().to_string();
        assert!(wide.contains("width is 0"), "{wide}");

        let mut toy = toy(settings());
        assert!(toy.set(Settings { learning_rate: 2.0, ..settings() }).is_err());
        assert_eq!(toy.settings(), &settings());
    }
}
