use crate::error::Error;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// A degradation of images `[C, H, W]` with values in [-1, 1]. Degraded images lie outside the training distribution;
/// they test whether the network projects them back onto the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Degradation {
    /// Additive Gaussian noise of standard deviation σ: x + σ·N(0, I).
    Noise(f32),
    /// The mean over the channels, repeated in every channel.
    Greyscale,
    /// g(x + 1)/(blur(g(x + 1)) + 1e-10) − 1, with greyscale g and a 21×21 Gaussian blur of standard deviation 3.5.
    Sketch,
    /// A Gaussian blur of this standard deviation in pixels.
    Blur(f32),
    /// This number of black rectangles at random places, a quarter of the image high and wide.
    MissingPatches(usize),
    /// A counter-clockwise rotation by this angle in degrees.
    Rotation(f32),
    /// The maximum of each 3×3 neighbourhood (dilation).
    ThickStrokes,
    /// The minimum of each cross-shaped neighbourhood of 5 pixels (erosion).
    ThinStrokes,
    /// Pure black and white: 1 where x > 0, −1 elsewhere.
    Drawing,
}

impl Degradation {
    /// The degradations for images with this number of channels.
    pub fn all(channels: usize) -> Vec<Self> {
        let colour = [Self::Noise(0.15), Self::Noise(0.5), Self::Greyscale, Self::Sketch, Self::Blur(1.5)];
        let more = [Self::MissingPatches(2), Self::Rotation(20.0)];
        let strokes = [Self::ThickStrokes, Self::ThinStrokes, Self::Drawing];
        match channels {
            1 => [&colour[..2], &colour[3..], &more, &strokes].concat(),
            _ => [&colour[..], &more].concat(),
        }
    }

    /// One of [`all`](Self::all) for images with this number of channels, at most as strong: deviations are uniform between
    /// 0 and theirs, and angles between theirs to either side.
    pub fn random(channels: usize, rng: &mut impl Rng) -> Self {
        let all = Self::all(channels);
        match all[rng.random_range(0..all.len())] {
            Self::Noise(deviation) => Self::Noise(deviation * rng.random::<f32>()),
            Self::Blur(deviation) => Self::Blur(deviation * rng.random::<f32>()),
            Self::Rotation(degrees) => Self::Rotation(degrees * rng.random_range(-1.0..=1.0)),
            other => other,
        }
    }

    /// The display name.
    pub fn name(self) -> String {
        match self {
            Self::Noise(deviation) => format!("noise {deviation}"),
            Self::Greyscale => "greyscale".into(),
            Self::Sketch => "sketch".into(),
            Self::Blur(_) => "blur".into(),
            Self::MissingPatches(_) => "patches".into(),
            Self::Rotation(_) => "rotation".into(),
            Self::ThickStrokes => "thick".into(),
            Self::ThinStrokes => "thin".into(),
            Self::Drawing => "drawing".into(),
        }
    }

    /// Degrades consecutive images of shape `[C, H, W]`.
    ///
    /// # Errors
    /// If the last image is incomplete.
    pub fn apply(self, images: &[f32], shape: [usize; 3], rng: &mut impl Rng) -> Result<Vec<f32>, Error> {
        let elements = Error::check_images(images, shape)?;
        Ok(images.chunks_exact(elements).flat_map(|image| self.one(image, shape, rng)).collect())
    }

