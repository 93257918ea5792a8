use crate::ops::{self, Norm};
use crate::random::{Stream, stream};
use crate::tape::{Result, Shape, Var};
use rand_distr::{Distribution, Normal};
use std::collections::BTreeMap;

/// A layer, with the arguments of its PyTorch namesake.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Layer {
    Conv2d {
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    ConvTranspose2d {
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        output_padding: usize,
    },
    Linear {
        inputs: usize,
        outputs: usize,
    },
    /// ε 1e-5, running averages with momentum 0.1.
    BatchNorm {
        channels: usize,
    },
    LeakyRelu(f32),
    Relu,
    Tanh,
    Flatten,
}

/// ε of batch norm.
const EPSILON: f32 = 1e-5;
/// What a batch contributes to the running averages.
const MOMENTUM: f32 = 0.1;
/// Standard deviation of initial weights (Radford et al. 2015).
const DEVIATION: f32 = 0.02;

/// Which statistics batch norm uses, and whether activations are dropped out.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a, 't> {
    /// Those of the batch.
    Train {
        /// The statistics also move the running averages called `<prefix><layer>.running_mean` and `….running_var`, for
        /// each prefix.
        prefixes: &'a [&'a str],
        /// What is dropped out, if anything.
        dropout: Option<Dropout<'t>>,
    },
    /// Those of the batch.
    Batch,
    /// The running averages of this prefix.
    Running(&'a str),
}

/// [Dropout](ops::dropout) behind each activation that follows a batch norm, and nowhere else. It is no layer of its own,
/// so the numbers of the layers stay.
///
/// Running averages further on take in the larger variance that it brings, which is not there when they are used (Li et
/// al. 2019): a small probability is meant.
#[derive(Clone, Copy, Debug)]
pub struct Dropout<'t> {
    /// That of an element to become 0.
    pub probability: f32,
    /// The host's number `[1]` that the masks are drawn by, another one for each step.
    pub seed: Var<'t>,
    /// Tells applications on one tape apart.
    pub application: u16,
}

impl<'t> Dropout<'t> {
    /// Records it behind layer `i`.
    fn record(self, x: Var<'t>, i: usize) -> Result<Var<'t>> {
        ops::dropout(x, self.seed, self.probability, u32::from(self.application) << 16 | i as u32)
    }
}

/// A trained tensor of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in PyTorch: the layer's number, and `weight` or `bias`.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    initial: Initial,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Initial {
    Normal,
    Constant(f32),
}

/// Layers one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    /// In order of application.
    pub layers: Vec<Layer>,
    /// What the names of its tensors begin with, where several networks share a store.
    pub name: String,
}

impl Sequential {
    /// A network without a name.
    pub fn new(layers: Vec<Layer>) -> Self {
        Self { layers, name: String::new() }
    }

