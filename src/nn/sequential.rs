use crate::random::{Stream, stream};
use crate::tape::{Shape, Tape, Var};
use rand_distr::{Distribution, Normal};
use std::collections::BTreeMap;

/// A layer, with the arguments of the PyTorch layer of the same name.
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
    /// Batch normalisation with ε = 1e-5 and momentum 0.1 of the running averages.
    BatchNorm {
        channels: usize,
    },
    /// Conditional batch normalisation (de Vries et al. 2017): scale and shift of each channel are those of the sample's
    /// class, rows of γ and β `[K, C]`.
    ConditionalBatchNorm {
        classes: usize,
        channels: usize,
    },
    /// Minibatch standard deviation: y = x + γ·s + β per channel, where s is the deviation of x over the batch, averaged over
    /// all other axes. What it adds is what one more channel of the constant value s adds to the layer after it (Karras et
    /// al., arXiv 1710.10196, section 3). A batch of samples that are alike shows itself by it.
    MinibatchDeviation {
        channels: usize,
    },
    LeakyRelu(f32),
    Relu,
    Tanh,
    Flatten,
}

impl Layer {
    /// Shapes and initial values of weight and bias. `None` if the layer has no parameters.
    fn parameters(&self) -> Option<[(Shape, Initial); 2]> {
        let (weight, outputs, initial): (Shape, usize, Initial) = match *self {
            Self::Conv2d { inputs, outputs, kernel, .. } => {
                ([outputs, inputs, kernel, kernel].into(), outputs, Initial::Normal)
            }
            Self::ConvTranspose2d { inputs, outputs, kernel, .. } => {
                ([inputs, outputs, kernel, kernel].into(), outputs, Initial::Normal)
            }
            Self::Linear { inputs, outputs } => ([outputs, inputs].into(), outputs, Initial::Normal),
            Self::BatchNorm { channels } => ([channels].into(), channels, Initial::Constant(1.0)),
            Self::ConditionalBatchNorm { classes, channels } => {
                let shape = Shape::from([classes, channels]);
                return Some([(shape.clone(), Initial::Constant(1.0)), (shape, Initial::Constant(0.0))]);
            }
            Self::MinibatchDeviation { channels } => ([channels].into(), channels, Initial::Normal),
            Self::LeakyRelu(_) | Self::Relu | Self::Tanh | Self::Flatten => return None,
        };
        Some([(weight, initial), ([outputs].into(), Initial::Constant(0.0))])
    }
}

/// Statistics of batch normalisation, and dropout.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a, 't> {
    /// The batch statistics, which also update running averages.
    Train {
        /// Prefixes of the updated running averages `<prefix><name><layer>.running_mean` and `….running_var`, where
        /// `<name>` is the name of the network.
        prefixes: &'a [&'a str],
        /// Dropout, if any.
        dropout: Option<Dropout<'t>>,
    },
    /// The batch statistics.
    Batch,
    /// The running averages with this prefix.
    Running(&'a str),
}

/// [Dropout](Var::dropout) after each activation that follows a batch normalisation, and nowhere else. Dropout is not a
/// separate layer, so the layer numbers do not depend on it.
///
/// The probability should be small. Dropout increases the variance of activations in training, and the running averages
/// of later layers include this increase, although nothing is dropped when they are used (Li et al. 2019).
#[derive(Clone, Copy, Debug)]
pub struct Dropout<'t> {
    /// Probability that an element is set to 0.
    pub probability: f32,
    /// Seed of the masks, `[1]`. The host writes a new seed for each step.
    pub seed: Var<'t>,
    /// Number of the application, which distinguishes the masks of several applications on one tape.
    pub application: u16,
}

impl<'t> Dropout<'t> {
    /// Records dropout of x after layer `i`.
    #[track_caller]
    fn record(self, x: Var<'t>, i: usize) -> Var<'t> {
        x.dropout(self.seed, self.probability, u32::from(self.application) << 16 | i as u32)
    }
}

/// A trainable tensor of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name: the name of the network, followed by the name in PyTorch, `<layer>.weight` or `<layer>.bias`.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Shape,
    initial: Initial,
}

/// Initial values: normally distributed with mean 0, or constant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Initial {
    Normal,
    Constant(f32),
}

/// A network of layers in sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    /// The layers in order of application.
    pub layers: Vec<Layer>,
    /// Prefix of the tensor names, for several networks in one store.
    pub name: String,
}

impl Sequential {
    /// Standard deviation of the initial weights (Radford et al. 2015).
    pub const DEVIATION: f32 = 0.02;

    /// A network with an empty name.
    pub fn new(layers: Vec<Layer>) -> Self {
        Self { layers, name: String::new() }
    }

