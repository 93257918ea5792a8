use super::Generator;
use crate::compile::{Compiled, compile};
use crate::error::Error;
use crate::gpu::{Gpu, Store};
use crate::method::Role;
use crate::nn::{Adam, Layer, Mode, Sequential};
use crate::random::{Stream, stream};
use crate::tape::{Tape, Var};
use rand::RngExt;
use std::collections::BTreeMap;

/// A trained network that projects each picture x independently of the others, with batch normalisation adapted to x:
///
/// 1. *Statistics.* The running averages r of images go on over [`BATCHES`](Self::BATCHES) batches of
///    [`COPIES`](Self::COPIES) copies of x, each shifted cyclically by at most [`SHIFT`](Self::SHIFT) pixels each way:
///    r ← 0.9·r + 0.1·s, with the statistics s of the batch. The weight of x in the result is 1 − 0.9^BATCHES. Mixtures
///    of the statistics of training and of test images are those of Schneider et al., arXiv 2006.16971.
/// 2. *Test-time training.* A number of steps of Adam minimise the reconstruction loss mean (f(x) − x)² over the scale γ
///    and the shift β of each batch normalisation, from their trained values. Test-time training is that of Sun et al.,
///    arXiv 1909.13231; the restriction to γ and β that of Wang et al., arXiv 2006.10726.
///
/// The network that it is made from keeps its tensors.
pub struct AdaptiveGenerator {
    gpu: Gpu,
    store: Store,
    image: [usize; 3],
    steps: usize,
    /// The tensors that adaptation changes, with their contents before it.
    initial: BTreeMap<String, Vec<f32>>,
    /// Moves the averages, given `x`, the copies.
    statistics: Compiled,
    /// A step of test-time training on `x`, with the output `loss` before the step.
    step: Compiled,
    /// `y` = f(`x`).
    f: Compiled,
}

/// The name prefix of the averages that go on over a picture.
const PREFIX: &str = "picture.";

impl AdaptiveGenerator {
    /// The number of batches of copies.
    pub const BATCHES: usize = 6;
    /// The number of copies per batch.
    pub const COPIES: usize = 16;
    /// The greatest shift of a copy, in pixels.
    pub const SHIFT: usize = 3;
    /// The number of steps of test-time training that docs/study.md recommends.
    pub const STEPS: usize = 20;
    /// The greatest number of steps of test-time training.
    pub const MOST_STEPS: usize = 1000;
    /// The optimiser of test-time training.
    pub const ADAM: Adam = Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

    /// The network and tensors of `generator`, regardless of its statistics, with `steps` steps of test-time training
    /// per picture. With 0 steps only the statistics are adapted.
    ///
    /// # Errors
    /// If `steps` exceeds [`MOST_STEPS`](Self::MOST_STEPS), the network is conditional or has minibatch deviation, a tensor is
    /// missing, or the adapter fails.
    pub async fn new(generator: &Generator, steps: usize) -> Result<Self, Error> {
        Error::check_range("adapt", steps as f64, 0.0..=Self::MOST_STEPS as f64)?;
        if generator.classes().is_some() {
            return Err(Error::Unsuited("adaptation to single pictures is for networks without labels".into()));
        }
        let Generator { gpu, layers, image, .. } = generator;
        if layers.layers.iter().any(|layer| matches!(layer, Layer::MinibatchDeviation { .. })) {
            let text = "adaptation to single pictures is for networks without minibatch deviation: copies of a picture have none";
            return Err(Error::Unsuited(text.into()));
        }
        let tensors = generator.store.read(gpu).await?;
        let missing = |name: &str| Error::Unsuited(format!("the network lacks the tensor `{name}`"));
        let trained = |name: &str| tensors.get(name).cloned().ok_or_else(|| missing(name));
        let mut initial = BTreeMap::new();
        let mut store = Store::new();
        for (name, _) in layers.tensors(&[PREFIX]) {
            match name.strip_prefix(PREFIX) {
                Some(rest) => {
                    initial.insert(name.clone(), trained(&format!("{}{rest}", Role::Image.prefix()))?);
                }
                None => store.set(gpu, &name, &trained(&name)?).await?,
            }
        }

        let [c, h, w] = *image;
        let record = |tape: &Tape| -> Result<BTreeMap<String, Vec<f32>>, Error> {
            let x = tape.input("x", [1, c, h, w]);
            let loss = layers.apply(x, Mode::Running(PREFIX)).mse(x);
            let parameters = scales_and_shifts(layers, tape);
            Self::ADAM.record(tape, &parameters, &tape.gradient(loss, &parameters)?);
            let mut changed: BTreeMap<_, _> = Adam::initial(&parameters).collect();
            for p in &parameters {
                changed.insert(p.name(), trained(&p.name())?);
            }
            Ok(changed)
        };
        let step = Tape::new();
        initial.extend(record(&step)?);
        store.set_all(gpu, &initial).await?;
        let step = compile(gpu, &store, &step, &[]).await?;
        let program = async |count: usize, mode: Mode<'_, '_>| -> Result<Compiled, Error> {
            let tape = Tape::new();
            let y = layers.apply(tape.input("x", [count, c, h, w]), mode);
            Ok(compile(gpu, &store, &tape, &[("y", y)]).await?)
        };
        let statistics = program(Self::COPIES, Mode::Train { prefixes: &[PREFIX], dropout: None }).await?;
        let f = program(1, Mode::Running(PREFIX)).await?;
        Ok(Self { gpu: gpu.clone(), store, image: *image, steps, initial, statistics, step, f })
    }