    /// Degrades one image.
    pub(crate) fn one(self, x: &[f32], shape: [usize; 3], rng: &mut impl Rng) -> Vec<f32> {
        let [c, h, w] = shape;
        let planes = |each: &dyn Fn(&[f32]) -> Vec<f32>| x.chunks_exact(h * w).flat_map(each).collect::<Vec<_>>();
        match self {
            Self::Noise(deviation) => x
                .iter()
                .map(|x| {
                    let z: f32 = StandardNormal.sample(rng);
                    x + deviation * z
                })
                .collect(),
            Self::Greyscale => grey(x, shape).repeat(c),
            Self::Sketch => {
                let raised: Vec<f32> = grey(x, shape).iter().map(|g| g + 1.0).collect();
                let blurred = blur(&raised, [h, w], 10, 3.5);
                let ratio = raised.iter().zip(&blurred).map(|(g, b)| g / (b + 1e-10) - 1.0);
                ratio.collect::<Vec<_>>().repeat(c)
            }
            Self::Blur(deviation) => {
                // Beyond the image, the edge pixels repeat.
                let radius = ((3.0 * deviation).ceil() as usize).min(h.max(w));
                planes(&|plane| blur(plane, [h, w], radius, deviation.max(1e-3)))
            }
            Self::MissingPatches(count) => {
                let (tall, wide) = (h.div_ceil(4), w.div_ceil(4));
                let corner = |_| (rng.random_range(0..=h - tall), rng.random_range(0..=w - wide));
                let corners: Vec<_> = (0..count).map(corner).collect();
                let missing =
                    |y, x| corners.iter().any(|&(t, l)| (t..t + tall).contains(&y) && (l..l + wide).contains(&x));
                let keep = |(i, &x): (usize, &f32)| if missing(i / w % h, i % w) { -1.0 } else { x };
                x.iter().enumerate().map(keep).collect()
            }
            Self::Rotation(degrees) => planes(&|plane| rotate(plane, [h, w], degrees)),
            Self::ThickStrokes => planes(&|plane| neighbourhood(plane, [h, w], |_, _| true, f32::max)),
            Self::ThinStrokes => planes(&|plane| neighbourhood(plane, [h, w], |y, x| y == 0 || x == 0, f32::min)),
            Self::Drawing => x.iter().map(|&x| if x > 0.0 { 1.0 } else { -1.0 }).collect(),
        }
    }
}

/// The mean over the channels, of shape `[H, W]`.
fn grey(x: &[f32], [c, h, w]: [usize; 3]) -> Vec<f32> {
    (0..h * w).map(|i| (0..c).map(|channel| x[channel * h * w + i]).sum::<f32>() / c as f32).collect()
}

/// A Gaussian blur over `radius` pixels each way, with edge pixels repeated beyond the edge.
fn blur(plane: &[f32], [h, w]: [usize; 2], radius: usize, deviation: f32) -> Vec<f32> {
    let weights: Vec<f32> =
        (0..=2 * radius).map(|i| (-(i as f32 - radius as f32).powi(2) / (2.0 * deviation * deviation)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let along = |source: &[f32], step: &dyn Fn(usize, usize, usize) -> usize| -> Vec<f32> {
        let sum = |y: usize, x: usize| {
            weights.iter().enumerate().map(|(i, weight)| weight * source[step(y, x, i)]).sum::<f32>() / total
        };
        (0..h * w).map(|i| sum(i / w, i % w)).collect()
    };
    let clamp = |at: usize, i: usize, size: usize| (at + i).saturating_sub(radius).min(size - 1);
    let rows = along(plane, &|y, x, i| y * w + clamp(x, i, w));
    along(&rows, &|y, x, i| clamp(y, i, h) * w + x)
}

/// Rotates about the centre with bilinear interpolation; pixels outside the image count as black.
fn rotate(plane: &[f32], [h, w]: [usize; 2], degrees: f32) -> Vec<f32> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle_y, middle_x) = ((h as f32 - 1.0) / 2.0, (w as f32 - 1.0) / 2.0);
    let at = |y: f32, x: f32| match (0.0..h as f32).contains(&y) && (0.0..w as f32).contains(&x) {
        true => plane[y as usize * w + x as usize],
        false => -1.0,
    };
    let value = |i: usize| {
        let (dy, dx) = ((i / w) as f32 - middle_y, (i % w) as f32 - middle_x);
        let (y, x) = (middle_y + cos * dy + sin * dx, middle_x - sin * dy + cos * dx);
        let (top, left) = (y.floor(), x.floor());
        let (fy, fx) = (y - top, x - left);
        let row = |y: f32| (1.0 - fx) * at(y, left) + fx * at(y, left + 1.0);
        (1.0 - fy) * row(top) + fy * row(top + 1.0)
    };
    (0..h * w).map(value).collect()
}

