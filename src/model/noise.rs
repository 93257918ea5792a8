use crate::error::Error;
use crate::random::{Stream, stream};
use rand_distr::{Distribution, StandardNormal};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftDirection};
use std::sync::Arc;

/// The distribution of the noise z.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// Independent standard normals.
    Gaussian,
    /// Real part of the inverse Fourier transform of independent normals with the data's mean and standard deviation
    /// per frequency.
    Frequency(FrequencyStatistics),
}

/// Mean and standard deviation of the data's 2-D Fourier transform per channel and frequency, separately for real and
/// imaginary part.
#[derive(Clone, Debug, PartialEq)]
pub struct FrequencyStatistics {
    shape: [usize; 3],
    mean: Vec<Complex32>,
    deviation: Vec<Complex32>,
}

impl Noise {
    /// Draws `elements` numbers, as consecutive images, from the random stream given by `seed`, `kind` and `counter`.
    pub fn draw(&self, seed: u64, kind: Stream, counter: u64, elements: usize) -> Vec<f32> {
        let mut rng = stream(seed, kind, counter);
        let mut normal = move || -> f32 { StandardNormal.sample(&mut rng) };
        match self {
            Self::Gaussian => (0..elements).map(|_| normal()).collect(),
            Self::Frequency(statistics) => {
                let FrequencyStatistics { shape, mean, deviation } = statistics;
                let transform = Transform::new(*shape, true);
                let images = elements.div_ceil(mean.len());
                let image = |_| {
                    let spectrum = mean
                        .iter()
                        .zip(deviation)
                        .map(|(m, d)| Complex32::new(m.re + d.re * normal(), m.im + d.im * normal()));
                    transform.apply(spectrum.collect())
                };
                let scale = 1.0 / (shape[1] * shape[2]) as f32;
                (0..images).flat_map(image).map(|value| value.re * scale).take(elements).collect()
            }
        }
    }
}

impl FrequencyStatistics {
    /// The statistics of consecutive `images` of shape `[C, H, W]`.
    ///
    /// # Errors
    /// If there is no image, or the last image is incomplete.
    pub fn of(images: &[f32], shape: [usize; 3]) -> Result<Self, Error> {
        let elements = Error::check_images(images, shape)?;
        if images.is_empty() {
            return Err(Error::Unsuited("frequency statistics need at least one image".into()));
        }
        let transform = Transform::new(shape, false);
        let zero = Complex32::default();
        let (mut sum, mut squares) = (vec![zero; elements], vec![zero; elements]);
        let count = (images.len() / elements) as f32;
        for image in images.chunks_exact(elements) {
            let spectrum = transform.apply(image.iter().map(|&x| Complex32::new(x, 0.0)).collect());
            for ((sum, squares), value) in sum.iter_mut().zip(&mut squares).zip(spectrum) {
                *sum += value / count;
                *squares += Complex32::new(value.re * value.re, value.im * value.im) / count;
            }
        }
        let deviation = |(mean, square): (&Complex32, &Complex32)| {
            let of = |mean: f32, square: f32| (square - mean * mean).max(0.0).sqrt();
            Complex32::new(of(mean.re, square.re), of(mean.im, square.im))
        };
        let deviation = sum.iter().zip(&squares).map(deviation).collect();
        Ok(Self { shape, mean: sum, deviation })
    }

    /// Length of the flat form of the statistics of images `[C, H, W]`: 4·C·H·W.
    pub fn numbers(shape: [usize; 3]) -> usize {
        4 * shape.iter().product::<usize>()
    }

    /// The flat form: means, then standard deviations, with interleaved real and imaginary parts.
    pub fn to_flat(&self) -> Vec<f32> {
        self.mean.iter().chain(&self.deviation).flat_map(|c| [c.re, c.im]).collect()
    }

    /// The statistics from their flat form; nothing if its length does not fit `shape`.
    pub fn from_flat(flat: &[f32], shape: [usize; 3]) -> Option<Self> {
        if flat.is_empty() || flat.len() != Self::numbers(shape) {
            return None;
        }
        let elements: usize = shape.iter().product();
        let complex: Vec<_> = flat.chunks_exact(2).map(|c| Complex32::new(c[0], c[1])).collect();
        let (mean, deviation) = complex.split_at(elements);
        Some(Self { shape, mean: mean.to_vec(), deviation: deviation.to_vec() })
    }
}

/// A transform of `n` numbers.
#[cfg(not(target_arch = "wasm32"))]
fn plan(n: usize, direction: FftDirection) -> Arc<dyn Fft<f32>> {
    rustfft::FftPlanner::new().plan_fft(n, direction)
}

