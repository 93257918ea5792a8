//! A network of the plane that is idempotent by construction.

use super::coupling::Flow;
use super::{APPLIED, Data, points};
use crate::compile::{Compiled, blocking_compile};
use crate::descent::{Descent, Recorded, Task};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::model::Noise;
use crate::nn::Adam;
use crate::random::Stream;
use crate::tape::{self, Tape, Var};

/// The settings of the training of an [`Exact`].
#[derive(Clone, Debug, PartialEq)]
pub struct ExactConfig {
    /// The data.
    pub data: Data,
    /// Number of coupling layers of g, 1 to 64.
    pub layers: usize,
    /// Number of hidden units in each of the two networks of a layer, 1 to 1024.
    pub width: usize,
    /// Number of points per batch, 1 to 65536.
    pub batch: usize,
    /// Number of steps in which the learning rate falls linearly to a tenth, at least 1. It then stays.
    pub steps: u64,
    /// Learning rate of Adam at the first step, 0 to 1.
    pub learning_rate: f64,
    /// Seed of the initial weights, the data and the noise.
    pub seed: u64,
}

impl ExactConfig {
    fn check(&self) -> Result<(), Error> {
        for (name, value, greatest) in
            [("layers", self.layers, 64.0), ("width", self.width, 1024.0), ("batch", self.batch, 65_536.0)]
        {
            Error::check_range(name, value as f64, 1.0..=greatest)?;
        }
        Error::check_least("steps", self.steps, 1, "")?;
        Error::check_range("learning_rate", self.learning_rate, 0.0..=1.0)?;
        self.data.check()
    }

    fn flow(&self) -> Flow {
        Flow { layers: self.layers, width: self.width }
    }
}

/// An idempotent map of the plane, and its training:
///
/// f = g⁻¹∘A∘g, with g invertible and A = diag(1, 0)
///
/// A∘A = A, and g∘g⁻¹ cancels, so that f∘f = f whatever the weights are. Every f(x) lies on the curve g⁻¹(a, 0), and the
/// curve is the set of all fixed points. g consists of affine coupling layers (RealNVP, Dinh et al. 2016).
///
/// The loss is the negative log-likelihood of the data with g(x) ~ N(0, diag(1, σ²)), σ = 0.05, plus 10 times the mean
/// squared error of f(x) and x:
///
/// L = mean(½·g₁² + ½·g₂²/σ² − ln |det ∂g/∂x|) + 10·D(f(x), x)
///
/// The likelihood lays the curve along the data, with as much of the line a ~ N(0, 1) on each part as there are data. Noise
/// is drawn in the coordinates of g: z = g⁻¹(ζ), ζ ~ N(0, I). So f(z) = g⁻¹(ζ₁, 0) has the distribution of the data along
/// the curve.
pub struct Exact {
    descent: Descent<Likelihood>,
    f: Compiled,
    inverse: Compiled,
}

/// σ, the deviation of the second coordinate.
const DEVIATION: f32 = 0.05;
/// The weight of the reconstruction loss.
const RECONSTRUCTION: f32 = 10.0;
/// The greatest norm of the gradients.
const CLIP: f32 = 10.0;
/// The learning rate at the end, relative to the first.
const END: f64 = 0.1;

impl Exact {
    /// A new training.
    ///
    /// # Errors
    /// If a setting is out of range, there are no data, or the adapter fails.
    pub fn new(gpu: &Gpu, config: ExactConfig) -> Result<Self, Error> {
        config.check()?;
        let (flow, initial) = (config.flow(), config.flow().initialise(config.seed));
        let descent = Descent::blocking_new(gpu, Likelihood(config), &initial, 0)?;
        let compiled = |record: &dyn for<'t> Fn([Var<'t>; 2]) -> [Var<'t>; 2]| {
            let tape = Tape::new();
            let y = join(record(split(tape.input("x", [2, APPLIED]))));
            blocking_compile(gpu, descent.store(), &tape, &[("y", y)])
        };
        let f = compiled(&|x| project(&flow, flow.forward(x).0))?;
        let inverse = compiled(&|y| flow.inverse(y))?;
        Ok(Self { descent, f, inverse })
    }

    /// The settings.
    pub fn config(&self) -> &ExactConfig {
        &self.descent.task().0
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.descent.step()
    }

    /// Submits one step. Does not wait for the adapter to finish.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.descent.blocking_advance()
    }

    /// The losses of the last step: the negative log-likelihood `nll`, and D(f(x), x), `rec`.
    ///
    /// # Errors
    /// If a loss is not finite, or the adapter fails.
    pub fn losses(&self) -> Result<Vec<(&'static str, f32)>, Error> {
        self.descent.blocking_losses()
    }

    /// Draws `count` points of the data for a picture, the same at each call.
    pub fn data(&self, count: usize) -> Vec<[f32; 2]> {
        self.config().data.draw(self.config().seed, Stream::Preview, 0, count)
    }

    /// Draws `count` points of noise z = g⁻¹(ζ) for a picture, with the same ζ ~ N(0, I) at each call.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn noise(&self, count: usize) -> Result<Vec<[f32; 2]>, Error> {
        map(&self.inverse, &points(&Noise::Gaussian.draw(self.config().seed, Stream::Preview, 1, 2 * count)))
    }

    /// f(x) for each of the `points`.
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn apply(&self, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
        map(&self.f, points)
    }
}