/// Combines each pixel with its neighbours at the `included` offsets.
fn neighbourhood(
    plane: &[f32],
    [h, w]: [usize; 2],
    included: impl Fn(isize, isize) -> bool,
    combine: impl Fn(f32, f32) -> f32,
) -> Vec<f32> {
    let value = |i: usize| {
        let offsets = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dy, dx))).filter(|&(dy, dx)| included(dy, dx));
        let inside = offsets.filter_map(|(dy, dx): (isize, isize)| {
            let (y, x) = ((i / w).checked_add_signed(dy)?, (i % w).checked_add_signed(dx)?);
            (y < h && x < w).then(|| plane[y * w + x])
        });
        inside.fold(plane[i], &combine)
    };
    (0..h * w).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn apply(degradation: Degradation, x: &[f32], shape: [usize; 3]) -> Vec<f32> {
        degradation.apply(x, shape, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    /// A 5×5 image with one bright pixel in the centre.
    fn point() -> Vec<f32> {
        (0..25).map(|i| if i == 12 { 1.0 } else { -1.0 }).collect()
    }

    #[test]
    fn every_one_keeps_the_shape_and_is_reproducible() {
        for channels in [1, 3] {
            let shape = [channels, 12, 8];
            let x: Vec<f32> = (0..2 * channels * 96).map(|i| ((i * 37) % 100) as f32 / 50.0 - 1.0).collect();
            for degradation in Degradation::all(channels) {
                let y = apply(degradation, &x, shape);
                assert_eq!(y.len(), x.len(), "{degradation:?}");
                assert!(y.iter().all(|v| v.is_finite()) && y != x, "{degradation:?}");
                assert_eq!(y, apply(degradation, &x, shape), "{degradation:?}");
            }
        }
    }

    #[test]
    fn an_image_that_is_not_complete_is_refused() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let error = Degradation::Drawing.apply(&[0.5; 5], [1, 2, 2], &mut rng).unwrap_err().to_string();
        assert!(error.contains("5 numbers are not whole images"), "{error}");
    }

    #[test]
    fn noise_has_its_deviation() {
        let y = apply(Degradation::Noise(0.15), &[0.25; 10_000], [1, 100, 100]);
        let variance = y.iter().map(|y| (y - 0.25).powi(2)).sum::<f32>() / 1e4;
        assert!((variance.sqrt() - 0.15).abs() < 0.005, "{variance}");
    }

    #[test]
    fn greyscale_is_the_mean_of_the_channels() {
        assert_eq!(apply(Degradation::Greyscale, &[1.0, 0.5, 0.0], [3, 1, 1]), [0.5; 3]);
    }

    #[test]
    fn a_flat_image_has_an_empty_sketch_and_no_blur() {
        let flat = [0.4; 64];
        let close = |y: Vec<f32>, value: f32| y.iter().all(|y| (y - value).abs() < 1e-5);
        assert!(close(apply(Degradation::Sketch, &flat, [1, 8, 8]), 0.0));
        assert!(close(apply(Degradation::Blur(1.5), &flat, [1, 8, 8]), 0.4));
    }

    #[test]
    fn strokes_grow_and_shrink() {
        let thick = apply(Degradation::ThickStrokes, &point(), [1, 5, 5]);
        assert_eq!(thick.iter().filter(|&&x| x == 1.0).count(), 9);
        let thin = apply(Degradation::ThinStrokes, &thick, [1, 5, 5]);
        assert_eq!(thin, point());
        assert_eq!(apply(Degradation::Drawing, &[-0.2, 0.2], [1, 1, 2]), [-1.0, 1.0]);
    }

    #[test]
    fn a_quarter_turn_moves_right_to_top() {
        let mut x = vec![-1.0; 25];
        x[14] = 1.0;
        let y = apply(Degradation::Rotation(90.0), &x, [1, 5, 5]);
        assert!((y[2] - 1.0).abs() < 1e-5 && y[14] < -0.99, "{y:?}");
    }

    #[test]
    fn patches_are_black_in_all_channels() {
        let y = apply(Degradation::MissingPatches(1), &[0.5; 2 * 64], [2, 8, 8]);
        assert_eq!(y.iter().filter(|&&x| x == -1.0).count(), 2 * 4);
        assert_eq!(y[..64], y[64..]);
    }
}
