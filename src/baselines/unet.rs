use super::{NETWORK, network};
use crate::nn::{Layer, Mode, Sequential};
use crate::tape::Var;

/// A U-Net (Ronneberger et al. 2015) of a time t: encoder and decoder of a network, with skip connections that add.
pub(super) struct UNet {
    /// The layers that halve the image.
    down: Vec<Block>,
    /// The layer to a single pixel.
    middle: Sequential,
    /// The layers back, in mirror image of `down`.
    up: Vec<Block>,
    /// The layer to the result.
    last: Sequential,
    /// The layer that the functions of time of all blocks share.
    time: Sequential,
}

/// Layers up to an activation, and the function of time that is added to it per channel.
struct Block {
    layers: Sequential,
    shift: Sequential,
}

/// Number of sines of the time, and of cosines.
const FREQUENCIES: usize = 16;

impl UNet {
    /// Number of features of a time.
    pub const FEATURES: usize = 2 * FREQUENCIES;

    pub fn new(w: usize) -> Self {
        let latents = NETWORK.latents(w);
        let mut decoder = NETWORK.decoder(latents, w);
        // A velocity has no bounds.
        decoder.pop_if(|layer| *layer == Layer::Tanh);
        let (down, middle) = blocks("down", NETWORK.encoder(w, latents), latents);
        let (up, last) = blocks("up", decoder, latents);
        let time = vec![Layer::Linear { inputs: Self::FEATURES, outputs: latents }, Layer::Relu];
        Self { down, middle, up, last, time: network("time.", time) }
    }

    pub fn networks(&self) -> Vec<&Sequential> {
        let blocks = self.down.iter().chain(&self.up).flat_map(|block| [&block.layers, &block.shift]);
        blocks.chain([&self.middle, &self.last, &self.time]).collect()
    }

    /// The features of a time from 0 to 1: sin ω·t and cos ω·t for ω = 1000·10000^(−i/16) (Vaswani et al. 2017).
    pub fn features(t: f32) -> [f32; Self::FEATURES] {
        std::array::from_fn(|i| {
            let frequency = 1000.0 * 10_000f64.powf(-((i / 2) as f64) / FREQUENCIES as f64);
            let (sin, cos) = (f64::from(t) * frequency).sin_cos();
            if i % 2 == 0 { sin as f32 } else { cos as f32 }
        })
    }

    /// Records the network, applied to `x` `[N, C, H, W]` at the times with these `features` `[N, 32]`. The result has
    /// the shape of x.
    #[track_caller]
    pub fn apply<'t>(&self, x: Var<'t>, features: Var<'t>, mode: Mode<'_, 't>) -> Var<'t> {
        let time = self.time.apply(features, mode);
        let mut x = x;
        let mut skipped = vec![];
        for block in &self.down {
            x = block.apply(x, time, mode);
            skipped.push(x);
        }
        x = self.middle.apply(x, mode);
        for (block, skip) in self.up.iter().zip(skipped.into_iter().rev()) {
            x = block.apply(x, time, mode) + skip;
        }
        self.last.apply(x, mode)
    }
}

impl Block {
    #[track_caller]
    fn apply<'t>(&self, x: Var<'t>, time: Var<'t>, mode: Mode<'_, 't>) -> Var<'t> {
        let y = self.layers.apply(x, mode);
        let shift = self.shift.apply(time, mode);
        let channels = shift.shape().elements();
        let pixels = y.shape().elements() / channels;
        y + shift.reshape([channels]).broadcast([channels, pixels]).reshape(y.shape())
    }
}

/// The `layers` as blocks, and the rest after the last activation.
fn blocks(name: &str, layers: Vec<Layer>, times: usize) -> (Vec<Block>, Sequential) {
    let activation = |layer: &Layer| matches!(layer, Layer::LeakyRelu(_) | Layer::Relu);
    let mut parts: Vec<_> = layers.split_inclusive(activation).map(<[Layer]>::to_vec).collect();
    let rest = parts.pop().expect("a network has layers");
    let block = |(i, layers): (usize, Vec<Layer>)| {
        let outputs = match layers[0] {
            Layer::Conv2d { outputs, .. } | Layer::ConvTranspose2d { outputs, .. } => outputs,
            _ => unreachable!("a block begins with a convolution"),
        };
        let shift = vec![Layer::Linear { inputs: times, outputs }];
        Block { layers: network(&format!("{name}.{i}."), layers), shift: network(&format!("{name}.{i}.shift."), shift) }
    };
    (parts.into_iter().enumerate().map(block).collect(), network(&format!("{name}.last."), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees, differentiates};

    #[test]
    fn the_result_depends_on_every_parameter() {
        let (net, tape) = (UNet::new(1), Tape::new());
        let (x, time) = (tape.input("x", [2, 1, 28, 28]), tape.input("time", [2, UNet::FEATURES]));
        let y = net.apply(x, time, Mode::Batch);
        assert_eq!(y.shape(), x.shape());
        assert_eq!((net.down.len(), net.up.len()), (3, 3));
        let parameters: Vec<_> = net.networks().iter().flat_map(|n| n.on(&tape)).collect();
        assert_eq!(tape.vjp(y, x, &parameters).unwrap().len(), parameters.len());
        let of = |name: &str| *parameters.iter().find(|p| p.name() == name).unwrap();
        differentiates(&tape, y, &[x, of("time.0.weight"), of("up.1.shift.0.weight"), of("down.0.0.weight")], 3)
            .unwrap();
        agrees(&tape, 3).unwrap();
    }

    #[test]
    fn times_have_distinct_features() {
        let [first, next, last] = [0.0, 0.001, 1.0].map(UNet::features);
        assert_eq!(first, std::array::from_fn(|i| (i % 2) as f32));
        assert!((next[0] - 1f32.sin()).abs() < 1e-6 && (last[1] - 1000f64.cos() as f32).abs() < 1e-6);
        assert!(next.iter().chain(&last).all(|x| x.abs() <= 1.0) && next != last);
    }
}
