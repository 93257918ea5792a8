//! The training step of this project in burn on its wgpu backend: its values are compared with those of a trace, then it
//! is timed.
//!
//!     cargo run --release --example train -- --out /tmp/run --steps 1 --width 32 --batch 64 --trace /tmp/trace.safetensors
//!     cargo run --release --manifest-path peers/burn/Cargo.toml --target-dir target/peers/burn -- /tmp/trace.safetensors

#[path = "../../peer.rs"]
mod peer;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, LeakyRelu, LeakyReluConfig, PaddingConfig2d, Relu, Tanh};
use burn::optim::{AdamConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, DeviceKind, Tensor, TensorData};
use peer::{ADAM, Distance, Layer, Peer, SLOPE, Tensors, Trace, Values, WEIGHTS};
use std::error::Error;

#[derive(Module, Debug)]
enum Made {
    Conv2d(Conv2d),
    ConvTranspose2d(ConvTranspose2d),
    BatchNorm(BatchNorm),
    LeakyRelu(LeakyRelu),
    Relu(Relu),
    Tanh(Tanh),
}

fn made(layer: Layer, device: &Device) -> Made {
    match layer {
        Layer::Conv2d { channels, kernel, stride, padding } => {
            let config = Conv2dConfig::new(channels, [kernel; 2]).with_stride([stride; 2]);
            let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
            Made::Conv2d(config.with_padding(padding).init(device))
        }
        Layer::ConvTranspose2d { channels, kernel, stride, padding } => {
            let config = ConvTranspose2dConfig::new(channels, [kernel; 2]).with_stride([stride; 2]);
            Made::ConvTranspose2d(config.with_padding([padding; 2]).init(device))
        }
        Layer::BatchNorm2d { channels } => Made::BatchNorm(BatchNormConfig::new(channels).init(device)),
        Layer::LeakyRelu => Made::LeakyRelu(LeakyReluConfig::new().with_negative_slope(SLOPE).init()),
        Layer::Relu => Made::Relu(Relu::new()),
        Layer::Tanh => Made::Tanh(Tanh::new()),
    }
}

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Made>,
}

impl Network {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| match layer {
            Made::Conv2d(layer) => layer.forward(x),
            Made::ConvTranspose2d(layer) => layer.forward(x),
            Made::BatchNorm(layer) => layer.forward(x),
            Made::LeakyRelu(layer) => layer.forward(x),
            Made::Relu(layer) => layer.forward(x),
            Made::Tanh(layer) => layer.forward(x),
        })
    }
}

/// A walk through the network that knows the name of each tensor in a trace.
struct Named<F> {
    path: Vec<String>,
    each: F,
}

impl<F> Named<F> {
    fn new(each: F) -> Self {
        Self { path: vec![], each }
    }

    /// The path is `layers`, the number of the layer, its kind and its tensor.
    fn name(&self) -> String {
        let tensor = match self.path[3].as_str() {
            "gamma" => "weight",
            "beta" => "bias",
            other => other,
        };
        format!("{}.{tensor}", self.path[1])
    }
}

/// Replaces every tensor by that of the trace.
impl ModuleMapper for Named<&Trace> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let data = tensor(self.each, &format!("before.{}", self.name()));
        parameter.map(|old| Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad()))
    }
}

/// Collects the gradients.
impl ModuleVisitor for Named<(&GradientsParams, &mut Tensors)> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        // The averages of batch norm are no parameters.
        if parameter.is_require_grad() {
            let name = self.name();
            let gradient = self.each.0.get::<D>(parameter.id).unwrap_or_else(|| panic!("no gradient of {name}"));
            self.each.1.insert(name, gradient.into_data().try_to_vec().expect("gradients are f32"));
        }
    }
}

fn tensor(trace: &Trace, name: &str) -> TensorData {
    let (shape, values) = trace.get(name);
    TensorData::new(values.to_vec(), shape)
}

struct Burn {
    device: Device,
    f: Network,
    adam: ModuleOptimizer,
    x: Tensor<4>,
    z: Tensor<4>,
}

impl Burn {
    /// The losses rec and idem, and the gradients of the weighted terms.
    fn gradients(&self, distance: Distance, weights: [f64; 3]) -> ([Tensor<1>; 2], [GradientsParams; 3]) {
        let distance = |a: Tensor<4>, b: Tensor<4>| match distance {
            Distance::Mse => (a - b).square().mean(),
            Distance::L1 => (a - b).abs().mean(),
        };
        let [for_rec, for_idem, for_tight] = weights;
        let rec = distance(self.f.forward(self.x.clone()), self.x.clone());
        let of_rec = (rec.clone() * for_rec).backward();
        let y = self.f.forward(self.z.clone());
        let inner = y.clone().detach().require_grad();
        let idem = distance(self.f.forward(inner.clone()), inner.clone());
        let mut outer = (idem.clone() * -for_tight).backward();
        // Idempotence moves only the inner application of f, tightness only the outer one.
        let by_y = inner.grad_remove(&mut outer).expect("the loss depends on y") * (-for_idem / for_tight);
        let of_idem = (y * Tensor::from_inner(by_y)).sum().backward();
        let gradients = [of_rec, of_idem, outer].map(|of_term| GradientsParams::from_grads(of_term, &self.f));
        ([rec, idem], gradients)
    }
}

impl Peer for Burn {
    fn new(trace: &Trace) -> Result<Self, Box<dyn Error>> {
        let device = Device::wgpu(DeviceKind::DefaultDevice).autodiff();
        let layers = trace.layers().into_iter().map(|layer| made(layer, &device)).collect();
        let f = Network { layers }.map(&mut Named::new(trace));
        let [_, beta_1, beta_2, epsilon] = ADAM.map(|value| value as f32);
        let adam = AdamConfig::new().with_beta_1(beta_1).with_beta_2(beta_2).with_epsilon(epsilon).init();
        let [x, z] = ["x", "z"].map(|name| Tensor::from_data(tensor(trace, name), &device));
        Ok(Self { device, f, adam, x, z })
    }

    fn device(&self) -> String {
        self.device.identity().map_or("unknown".to_owned(), |identity| identity.name)
    }

    fn values(&self, distance: Distance) -> Result<Values, Box<dyn Error>> {
        let ([rec, idem], gradients) = self.gradients(distance, [1.0; 3]);
        let tensors = gradients.map(|of_term| {
            let mut tensors = Tensors::new();
            self.f.visit(&mut Named::new((&of_term, &mut tensors)));
            tensors
        });
        Ok(([rec.into_scalar(), idem.into_scalar()], tensors))
    }

    fn step(mut self, distance: Distance) -> Result<Self, Box<dyn Error>> {
        let (_, gradients) = self.gradients(distance, WEIGHTS);
        let mut total = GradientsAccumulator::new();
        for of_term in gradients {
            total.accumulate(&self.f, of_term);
        }
        self.f = self.adam.step(ADAM[0], self.f, total.grads());
        self.device.sync()?;
        Ok(self)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    peer::run::<Burn>(concat!("burn ", env!("CARGO_PKG_VERSION")))
}
