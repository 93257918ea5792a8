//! What the peers in Rust share: the layers of the network, the check against a trace, the timing and the report.

use clap::Parser;
use safetensors::SafeTensors;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// The terms of the loss.
const TERMS: [&str; 3] = ["rec", "idem", "tight"];
/// Their weights. The time of a step does not depend on them.
pub const WEIGHTS: [f64; 3] = [1.0, 1.0, 0.1];
/// The learning rate, β₁, β₂ and ε of Adam.
pub const ADAM: [f64; 4] = [1e-4, 0.5, 0.999, 1e-8];
/// The first steps tune kernels and allocate.
const WARM_UP: u32 = 5;

/// A step of training in some library.
pub trait Peer: Sized {
    /// The network with the parameters `before.…` of a trace, and its inputs `x` and `z`.
    fn new(trace: &Trace) -> Result<Self, Box<dyn Error>>;

    /// The name of the device.
    fn device(&self) -> String;

    /// The losses of reconstruction and idempotence, and the gradients of the three terms by parameter.
    fn values(&self, distance: Distance) -> Result<Values, Box<dyn Error>>;

    /// One step of training. Returns when the device has finished.
    fn step(self, distance: Distance) -> Result<Self, Box<dyn Error>>;
}

/// The elements of tensors by name.
pub type Tensors = BTreeMap<String, Vec<f32>>;

/// Losses and gradients.
pub type Values = ([f32; 2], [Tensors; 3]);

/// The distance between images: their mean squared or absolute difference.
#[derive(Clone, Copy)]
pub enum Distance {
    Mse,
    L1,
}

/// A layer, with the names and arguments of PyTorch.
#[derive(Clone, Copy)]
pub enum Layer {
    Conv2d { channels: [usize; 2], kernel: usize, stride: usize, padding: usize },
    ConvTranspose2d { channels: [usize; 2], kernel: usize, stride: usize, padding: usize },
    BatchNorm2d { channels: usize },
    LeakyRelu,
    Relu,
    Tanh,
}

/// The slope of the leaky ReLUs below zero.
pub const SLOPE: f64 = 0.2;

/// Shapes and values of the tensors of a trace.
pub struct Trace(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

impl Trace {
    fn read(path: &PathBuf) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path)?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in SafeTensors::deserialize(&bytes)?.tensors() {
            let values = tensor.data().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
            tensors.insert(name, (tensor.shape().to_vec(), values));
        }
        Ok(Self(tensors))
    }

    /// The shape and values of a tensor, which must exist.
    pub fn get(&self, name: &str) -> (&[usize], &[f32]) {
        let (shape, values) = self.0.get(name).unwrap_or_else(|| panic!("the trace has no {name}"));
        (shape, values)
    }

    /// The rest of the name, and the values, of each tensor whose name starts so.
    fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [f32])> {
        self.0.iter().filter_map(move |(name, (_, values))| Some((name.strip_prefix(prefix)?, &values[..])))
    }

    fn width(&self) -> usize {
        self.get("before.0.weight").0[0]
    }

    /// The layers of the network that made this trace.
    pub fn layers(&self) -> Vec<Layer> {
        let w = self.width();
        match self.get("x").0[1..] {
            [1, 28, 28] => network([1, w, 2 * w, 4 * w].to_vec(), [4, 4, 3].to_vec()),
            _ => network([3, w, 2 * w, 4 * w, 8 * w].to_vec(), [4; 4].to_vec()),
        }
    }
}

/// Convolutions with stride 2 and one to a single pixel, then the same backwards with transposed ones.
fn network(mut channels: Vec<usize>, mut kernels: Vec<usize>) -> Vec<Layer> {
    let last = channels[channels.len() - 1];
    let mut layers = vec![];
    for (i, (ends, &kernel)) in channels.windows(2).zip(&kernels).enumerate() {
        layers.push(Layer::Conv2d { channels: [ends[0], ends[1]], kernel, stride: 2, padding: 1 });
        layers.extend((i > 0).then_some(Layer::BatchNorm2d { channels: ends[1] }));
        layers.push(Layer::LeakyRelu);
    }
    layers.push(Layer::Conv2d { channels: [last; 2], kernel: 4, stride: 1, padding: 0 });
    layers.push(Layer::ConvTranspose2d { channels: [last; 2], kernel: 4, stride: 1, padding: 0 });
    channels.reverse();
    kernels.reverse();
    for (ends, &kernel) in channels.windows(2).zip(&kernels) {
        layers.extend([Layer::BatchNorm2d { channels: ends[0] }, Layer::Relu]);
        layers.push(Layer::ConvTranspose2d { channels: [ends[0], ends[1]], kernel, stride: 2, padding: 1 });
    }
    layers.push(Layer::Tanh);
    layers
}

/// The norm of the difference of pairs of found and expected tensors, relative to that of the expected ones.
fn difference<'a>(pairs: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> f64 {
    let (mut of_difference, mut of_expected) = (0.0, 0.0);
    for (found, expected) in pairs {
        assert_eq!(found.len(), expected.len());
        for (&found, &expected) in found.iter().zip(expected) {
            of_difference += (f64::from(found) - f64::from(expected)).powi(2);
            of_expected += f64::from(expected).powi(2);
        }
    }
    // JSON has no NaN, and the maximum of a NaN and a number is the number.
    (of_difference / of_expected).sqrt().min(f64::MAX)
}

/// Compares a peer with a trace, times it and prints the result as a line of JSON.
#[derive(Parser)]
struct Arguments {
    /// File of `train --trace`.
    trace: PathBuf,
    /// Number of timed steps.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
}

/// The program of a peer.
pub fn run<P: Peer>(name: &str) -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let trace = Trace::read(&arguments.trace)?;
    let mut peer = P::new(&trace)?;

    // The distance of the trace is the one that gives its loss.
    let loss = |term: &str| trace.get(&format!("loss.{term}")).1;
    let (mse, l1) = (peer.values(Distance::Mse)?, peer.values(Distance::L1)?);
    let error = |(losses, _): &Values| (losses[0] - loss("rec")[0]).abs();
    let (distance, (losses, gradients)) =
        if error(&mse) < error(&l1) { (Distance::Mse, mse) } else { (Distance::L1, l1) };

    let by_loss = TERMS.iter().zip(&losses).map(|(term, found)| difference([(&[*found][..], loss(term))]));
    let by_term = TERMS.iter().zip(&gradients).map(|(term, of_term)| {
        difference(trace.with_prefix(&format!("grad.{term}.")).map(|(name, expected)| (&of_term[name][..], expected)))
    });
    let (worst_loss, worst_gradient) = (by_loss.fold(0.0, f64::max), by_term.fold(0.0, f64::max));

    let mut times = vec![];
    for i in 0..WARM_UP + arguments.steps {
        let start = Instant::now();
        peer = peer.step(distance)?;
        if i >= WARM_UP {
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    let median = (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0;
    println!(
        "{}",
        json!({
            "peer": name,
            "device": peer.device(),
            "width": trace.width(),
            "batch": trace.get("x").0[0],
            "median_ms": median,
            "best_ms": times[0],
            "worst_loss_difference": worst_loss,
            "worst_gradient_difference": worst_gradient,
        })
    );
    Ok(())
}