    /// The same network with [conditional batch norm](Layer::ConditionalBatchNorm) of `classes` classes in place of each
    /// batch norm.
    #[must_use]
    pub fn conditional(mut self, classes: usize) -> Self {
        for layer in &mut self.layers {
            if let Layer::BatchNorm { channels } = *layer {
                *layer = Layer::ConditionalBatchNorm { classes, channels };
            }
        }
        self
    }

    /// The same network with [minibatch standard deviation](Layer::MinibatchDeviation) at the bottleneck: before the first
    /// transposed convolution, if there is one.
    #[must_use]
    pub fn with_minibatch_deviation(mut self) -> Self {
        if let Some((i, channels)) = self.bottleneck() {
            self.layers.insert(i, Layer::MinibatchDeviation { channels });
        }
        self
    }

    /// Layer number and number of input channels of the first transposed convolution: the layers before it encode, and it
    /// begins to decode.
    pub(crate) fn bottleneck(&self) -> Option<(usize, usize)> {
        self.layers.iter().enumerate().find_map(|(i, layer)| match *layer {
            Layer::ConvTranspose2d { inputs, .. } => Some((i, inputs)),
            _ => None,
        })
    }

    /// The number of classes of a conditional network.
    pub fn classes(&self) -> Option<usize> {
        self.layers.iter().find_map(|layer| match *layer {
            Layer::ConditionalBatchNorm { classes, .. } => Some(classes),
            _ => None,
        })
    }