    /// f(x) for each picture x of `images`, each with batch normalisation adapted to it. The same picture always gives
    /// the same result.
    ///
    /// # Errors
    /// If the last image is incomplete, or the adapter fails.
    pub async fn apply(&self, images: &[f32]) -> Result<Vec<f32>, Error> {
        let elements = Error::check_images(images, self.image)?;
        let mut results = Vec::with_capacity(images.len());
        for x in images.chunks_exact(elements) {
            self.adapt(x).await?;
            self.f.write("x", x)?;
            self.f.run()?;
            results.extend(self.f.read(&["y"]).await?.concat());
        }
        Ok(results)
    }

    /// Adapts the tensors to the picture x, from their trained contents.
    async fn adapt(&self, x: &[f32]) -> Result<(), Error> {
        // A clone shares the tensors.
        let mut store = self.store.clone();
        store.set_all(&self.gpu, &self.initial).await?;
        for batch in 0..Self::BATCHES {
            self.statistics.write("x", &copies(x, self.image, batch as u64))?;
            self.statistics.run()?;
        }
        self.step.write("x", x)?;
        for t in 1..=self.steps as u64 {
            self.step.write(Adam::RATES, &Self::ADAM.rates(t))?;
            self.step.run()?;
        }
        Ok(())
    }
}

/// Blocking forms of the methods, for targets with threads.
#[cfg(not(target_arch = "wasm32"))]
impl AdaptiveGenerator {
    /// Blocking form of [`new`](Self::new).
    pub fn blocking_new(generator: &Generator, steps: usize) -> Result<Self, Error> {
        generator.gpu.wait(Self::new(generator, steps))
    }

    /// Blocking form of [`apply`](Self::apply).
    pub fn blocking_apply(&self, images: &[f32]) -> Result<Vec<f32>, Error> {
        self.gpu.wait(self.apply(images))
    }
}

/// γ and β of each batch normalisation, as state on `tape`.
fn scales_and_shifts<'t>(layers: &Sequential, tape: &'t Tape) -> Vec<Var<'t>> {
    let both =
        |(i, channels)| ["weight", "bias"].map(|what| tape.state(&format!("{}{i}.{what}", layers.name), [channels]));
    layers.norms().flat_map(both).collect()
}