/// Applies a program of [`APPLIED`] points to any number of them.
fn map(program: &Compiled, points: &[[f32; 2]]) -> Result<Vec<[f32; 2]>, Error> {
    let mut images = Vec::with_capacity(points.len());
    for part in points.chunks(APPLIED) {
        program.write("x", &columns(part, APPLIED))?;
        program.run()?;
        let y = program.blocking_read(&["y"])?.concat();
        images.extend((0..part.len()).map(|i| [y[i], y[APPLIED + i]]));
    }
    Ok(images)
}

/// All first coordinates, then all second ones, filled up with zeros to `count` points.
fn columns(points: &[[f32; 2]], count: usize) -> Vec<f32> {
    let mut columns = vec![0.0; 2 * count];
    for (i, [x, y]) in points.iter().enumerate() {
        (columns[i], columns[count + i]) = (*x, *y);
    }
    columns
}

/// The coordinates `[N, 1]` of points `[2, N]`.
#[track_caller]
fn split(x: Var<'_>) -> [Var<'_>; 2] {
    let count = x.shape().per_sample();
    [x.slice(0, 1).reshape([count, 1]), x.slice(1, 1).reshape([count, 1])]
}

/// The points `[2, N]` with these coordinates `[N, 1]`.
#[track_caller]
fn join<'t>([x, y]: [Var<'t>; 2]) -> Var<'t> {
    let count = x.shape().batch();
    x.tape().concat(&[x.reshape([1, count]), y.reshape([1, count])])
}

/// f(x) = g⁻¹(A·g(x)), for the coordinates g(x).
#[track_caller]
fn project<'t>(flow: &Flow, [a, _]: [Var<'t>; 2]) -> [Var<'t>; 2] {
    flow.inverse([a, a.tape().constant(0.0, a.shape())])
}

/// The training task.
struct Likelihood(ExactConfig);

impl Task for Likelihood {
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
        let flow = self.0.flow();
        let x = tape.input("x", [2, self.0.batch]);
        let (g, volume) = flow.forward(split(x));
        let [a, b] = g;
        let rec = join(project(&flow, g)).mse(x);
        let square = tape.linear_combination(&[(0.5, a * a), (0.5 / DEVIATION.powi(2), b * b), (-1.0, volume)]);
        let nll = square.mean();
        let parameters: Vec<_> = flow.networks().flat_map(|network| network.on(tape)).collect();
        let gradients = tape.gradient(nll + RECONSTRUCTION * rec, &parameters)?;
        Ok(Recorded { losses: vec![("nll", nll), ("rec", rec)], parameters, gradients })
    }

    fn clip(&self) -> Option<f32> {
        Some(CLIP)
    }

    fn adam(&self) -> Adam {
        Adam { learning_rate: self.0.learning_rate, ..Adam::default() }
    }

    fn learning_rate(&self, done: u64) -> f64 {
        let share = done.min(self.0.steps) as f64 / self.0.steps as f64;
        self.0.learning_rate * (1.0 - (1.0 - END) * share)
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let ExactConfig { data, batch, seed, .. } = &self.0;
        vec![("x", columns(&data.draw(*seed, Stream::Order, done, *batch), *batch))]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{grid, mean_nearest_distance};
    use super::*;
    use crate::testing::gpu;

    fn config() -> ExactConfig {
        ExactConfig { data: Data::Moons, layers: 6, width: 32, batch: 128, steps: 300, learning_rate: 5e-3, seed: 1 }
    }

    /// The greatest |f(f(x)) − f(x)|, and the mean |f(x) − x|.
    fn moved(exact: &Exact) -> (f32, f32) {
        let x = grid(20, 1.0);
        let y = exact.apply(&x).unwrap();
        let each = |a: &[[f32; 2]], b: &[[f32; 2]]| -> Vec<f32> {
            a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).collect()
        };
        let again = each(&exact.apply(&y).unwrap(), &y).into_iter().fold(0.0, f32::max);
        (again, each(&x, &y).iter().sum::<f32>() / 400.0)
    }

    #[test]
    fn f_is_idempotent_before_and_after_training_and_learns_the_data() {
        let mut exact = Exact::new(gpu(), config()).unwrap();
        let (again, first) = moved(&exact);
        assert!(again < 1e-6 && first > 0.1, "{again} {first}");
        let distances = |exact: &Exact| {
            let (x, y) = (exact.data(500), exact.apply(&exact.noise(500).unwrap()).unwrap());
            (mean_nearest_distance(&y, &x), mean_nearest_distance(&x, &y))
        };
        let before = distances(&exact);
        (0..300).for_each(|_| exact.advance().unwrap());
        assert_eq!((exact.step(), exact.losses().unwrap().len()), (300, 2));
        let (again, first) = moved(&exact);
        assert!(again < 1e-4 && first > 0.1, "{again} {first}");
        let after = distances(&exact);
        assert!(after.0 < 0.08 && after.0 < before.0 / 2.0, "{after:?}, before {before:?}");
        assert!(after.1 < 0.08 && after.1 < before.1 / 2.0, "{after:?}, before {before:?}");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let refused = |config| Exact::new(gpu(), config).err().unwrap().to_string();
        assert!(refused(ExactConfig { layers: 0, ..config() }).contains("layers is 0"));
        assert!(refused(ExactConfig { steps: 0, ..config() }).contains("steps is 0"));
        assert!(refused(ExactConfig { data: Data::Points(vec![]), ..config() }).contains("no point"));
    }
}
