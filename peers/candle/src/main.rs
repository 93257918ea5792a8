//! The training step of this project in candle on the CPU: its values are compared with those of a trace, then it is
//! timed.
//!
//!     cargo run --release --example train -- --out /tmp/run --steps 1 --width 32 --batch 64 --trace /tmp/trace.safetensors
//!     cargo run --release --manifest-path peers/candle/Cargo.toml --target-dir target/peers/candle -- /tmp/trace.safetensors

#[path = "../../peer.rs"]
mod peer;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{
    AdamW, BatchNorm, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig, Module, Optimizer, ParamsAdamW,
    VarBuilder, VarMap,
};
use peer::{ADAM, Distance, Layer, Peer, SLOPE, Tensors, Trace, Values, WEIGHTS};
use std::collections::BTreeMap;
use std::error::Error;

enum Made {
    Conv2d(Conv2d),
    ConvTranspose2d(ConvTranspose2d),
    BatchNorm(BatchNorm),
    LeakyRelu,
    Relu,
    Tanh,
}

fn made(layer: Layer, vb: VarBuilder) -> candle_core::Result<Made> {
    Ok(match layer {
        Layer::Conv2d { channels: [inputs, outputs], kernel, stride, padding } => {
            let config = Conv2dConfig { stride, padding, ..Default::default() };
            Made::Conv2d(candle_nn::conv2d(inputs, outputs, kernel, config, vb)?)
        }
        Layer::ConvTranspose2d { channels: [inputs, outputs], kernel, stride, padding } => {
            let config = ConvTranspose2dConfig { stride, padding, ..Default::default() };
            Made::ConvTranspose2d(candle_nn::conv_transpose2d(inputs, outputs, kernel, config, vb)?)
        }
        Layer::BatchNorm2d { channels } => Made::BatchNorm(candle_nn::batch_norm(channels, 1e-5, vb)?),
        Layer::LeakyRelu => Made::LeakyRelu,
        Layer::Relu => Made::Relu,
        Layer::Tanh => Made::Tanh,
    })
}

struct Candle {
    layers: Vec<Made>,
    parameters: BTreeMap<String, Var>,
    adam: AdamW,
    x: Tensor,
    z: Tensor,
}

impl Candle {
    fn f(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.layers.iter().try_fold(x.clone(), |x, layer| match layer {
            Made::Conv2d(layer) => layer.forward(&x),
            Made::ConvTranspose2d(layer) => layer.forward(&x),
            Made::BatchNorm(layer) => layer.forward_train(&x),
            Made::LeakyRelu => candle_nn::ops::leaky_relu(&x, SLOPE),
            Made::Relu => x.relu(),
            Made::Tanh => x.tanh(),
        })
    }

    /// The losses rec and idem, and the gradients of the weighted terms.
    fn gradients(&self, distance: Distance, weights: [f64; 3]) -> candle_core::Result<([Tensor; 2], [GradStore; 3])> {
        let distance = |a: &Tensor, b: &Tensor| match distance {
            Distance::Mse => (a - b)?.sqr()?.mean_all(),
            Distance::L1 => (a - b)?.abs()?.mean_all(),
        };
        let [for_rec, for_idem, for_tight] = weights;
        let rec = distance(&self.f(&self.x)?, &self.x)?;
        let of_rec = (&rec * for_rec)?.backward()?;
        let y = self.f(&self.z)?;
        let inner = Var::from_tensor(&y.detach())?;
        let idem = distance(&self.f(&inner)?, &inner)?;
        let outer = (&idem * -for_tight)?.backward()?;
        // Idempotence moves only the inner application of f, tightness only the outer one.
        let by_y = (outer.get(&inner).expect("the loss depends on y") * (-for_idem / for_tight))?;
        let of_idem = (y * by_y.detach())?.sum_all()?.backward()?;
        Ok(([rec, idem], [of_rec, of_idem, outer]))
    }
}

impl Peer for Candle {
    fn new(trace: &Trace) -> Result<Self, Box<dyn Error>> {
        let tensor = |name: &str| {
            let (shape, values) = trace.get(name);
            Tensor::from_slice(values, shape, &Device::Cpu)
        };
        let variables = VarMap::new();
        let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let layers = trace.layers().into_iter().enumerate().map(|(i, layer)| made(layer, vb.pp(i)));
        let layers = layers.collect::<candle_core::Result<Vec<_>>>()?;
        let mut parameters: BTreeMap<_, _> = variables.data().lock().expect("one thread").clone().into_iter().collect();
        // The averages of batch norm are no parameters.
        parameters.retain(|name, _| !name.contains("running"));
        for (name, variable) in &parameters {
            variable.set(&tensor(&format!("before.{name}"))?)?;
        }
        let [lr, beta1, beta2, eps] = ADAM;
        // Without decay, AdamW is Adam.
        let settings = ParamsAdamW { lr, beta1, beta2, eps, weight_decay: 0.0 };
        let adam = AdamW::new(parameters.values().cloned().collect(), settings)?;
        Ok(Self { layers, parameters, adam, x: tensor("x")?, z: tensor("z")? })
    }

    fn device(&self) -> String {
        format!("CPU, {} threads", candle_core::utils::get_num_threads())
    }

    fn values(&self, distance: Distance) -> Result<Values, Box<dyn Error>> {
        let ([rec, idem], gradients) = self.gradients(distance, [1.0; 3])?;
        let mut tensors: [Tensors; 3] = Default::default();
        for (tensors, of_term) in tensors.iter_mut().zip(gradients) {
            for (name, parameter) in &self.parameters {
                let gradient = of_term.get(parameter).ok_or_else(|| format!("no gradient of {name}"))?;
                tensors.insert(name.clone(), gradient.flatten_all()?.to_vec1()?);
            }
        }
        Ok(([rec.to_scalar()?, idem.to_scalar()?], tensors))
    }

    fn step(mut self, distance: Distance) -> Result<Self, Box<dyn Error>> {
        let (_, [mut total, idem, tight]) = self.gradients(distance, WEIGHTS)?;
        total.extend(idem)?;
        total.extend(tight)?;
        self.adam.step(&total)?;
        Ok(self)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    peer::run::<Candle>(concat!("candle ", env!("CARGO_PKG_VERSION")))
}
