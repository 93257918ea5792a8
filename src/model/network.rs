use crate::error::Error;
use crate::nn::{Layer, Sequential};
use serde::{Deserialize, Serialize};

/// The two published architectures: an encoder to a single pixel and a decoder back, without skip connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// 28×28 greyscale images.
    Mnist,
    /// 64×64 colour images.
    Faces,
}

impl Network {
    /// All networks.
    pub const ALL: [Self; 2] = [Self::Mnist, Self::Faces];

    /// The image shape `[C, H, W]`.
    pub fn image(self) -> [usize; 3] {
        match self {
            Self::Mnist => [1, 28, 28],
            Self::Faces => [3, 64, 64],
        }
    }

    /// Number of channels of the pixel between encoder and decoder at width `w`.
    pub fn latents(self, w: usize) -> usize {
        match self {
            Self::Mnist => 4 * w,
            Self::Faces => 8 * w,
        }
    }

    /// The layers at width `w`; the published networks use w = 64.
    pub fn layers(self, w: usize) -> Sequential {
        let latents = self.latents(w);
        Sequential::new([self.encoder(w, latents), self.decoder(latents, w)].concat())
    }

    /// The greatest number of parameters: 2 GiB of weights, and four times that with moments and average.
    pub const MOST_PARAMETERS: u64 = 1 << 29;

    /// Checks the width, and the number of parameters that follows from it, before anything of that size is made.
    ///
    /// # Errors
    /// A width outside 1 to 1024, or more than [`MOST_PARAMETERS`](Self::MOST_PARAMETERS).
    pub fn check_width(self, w: usize) -> Result<(), Error> {
        Error::check_range("width", w as f64, 1.0..=1024.0)?;
        let parameters: u64 = self.layers(w).parameters().iter().map(|p| p.shape.elements() as u64).sum();
        match parameters <= Self::MOST_PARAMETERS {
            true => Ok(()),
            false => {
                let most = Self::MOST_PARAMETERS;
                let reason = format!("is {w}: the network has {parameters} parameters, and may have at most {most}");
                Err(Error::Setting { name: "width", reason })
            }
        }
    }

    /// Number of multiply-adds per image and forward pass at width `w`.
    pub fn macs(self, w: usize) -> usize {
        self.layers(w).macs(self.image())
    }

    /// Floating-point operations of a training step at width `w`, with two per multiply-add. The step counts as nine
    /// forward passes: three applications, with backward passes of twice the cost.
    pub fn step_flops(self, w: usize, batch: usize) -> f64 {
        9.0 * 2.0 * self.macs(w) as f64 * batch as f64
    }

    /// The encoder at width `w`, from images to one pixel of `outputs` channels.
    pub fn encoder(self, w: usize, outputs: usize) -> Vec<Layer> {
        let conv =
            |inputs, outputs, kernel, stride, padding| Layer::Conv2d { inputs, outputs, kernel, stride, padding };
        let norm = |channels| Layer::BatchNorm { channels };
        let leaky = Layer::LeakyRelu(0.2);
        match self {
            Self::Mnist => vec![
                conv(1, w, 4, 2, 1),
                leaky,
                conv(w, 2 * w, 4, 2, 1),
                norm(2 * w),
                leaky,
                conv(2 * w, 4 * w, 3, 2, 1),
                norm(4 * w),
                leaky,
                conv(4 * w, outputs, 4, 1, 0),
            ],
            Self::Faces => vec![
                conv(3, w, 4, 2, 1),
                leaky,
                conv(w, 2 * w, 4, 2, 1),
                norm(2 * w),
                leaky,
                conv(2 * w, 4 * w, 4, 2, 1),
                norm(4 * w),
                leaky,
                conv(4 * w, 8 * w, 4, 2, 1),
                norm(8 * w),
                leaky,
                conv(8 * w, outputs, 4, 1, 0),
            ],
        }
    }

    /// The decoder at width `w`, from one pixel of `inputs` channels to images.
    pub fn decoder(self, inputs: usize, w: usize) -> Vec<Layer> {
        let transposed = |inputs, outputs, kernel, stride, padding| Layer::ConvTranspose2d {
            inputs,
            outputs,
            kernel,
            stride,
            padding,
            output_padding: 0,
        };
        let norm = |channels| Layer::BatchNorm { channels };
        let relu = Layer::Relu;
        match self {
            Self::Mnist => vec![
                transposed(inputs, 4 * w, 4, 1, 0),
                norm(4 * w),
                relu,
                transposed(4 * w, 2 * w, 3, 2, 1),
                norm(2 * w),
                relu,
                transposed(2 * w, w, 4, 2, 1),
                norm(w),
                relu,
                transposed(w, 1, 4, 2, 1),
                Layer::Tanh,
            ],
            Self::Faces => vec![
                transposed(inputs, 8 * w, 4, 1, 0),
                norm(8 * w),
                relu,
                transposed(8 * w, 4 * w, 4, 2, 1),
                norm(4 * w),
                relu,
                transposed(4 * w, 2 * w, 4, 2, 1),
                norm(2 * w),
                relu,
                transposed(2 * w, w, 4, 2, 1),
                norm(w),
                relu,
                transposed(w, 3, 4, 2, 1),
                Layer::Tanh,
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tape::Tape;

    #[test]
    fn images_keep_their_shape() {
        for network in Network::ALL {
            let tape = Tape::new();
            let [c, h, w] = network.image();
            let x = tape.input("x", [5, c, h, w]);
            assert_eq!(network.layers(3).apply(x, Mode::Batch).shape(), x.shape());
        }
    }

    /// The expected lists are those of `nn.Sequential(...).state_dict()` for the same layers.
    #[test]
    fn names_and_shapes_are_pytorchs() {
        let listed = |network: Network, w| {
            let name = |p: crate::nn::Parameter| format!("{} {}", p.name, p.shape);
            network.layers(w).parameters().into_iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(
            listed(Network::Mnist, 2),
            [
                "0.weight [2, 1, 4, 4]",
                "0.bias [2]",
                "2.weight [4, 2, 4, 4]",
                "2.bias [4]",
                "3.weight [4]",
                "3.bias [4]",
                "5.weight [8, 4, 3, 3]",
                "5.bias [8]",
                "6.weight [8]",
                "6.bias [8]",
                "8.weight [8, 8, 4, 4]",
                "8.bias [8]",
                "9.weight [8, 8, 4, 4]",
                "9.bias [8]",
                "10.weight [8]",
                "10.bias [8]",
                "12.weight [8, 4, 3, 3]",
                "12.bias [4]",
                "13.weight [4]",
                "13.bias [4]",
                "15.weight [4, 2, 4, 4]",
                "15.bias [2]",
                "16.weight [2]",
                "16.bias [2]",
                "18.weight [2, 1, 4, 4]",
                "18.bias [1]",
            ]
        );
        let faces = listed(Network::Faces, 1);
        assert_eq!(faces.len(), 34);
        assert_eq!(faces[32..], ["24.weight [1, 3, 4, 4]", "24.bias [3]"]);
    }

    #[test]
    fn macs_are_those_of_the_table() {
        let half = 14 * 14 * 32 * 16 + 49 * 32 * 64 * 16 + 16 * 64 * 128 * 9 + 128 * 128 * 16;
        assert_eq!(Network::Mnist.macs(32), 2 * half);
        let half =
            1024 * 3 * 64 * 16 + 256 * 64 * 128 * 16 + 64 * 128 * 256 * 16 + 16 * 256 * 512 * 16 + 512 * 512 * 16;
        assert_eq!(Network::Faces.macs(64), 2 * half);
    }
}