    /// The parameters, in order of the layers, weight before bias.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = vec![];
        for (i, layer) in self.layers.iter().enumerate() {
            let mut add = |what: &str, shape: Shape, initial| {
                parameters.push(Parameter { name: format!("{}{i}.{what}", self.name), shape, initial });
            };
            let (weight, outputs, initial): (Shape, usize, Initial) = match *layer {
                Layer::Conv2d { inputs, outputs, kernel, .. } => {
                    ([outputs, inputs, kernel, kernel].into(), outputs, Initial::Normal)
                }
                Layer::ConvTranspose2d { inputs, outputs, kernel, .. } => {
                    ([inputs, outputs, kernel, kernel].into(), outputs, Initial::Normal)
                }
                Layer::Linear { inputs, outputs } => ([outputs, inputs].into(), outputs, Initial::Normal),
                Layer::BatchNorm { channels } => ([channels].into(), channels, Initial::Constant(1.0)),
                Layer::LeakyRelu(_) | Layer::Relu | Layer::Tanh | Layer::Flatten => continue,
            };
            add("weight", weight, initial);
            add("bias", [outputs].into(), Initial::Constant(0.0));
        }
        parameters
    }

    /// Number and channels of each batch norm.
    fn norms(&self) -> impl Iterator<Item = (usize, usize)> {
        self.layers.iter().enumerate().filter_map(|(i, layer)| match *layer {
            Layer::BatchNorm { channels } => Some((i, channels)),
            _ => None,
        })
    }

    /// Initial values of all parameters, and of the running averages of each prefix: weights N(0, 0.02²), biases 0,
    /// γ = 1, β = 0, means 0, variances 1. Each parameter has a random stream of its own.
    pub fn initialise(&self, seed: u64, prefixes: &[&str]) -> BTreeMap<String, Vec<f32>> {
        let mut values = BTreeMap::new();
        for (i, parameter) in self.parameters().into_iter().enumerate() {
            let elements = parameter.shape.elements();
            let contents = match parameter.initial {
                Initial::Constant(value) => vec![value; elements],
                Initial::Normal => {
                    let mut rng = stream(seed, Stream::Initialisation, i as u64);
                    // A finite, positive deviation cannot be refused.
                    let Ok(normal) = Normal::new(0.0, DEVIATION) else { continue };
                    (0..elements).map(|_| normal.sample(&mut rng)).collect()
                }
            };
            values.insert(parameter.name, contents);
        }
        for (i, channels) in self.norms() {
            for prefix in prefixes {
                values.insert(format!("{prefix}{}{i}.running_mean", self.name), vec![0.0; channels]);
                values.insert(format!("{prefix}{}{i}.running_var", self.name), vec![1.0; channels]);
            }
        }
        values
    }

    /// Names and shapes of the parameters, and of the running averages of each prefix.
    pub fn tensors(&self, prefixes: &[&str]) -> Vec<(String, Shape)> {
        let mut tensors: Vec<_> = self.parameters().into_iter().map(|p| (p.name, p.shape)).collect();
        for (i, channels) in self.norms() {
            let running =
                |prefix: &&str| ["mean", "var"].map(|what| format!("{prefix}{}{i}.running_{what}", self.name));
            tensors.extend(prefixes.iter().flat_map(running).map(|name| (name, [channels].into())));
        }
        tensors
    }

    /// The parameters as state on a tape.
    pub fn on<'t>(&self, tape: &'t crate::tape::Tape) -> Result<Vec<Var<'t>>> {
        self.parameters().into_iter().map(|p| tape.state(&p.name, p.shape)).collect()
    }

    /// Slope below zero of layer `i`, if it is an activation with one.
    fn slope(&self, i: usize) -> Option<f32> {
        match self.layers.get(i)? {
            Layer::LeakyRelu(slope) => Some(*slope),
            Layer::Relu => Some(0.0),
            _ => None,
        }
    }

    /// Records the layers applied to `x`. A batch norm takes the activation behind it along.
    pub fn apply<'t>(&self, x: Var<'t>, mode: Mode<'_, 't>) -> Result<Var<'t>> {
        let parameters = self.parameters();
        let mut x = x;
        for (i, layer) in self.layers.iter().enumerate() {
            let normalised = i > 0 && matches!(self.layers[i - 1], Layer::BatchNorm { .. });
            let state = |what: &str| {
                let name = format!("{}{i}.{what}", self.name);
                let shape = parameters.iter().find(|p| p.name == name).map(|p| p.shape.clone());
                x.tape().state(&name, shape.unwrap_or(Shape::none()))
            };
            x = match *layer {
                Layer::Conv2d { stride, padding, .. } => {
                    ops::conv2d(x, state("weight")?, Some(state("bias")?), stride, padding)?
                }
                Layer::ConvTranspose2d { stride, padding, output_padding, .. } => {
                    ops::conv_transpose2d(x, state("weight")?, Some(state("bias")?), stride, padding, output_padding)?
                }
                Layer::Linear { .. } => ops::linear(x, state("weight")?, Some(state("bias")?))?,
                Layer::BatchNorm { channels } => {
                    let norm = Norm { epsilon: EPSILON, slope: self.slope(i + 1).unwrap_or(1.0) };
                    normalise(
                        x,
                        &format!("{}{i}", self.name),
                        channels,
                        [state("weight")?, state("bias")?],
                        norm,
                        mode,
                    )?
                }
                Layer::LeakyRelu(_) | Layer::Relu if normalised => match mode {
                    Mode::Train { dropout: Some(dropout), .. } => dropout.record(x, i)?,
                    _ => x,
                },
                Layer::LeakyRelu(slope) => ops::leaky_relu(x, slope)?,
                Layer::Relu => ops::relu(x)?,
                Layer::Tanh => ops::tanh(x)?,
                Layer::Flatten => ops::reshape(x, [x.shape().batch(), x.shape().per_sample()])?,
            };
        }
        Ok(x)
    }

    /// Multiply-adds of one application to one sample of shape `[C, H, W]`, counting every tap of every pixel as the
    /// field does: a convolution's output pixels, a transposed convolution's input pixels.
    pub fn macs(&self, sample: [usize; 3]) -> usize {
        let [_, mut h, mut w] = sample;
        let mut macs = 0;
        for layer in &self.layers {
            match *layer {
                Layer::Conv2d { inputs, outputs, kernel, stride, padding } => {
                    [h, w] = [h, w].map(|size| (size + 2 * padding - kernel) / stride + 1);
                    macs += h * w * inputs * outputs * kernel * kernel;
                }
                Layer::ConvTranspose2d { inputs, outputs, kernel, stride, padding, output_padding } => {
                    macs += h * w * inputs * outputs * kernel * kernel;
                    [h, w] = [h, w].map(|size| (size - 1) * stride + kernel + output_padding - 2 * padding);
                }
                Layer::Linear { inputs, outputs } => macs += inputs * outputs,
                Layer::BatchNorm { .. } | Layer::LeakyRelu(_) | Layer::Relu | Layer::Tanh | Layer::Flatten => {}
            }
        }
        macs
    }
}

fn normalise<'t>(
    x: Var<'t>,
    layer: &str,
    channels: usize,
    [gamma, beta]: [Var<'t>; 2],
    norm: Norm,
    mode: Mode<'_, 't>,
) -> Result<Var<'t>> {
    let running = |prefix: &str| -> Result<[Var<'t>; 2]> {
        let state = |what: &str| x.tape().state(&format!("{prefix}{layer}.running_{what}"), [channels]);
        Ok([state("mean")?, state("var")?])
    };
    let prefixes = match mode {
        Mode::Running(prefix) => {
            return ops::batch_norm_fixed(x, running(prefix)?, gamma, beta, norm);
        }
        Mode::Train { prefixes, .. } => prefixes,
        Mode::Batch => &[],
    };
    let statistics = ops::batch_statistics(x)?;
    for prefix in prefixes {
        let [mean, variance] = running(prefix)?;
        ops::update_running(mean, variance, statistics, x.shape().elements() / channels, MOMENTUM)?;
    }
    ops::batch_norm(x, statistics, gamma, beta, norm)
}