    /// The parameters in order of the layers, the weight before the bias.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = vec![];
        for (i, layer) in self.layers.iter().enumerate() {
            for (what, (shape, initial)) in ["weight", "bias"].into_iter().zip(layer.parameters().into_iter().flatten())
            {
                parameters.push(Parameter { name: format!("{}{i}.{what}", self.name), shape, initial });
            }
        }
        parameters
    }

    /// Layer number and number of channels of each layer with batch statistics.
    pub(crate) fn norms(&self) -> impl Iterator<Item = (usize, usize)> {
        self.layers.iter().enumerate().filter_map(|(i, layer)| match *layer {
            Layer::BatchNorm { channels }
            | Layer::ConditionalBatchNorm { channels, .. }
            | Layer::MinibatchDeviation { channels } => Some((i, channels)),
            _ => None,
        })
    }

    /// Initial values of all parameters, and of the running averages of each prefix. Weights have the distribution
    /// N(0, 0.02²), biases are 0, γ = 1, β = 0, means are 0, variances are 1. Each parameter has a separate random
    /// stream.
    pub fn initialise(&self, seed: u64, prefixes: &[&str]) -> BTreeMap<String, Vec<f32>> {
        let mut values = BTreeMap::new();
        for (i, parameter) in self.parameters().into_iter().enumerate() {
            let elements = parameter.shape.elements();
            let contents = match parameter.initial {
                Initial::Constant(value) => vec![value; elements],
                Initial::Normal => {
                    let mut rng = stream(seed, Stream::Initialisation, i as u64);
                    let normal = Normal::new(0.0, Self::DEVIATION).expect("the deviation is finite and positive");
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

    /// Names and shapes of all parameters, and of the running averages of each prefix.
    pub fn tensors(&self, prefixes: &[&str]) -> Vec<(String, Shape)> {
        let mut tensors: Vec<_> = self.parameters().into_iter().map(|p| (p.name, p.shape)).collect();
        for (i, channels) in self.norms() {
            let running =
                |prefix: &&str| ["mean", "var"].map(|what| format!("{prefix}{}{i}.running_{what}", self.name));
            tensors.extend(prefixes.iter().flat_map(running).map(|name| (name, [channels].into())));
        }
        tensors
    }

    /// The parameters as state on `tape`.
    #[track_caller]
    pub fn on<'t>(&self, tape: &'t Tape) -> Vec<Var<'t>> {
        let mut parameters = vec![];
        // A loop, since a closure would hide the caller's line from the tape.
        for Parameter { name, shape, .. } in self.parameters() {
            parameters.push(tape.state(&name, shape));
        }
        parameters
    }

    /// Slope of layer `i` below zero, if the layer is a ReLU or leaky ReLU.
    pub(super) fn slope(&self, i: usize) -> Option<f32> {
        match self.layers.get(i)? {
            Layer::LeakyRelu(slope) => Some(*slope),
            Layer::Relu => Some(0.0),
            _ => None,
        }
    }

    /// Records the layers, applied to `x` `[N, …]`, and returns the output. A batch normalisation includes the ReLU or
    /// leaky ReLU after it. A conditional network weighs all classes alike.
    #[track_caller]
    pub fn apply<'t>(&self, x: Var<'t>, mode: Mode<'_, 't>) -> Var<'t> {
        self.apply_to(x, None, mode)
    }

    /// Records the layers as [`apply`](Self::apply), with the `labels` `[N, K]` of a conditional network: the weight of
    /// each class, 1 for that of the sample and 0 for all others.
    #[track_caller]
    pub fn apply_to<'t>(&self, x: Var<'t>, labels: Option<Var<'t>>, mode: Mode<'_, 't>) -> Var<'t> {
        self.apply_with_code(x, labels, mode)[0]
    }

    /// Records the layers as [`apply_to`](Self::apply_to). Returns the output and the code: what enters the
    /// [bottleneck](Self::bottleneck), or the output if there is none.
    #[track_caller]
    pub(crate) fn apply_with_code<'t>(&self, x: Var<'t>, labels: Option<Var<'t>>, mode: Mode<'_, 't>) -> [Var<'t>; 2] {
        let alike = |classes: usize| x.tape().constant(1.0 / classes as f32, [x.shape().batch(), classes]);
        let labels = labels.or_else(|| self.classes().map(alike));
        let bottleneck = self.bottleneck().map(|(i, _)| i);
        let (mut x, mut code) = (x, None);
        for (i, layer) in self.layers.iter().enumerate() {
            if bottleneck == Some(i) {
                code = Some(x);
            }
            let before = i.checked_sub(1).map(|before| &self.layers[before]);
            let normalised = matches!(before, Some(Layer::BatchNorm { .. } | Layer::ConditionalBatchNorm { .. }));
            x = match *layer {
                Layer::Conv2d { stride, padding, .. } => {
                    let [weight, bias] = self.weights(x.tape(), i);
                    x.conv2d(weight, Some(bias), stride, padding)
                }
                Layer::ConvTranspose2d { stride, padding, output_padding, .. } => {
                    let [weight, bias] = self.weights(x.tape(), i);
                    x.conv_transpose2d(weight, Some(bias), stride, padding, output_padding)
                }
                Layer::Linear { .. } => {
                    let [weight, bias] = self.weights(x.tape(), i);
                    x.linear(weight, Some(bias))
                }
                Layer::BatchNorm { channels } => self.normalise(x, i, channels, mode),
                Layer::ConditionalBatchNorm { channels, .. } => {
                    let labels = labels.expect("a conditional network has labels");
                    self.normalise_by(labels, x, i, channels, mode)
                }
                Layer::MinibatchDeviation { channels } => self.deviate(x, i, channels, mode),
                Layer::LeakyRelu(_) | Layer::Relu if normalised => match mode {
                    Mode::Train { dropout: Some(dropout), .. } => dropout.record(x, i),
                    _ => x,
                },
                Layer::LeakyRelu(slope) => x.leaky_relu(slope),
                Layer::Relu => x.relu(),
                Layer::Tanh => x.tanh(),
                Layer::Flatten => x.reshape([x.shape().batch(), x.shape().per_sample()]),
            };
        }
        [x, code.unwrap_or(x)]
    }

    /// Weight and bias of layer `i` as state on `tape`. The layer must have parameters.
    #[track_caller]
    pub(super) fn weights<'t>(&self, tape: &'t Tape, i: usize) -> [Var<'t>; 2] {
        let [weight, bias] = self.layers[i].parameters().expect("the layer has parameters");
        let name = |what: &str| format!("{}{i}.{what}", self.name);
        [tape.state(&name("weight"), weight.0), tape.state(&name("bias"), bias.0)]
    }

    /// Number of multiply-adds of one application to one sample of shape `[C, H, W]`. As usual in the field, every
    /// kernel tap counts, including those on padding: per output pixel of a convolution, per input pixel of a
    /// transposed convolution.
    pub fn macs(&self, sample: [usize; 3]) -> usize {
        let [_, mut h, mut w] = sample;
        let mut macs = 0;
        for layer in &self.layers {
            match *layer {
                Layer::Conv2d { inputs, outputs, kernel, stride, padding } => {
                    [h, w] = [h, w].map(|size| (size + 2 * padding).saturating_sub(kernel) / stride.max(1) + 1);
                    macs += h * w * inputs * outputs * kernel * kernel;
                }
                Layer::ConvTranspose2d { inputs, outputs, kernel, stride, padding, output_padding } => {
                    macs += h * w * inputs * outputs * kernel * kernel;
                    [h, w] = [h, w].map(|size| {
                        let padded = size.saturating_sub(1) * stride + kernel + output_padding;
                        padded.saturating_sub(2 * padding)
                    });
                }
                Layer::Linear { inputs, outputs } => macs += inputs * outputs,
                Layer::BatchNorm { .. } | Layer::ConditionalBatchNorm { .. } | Layer::MinibatchDeviation { .. } => {}
                Layer::LeakyRelu(_) | Layer::Relu | Layer::Tanh | Layer::Flatten => {}
            }
        }
        macs
    }
}