/// Batch number `batch` of copies of the picture x `[C, H, W]`, each shifted cyclically.
fn copies(x: &[f32], [c, h, w]: [usize; 3], batch: u64) -> Vec<f32> {
    const SHIFT: usize = AdaptiveGenerator::SHIFT;
    let mut rng = stream(0, Stream::Augmentation, batch);
    let mut copy = |_| {
        let [down, right] = [h, w].map(|size| size * SHIFT + rng.random_range(0..=2 * SHIFT) - SHIFT);
        let from = move |i: usize| {
            let (plane, row, column) = (i / (h * w), i / w % h, i % w);
            x[(plane * h + (row + down) % h) * w + (column + right) % w]
        };
        (0..c * h * w).map(from)
    };
    (0..AdaptiveGenerator::COPIES).flat_map(&mut copy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::PREFIXES;
    use crate::model::{Network, NormStatistics};
    use crate::testing::gpu;

    const IMAGE: [usize; 3] = [1, 8, 8];

    fn picture(seed: u64) -> Vec<f32> {
        let mut rng = stream(seed, Stream::Evaluation, 0);
        (0..64).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn generator() -> (Generator, BTreeMap<String, Vec<f32>>) {
        let layers = Network::new(1, 8).unwrap().layers(2);
        let mut tensors = layers.initialise(3, &PREFIXES);
        // Initial weights are so small that f is almost 0.
        for (_, values) in tensors.iter_mut().filter(|(name, _)| name.ends_with(".weight")) {
            values.iter_mut().filter(|x| **x != 1.0).for_each(|x| *x *= 20.0);
        }
        let mut store = Store::new();
        gpu().wait(store.set_all(gpu(), &tensors)).unwrap();
        (Generator::blocking_new(gpu(), &store, &layers, IMAGE, 1, NormStatistics::Role).unwrap(), tensors)
    }

    #[test]
    fn test_time_training_lowers_the_loss_and_leaves_the_network_as_it_was() {
        let (generator, tensors) = generator();
        let x = picture(1);
        let loss = |steps| {
            let y = AdaptiveGenerator::blocking_new(&generator, steps).unwrap().blocking_apply(&x).unwrap();
            y.iter().zip(&x).map(|(y, x)| (y - x).powi(2)).sum::<f32>() / 64.0
        };
        let losses = [0, 5, 50].map(loss);
        assert!(losses[1] < losses[0] && losses[2] < 0.9 * losses[0], "{losses:?}");
        assert_eq!(gpu().wait(generator.store.read(gpu())).unwrap(), tensors);
    }

    #[test]
    fn the_statistics_are_those_of_the_picture_and_the_images_and_of_no_other_picture() {
        let (generator, tensors) = generator();
        let adaptive = AdaptiveGenerator::blocking_new(&generator, 3).unwrap();
        let [a, b] = [1, 2].map(picture);
        let together = adaptive.blocking_apply(&[a.clone(), b.clone(), a.clone()].concat()).unwrap();
        assert_eq!(together[..64], together[128..]);
        assert_ne!(together[..64], together[64..128]);
        assert_eq!(together[64..128], adaptive.blocking_apply(&b).unwrap());
        // The averages of images are 0 and 1; their weight is 0.9⁶.
        let store = gpu().wait(adaptive.store.read(gpu())).unwrap();
        let [_, first] = ["running_mean", "running_var"].map(|what| {
            let (name, values) =
                store.iter().find(|(name, _)| name.starts_with(PREFIX) && name.ends_with(what)).unwrap();
            assert_ne!(*values, tensors[&name.replace(PREFIX, "image.")], "{name}");
            values.clone()
        });
        assert!(first.iter().all(|variance| *variance > 0.53), "{first:?}");
    }

    #[test]
    fn copies_are_shifted_pictures() {
        let x: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let batch = copies(&x, IMAGE, 0);
        assert_eq!(batch.len(), 64 * AdaptiveGenerator::COPIES);
        let distance = |a: usize, b: usize| a.abs_diff(b).min(8 - a.abs_diff(b));
        for copy in batch.chunks_exact(64) {
            let origin = copy[0] as usize;
            assert!(distance(origin / 8, 0) <= 3 && distance(origin % 8, 0) <= 3, "{origin}");
            let mut sorted = copy.to_vec();
            sorted.sort_by(f32::total_cmp);
            assert_eq!(sorted, x);
        }
        assert_ne!(batch[..64], batch[64..128]);
        assert_eq!(batch, copies(&x, IMAGE, 0));
    }

    #[test]
    fn too_many_steps_and_parts_of_pictures_are_refused() {
        let (generator, _) = generator();
        let error = AdaptiveGenerator::blocking_new(&generator, 1001).err().unwrap().to_string();
        assert_eq!(error, "adapt is 1001, and must be from 0 to 1000");
        let adaptive = AdaptiveGenerator::blocking_new(&generator, 0).unwrap();
        let error = adaptive.blocking_apply(&[0.5; 65]).unwrap_err().to_string();
        assert!(error.contains("65 numbers are not whole images"), "{error}");
    }
}
