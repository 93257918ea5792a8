use super::SAMPLES;
use super::gaussian::Gaussian;
use super::training::encode;
use crate::compile::{Compiled, blocking_compile};
use crate::data::Images;
use crate::error::Error;
use crate::gpu::{Gpu, Store};
use crate::method::Role;
use crate::model::{Checkpoint, Generator, Noise, NormStatistics};
use crate::nn::{Mode, Sequential};
use crate::random::Stream;
use crate::tape::Tape;

/// A sampler without training: the decoder of an Idempotent Generative Network f = g∘e on a normal distribution of low rank.
///
/// The encoder e ends, and the decoder g begins, before the first transposed convolution. The distribution has the mean of
/// the codes e(x) of all given images, and the covariance Σ of their `rank` principal components with the greatest variances;
/// there is no variance along the others. An image is g(c) for a code c from this distribution. Batch norm uses the running
/// averages of images in both parts.
pub struct LowRank {
    decoder: Compiled,
    dimensions: usize,
    gaussian: Gaussian,
    share: f64,
    rank: usize,
    f: Generator,
}

impl LowRank {
    /// Encodes `images` with the network of `checkpoint` and fits the distribution.
    ///
    /// # Errors
    /// If the network has classes or other images, `rank` is not between 1 and the number of codes per image, a tensor is
    /// missing, or the adapter fails.
    pub fn new(gpu: &Gpu, checkpoint: &Checkpoint, images: &Images, rank: usize) -> Result<Self, Error> {
        let whole = checkpoint.layers();
        let [c, h, w] = checkpoint.config.network.image();
        if whole.classes().is_some() {
            return Err(Error::Unsuited("the sampler of low rank needs a network without classes".into()));
        }
        if images.shape != [c, h, w] || images.is_empty() {
            let found = format!("there are {} of shape {:?}", images.len(), images.shape);
            return Err(Error::Unsuited(format!(
                "the network needs at least one {c}×{h}×{w} image to encode; {found}"
            )));
        }
        let [encoder, decoder] = split(&whole)?;
        let mut store = Store::new();
        gpu.wait(store.set_all(gpu, &checkpoint.tensors))?;
        for (from, to) in renamed(&whole, &decoder) {
            let contents = checkpoint.tensors.get(&from);
            let contents = contents.ok_or_else(|| Error::Unsuited(format!("the checkpoint has no tensor `{from}`")))?;
            store.blocking_set(gpu, &to, contents)?;
        }

        let tape = Tape::new();
        let codes = encoder.apply(tape.input("x", [SAMPLES, c, h, w]), Mode::Running(prefix()));
        let shape = codes.shape();
        let dimensions = shape.per_sample();
        Error::check_range("rank", rank as f64, 1.0..=dimensions as f64)?;
        let codes = encode(&blocking_compile(gpu, &store, &tape, &[("codes", codes)])?, images)?;
        if let Some(code) = codes.iter().find(|code| !code.is_finite()) {
            return Err(Error::Unsuited(format!("the network encodes an image to {code}: it is not finite")));
        }
        let whole_covariance = Gaussian::fit(&codes, dimensions);
        let gaussian = whole_covariance.low_rank(rank);
        let all = whole_covariance.variance();
        let share = if all > 0.0 { gaussian.variance() / all } else { 1.0 };

        let tape = Tape::new();
        let y = decoder.apply(tape.input("z", shape), Mode::Running(prefix()));
        let decoder = blocking_compile(gpu, &store, &tape, &[("y", y)])?;
        let f = Generator::blocking_load(gpu, checkpoint, SAMPLES, NormStatistics::Role)?;
        Ok(Self { decoder, dimensions, gaussian, share, rank, f })
    }

    /// The number of principal components.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The share of the codes' variance that the principal components have, 0 to 1; 1 if the codes do not vary.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Generates `count` images g(c), determined by `seed`, and f(g(c)).
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn sample(&self, seed: u64, count: usize) -> Result<[Vec<f32>; 2], Error> {
        let normals = Noise::Gaussian.draw(seed, Stream::Evaluation, 0, count * self.rank);
        let codes = self.gaussian.transform(&normals);
        let images = self.decoder.blocking_run_batched("z", &codes, [SAMPLES, self.dimensions], &["y"])?.concat();
        let again = self.f.blocking_apply(Role::Sample, &images)?;
        Ok([images, again])
    }
}