/// A transform of `n` numbers, by the definition: for the short rows of images its n² steps are quick enough, and all fast
/// transforms together would make a tenth of what a page loads.
#[cfg(target_arch = "wasm32")]
fn plan(n: usize, direction: FftDirection) -> Arc<dyn Fft<f32>> {
    Arc::new(rustfft::algorithm::Dft::new(n, direction))
}

/// The unnormalised 2-D Fourier transform per channel.
struct Transform {
    shape: [usize; 3],
    rows: Arc<dyn Fft<f32>>,
    columns: Arc<dyn Fft<f32>>,
}

impl Transform {
    fn new(shape: [usize; 3], inverse: bool) -> Self {
        let direction = if inverse { FftDirection::Inverse } else { FftDirection::Forward };
        Self { shape, rows: plan(shape[2], direction), columns: plan(shape[1], direction) }
    }

    fn apply(&self, mut values: Vec<Complex32>) -> Vec<Complex32> {
        let [_, height, width] = self.shape;
        self.rows.process(&mut values);
        let mut column = vec![Complex32::default(); height];
        for plane in values.chunks_exact_mut(height * width) {
            for x in 0..width {
                (0..height).for_each(|y| column[y] = plane[y * width + x]);
                self.columns.process(&mut column);
                (0..height).for_each(|y| plane[y * width + x] = column[y]);
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussian_noise_is_standard_and_reproducible() {
        let draw = |step| Noise::Gaussian.draw(3, Stream::Noise, step, 100_000);
        let z = draw(0);
        let mean = z.iter().sum::<f32>() / 1e5;
        let variance = z.iter().map(|x| x * x).sum::<f32>() / 1e5 - mean * mean;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        assert_eq!(z, draw(0));
        assert_ne!(z, draw(1));
    }

    /// Images with a bright upper half and independent pixel noise.
    fn images(count: usize, shape: [usize; 3]) -> Vec<f32> {
        let elements: usize = shape.iter().product();
        let own = Noise::Gaussian.draw(1, Stream::Noise, 0, count * elements);
        let pattern = |i: usize| if i % (shape[1] * shape[2]) < shape[1] * shape[2] / 2 { 0.8 } else { -0.3 };
        own.iter().enumerate().map(|(i, z)| pattern(i % elements) + 0.2 * z).collect()
    }

    #[test]
    fn frequency_noise_has_the_statistics_of_the_data() {
        let shape = [2, 6, 5];
        let data = images(4000, shape);
        let statistics = FrequencyStatistics::of(&data, shape).unwrap();
        let noise = Noise::Frequency(statistics.clone());
        let drawn = noise.draw(9, Stream::Noise, 4, data.len());
        assert_eq!(drawn.len(), data.len());
        // The noise has the mean image of the data. The real part of the inverse transform keeps only the Hermitian
        // part of the spectrum, and so half of the variance.
        let mean = |images: &[f32], i: usize| images.iter().skip(i).step_by(60).sum::<f32>() / 4000.0;
        for i in 0..60 {
            assert!((mean(&data, i) - mean(&drawn, i)).abs() < 0.03, "pixel {i}");
        }
        let variance = |images: &[f32]| {
            let squares = images.iter().enumerate().map(|(i, x)| (x - mean(&data, i % 60)).powi(2));
            squares.sum::<f32>() / images.len() as f32
        };
        let (found, expected) = (variance(&drawn), variance(&data));
        assert!((0.4..1.1).contains(&(found / expected)), "{found} of {expected}");
    }

    #[test]
    fn statistics_survive_as_plain_numbers() {
        let shape = [1, 4, 3];
        let statistics = FrequencyStatistics::of(&images(10, shape), shape).unwrap();
        let flat = statistics.to_flat();
        assert_eq!(FrequencyStatistics::from_flat(&flat, shape), Some(statistics));
        assert_eq!(FrequencyStatistics::from_flat(&flat[1..], shape), None);
    }

    #[test]
    fn what_is_no_image_has_no_statistics() {
        for numbers in [0, 11] {
            let error = FrequencyStatistics::of(&vec![0.5; numbers], [1, 2, 3]).unwrap_err().to_string();
            let expected = if numbers == 0 { "at least one image" } else { "not whole images of shape [1, 2, 3]" };
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn as_many_numbers_are_drawn_as_are_asked_for() {
        let shape = [1, 4, 3];
        let noise = Noise::Frequency(FrequencyStatistics::of(&images(10, shape), shape).unwrap());
        let drawn = |elements| noise.draw(9, Stream::Noise, 4, elements);
        assert_eq!(drawn(17), drawn(24)[..17]);
    }
}