/// Encoder and decoder of a network, which have different names: the layers of the decoder are counted from 0.
fn split(whole: &Sequential) -> Result<[Sequential; 2], Error> {
    let unsuited = || Error::Unsuited("the network has no transposed convolution".into());
    let (first, _) = whole.bottleneck().ok_or_else(unsuited)?;
    let (encoder, decoder) = whole.layers.split_at(first);
    Ok([
        Sequential { layers: encoder.to_vec(), name: whole.name.clone() },
        Sequential { layers: decoder.to_vec(), name: format!("{}decoder.", whole.name) },
    ])
}

/// Name of each tensor of the decoder in the whole network, and in the decoder.
fn renamed(whole: &Sequential, decoder: &Sequential) -> Vec<(String, String)> {
    let names = |network: &Sequential| {
        let mut parameters: Vec<_> = network.tensors(&[prefix()]).into_iter().map(|(name, _)| name).collect();
        let averages = parameters.split_off(network.parameters().len());
        [parameters, averages]
    };
    // The decoder's are the last ones of each list.
    let last = |(mut whole, decoder): (Vec<String>, Vec<String>)| {
        whole.split_off(whole.len() - decoder.len()).into_iter().zip(decoder)
    };
    names(whole).into_iter().zip(names(decoder)).flat_map(last).collect()
}

/// The prefix of the running averages of images.
fn prefix() -> &'static str {
    Role::Image.prefix()
}

#[cfg(test)]
mod tests {
    use super::super::training::tests::squares;
    use super::*;
    use crate::method::PREFIXES;
    use crate::model::{Config, Preset};
    use crate::testing::gpu;

    /// An untrained network with large weights, and with biases and running averages that differ from layer to layer.
    fn checkpoint() -> Checkpoint {
        let config = Config { width: 2, ..Preset::Mnist.config() };
        let mut tensors = config.layers().initialise(1, &PREFIXES);
        for (i, (name, contents)) in tensors.iter_mut().enumerate() {
            let more = 0.03 * (i % 7) as f32;
            let changed = |x: f32| if name.ends_with("weight") && x.abs() < 0.5 { 15.0 * x } else { x + more };
            contents.iter_mut().for_each(|x| *x = changed(*x));
        }
        Checkpoint { config, step: 0, tensors }
    }

    fn differ(a: &[f32], b: &[f32]) -> bool {
        a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-3)
    }

    /// With codes of one image there is no variance, and the decoder gives f of this image.
    #[test]
    fn encoder_and_decoder_are_the_whole_network() {
        let (checkpoint, mut images) = (checkpoint(), squares());
        images.pixels.truncate(images.elements());
        let sampler = LowRank::new(gpu(), &checkpoint, &images, 3).unwrap();
        let f = Generator::blocking_load(gpu(), &checkpoint, 1, NormStatistics::Role).unwrap();
        let expected = f.blocking_apply(Role::Image, &images.gather(0..1)).unwrap();
        assert!(differ(&expected, &[expected[0]; 784]), "the network says nothing");
        assert_eq!((sampler.rank(), sampler.share()), (3, 1.0));
        let [found, again] = sampler.sample(1, 2).unwrap();
        assert_eq!(found.len(), 2 * 784);
        for image in found.chunks(784) {
            assert!(image.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-5));
        }
        assert!(again == f.blocking_apply(Role::Sample, &found).unwrap());
    }

    #[test]
    fn samples_vary_with_seed_and_rank() {
        let sampler = |rank| LowRank::new(gpu(), &checkpoint(), &squares(), rank).unwrap();
        let [one, all] = [sampler(1), sampler(8)];
        assert!(one.share() > 0.0 && one.share() < 1.0 && (all.share() - 1.0).abs() < 1e-6);
        let of = |sampler: &LowRank, seed| sampler.sample(seed, 3).unwrap().concat();
        assert!(of(&all, 1) == of(&all, 1));
        assert!(differ(&of(&all, 1), &of(&all, 2)));
        assert!(differ(&of(&all, 1), &of(&one, 1)));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |images, rank| LowRank::new(gpu(), &checkpoint(), &images, rank).err().unwrap().to_string();
        assert!(refused(squares(), 0).contains("rank is 0"));
        assert!(refused(squares(), 9).contains("rank is 9, and must be from 1 to 8"));
        assert!(refused(Images { shape: [1, 14, 56], ..squares() }, 1).contains("1×28×28"));
        let config = Config { classes: 10, ..checkpoint().config };
        let classes = LowRank::new(gpu(), &Checkpoint { config, ..checkpoint() }, &squares(), 1);
        assert!(classes.err().unwrap().to_string().contains("without classes"));
    }
}
