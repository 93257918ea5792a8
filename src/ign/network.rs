use crate::nn::{Layer, Sequential};
use crate::tape::Shape;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// The two published architectures: an encoder to one pixel and a decoder back, without skip connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// 28×28 grey images.
    Mnist,
    /// 64×64 colour images.
    Faces,
}

/// Parameters that belong to neither network.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("the parameters fit no network known here: {0}")]
pub struct UnknownNetwork(String);

impl Network {
    /// `[C, H, W]` of its images.
    pub fn image(self) -> [usize; 3] {
        match self {
            Self::Mnist => [1, 28, 28],
            Self::Faces => [3, 64, 64],
        }
    }

    /// Channels of the one pixel between encoder and decoder, at width `w`.
    pub fn latents(self, w: usize) -> usize {
        match self {
            Self::Mnist => 4 * w,
            Self::Faces => 8 * w,
        }
    }

    /// The layers at width `w`; the published networks have w = 64.
    pub fn layers(self, w: usize) -> Sequential {
        let latents = self.latents(w);
        Sequential::new([self.encoder(w, latents), self.decoder(latents, w)].concat())
    }

    /// The first half at width `w`, from images to one pixel of `outputs` channels.
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

    /// The second half at width `w`, from one pixel of `inputs` channels to images.
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

    /// The network and width that parameters of these names and shapes belong to.
    ///
    /// # Errors
    /// The first difference from the network that comes closest.
    pub fn of(shapes: &BTreeMap<String, Shape>) -> Result<(Self, usize), UnknownNetwork> {
        let first = shapes.get("0.weight").and_then(Shape::nchw);
        let [w, channels, ..] = first.ok_or_else(|| UnknownNetwork("there is no convolution `0.weight`".into()))?;
        let network = match channels {
            1 => Self::Mnist,
            3 => Self::Faces,
            _ => return Err(UnknownNetwork(format!("`0.weight` takes {channels} channels, neither 1 nor 3"))),
        };
        for parameter in network.layers(w).parameters() {
            let (name, expected) = (&parameter.name, &parameter.shape);
            match shapes.get(name) {
                Some(found) if found == expected => {}
                Some(found) => {
                    let text = format!("`{name}` has shape {found}, the {network:?} network of width {w} {expected}");
                    return Err(UnknownNetwork(text));
                }
                None => return Err(UnknownNetwork(format!("`{name}` {expected} is missing"))),
            }
        }
        Ok((network, w))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tape::Tape;

    #[test]
    fn images_keep_their_shape() {
        for network in [Network::Mnist, Network::Faces] {
            let tape = Tape::new();
            let [c, h, w] = network.image();
            let x = tape.input("x", [5, c, h, w]);
            assert_eq!(network.layers(3).apply(x, Mode::Batch).unwrap().shape(), x.shape());
        }
    }

    /// What `nn.Sequential(...).state_dict()` lists for the same layers.
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
        assert_eq!(Network::Mnist.layers(32).macs([1, 28, 28]), 2 * half);
        let half =
            1024 * 3 * 64 * 16 + 256 * 64 * 128 * 16 + 64 * 128 * 256 * 16 + 16 * 256 * 512 * 16 + 512 * 512 * 16;
        assert_eq!(Network::Faces.layers(64).macs([3, 64, 64]), 2 * half);
    }

    #[test]
    fn a_network_is_known_by_its_parameters() {
        let shapes = |network: Network, w| -> BTreeMap<String, Shape> {
            network.layers(w).parameters().into_iter().map(|p| (p.name, p.shape)).collect()
        };
        assert_eq!(Network::of(&shapes(Network::Mnist, 7)), Ok((Network::Mnist, 7)));
        assert_eq!(Network::of(&shapes(Network::Faces, 3)), Ok((Network::Faces, 3)));
        let mut odd = shapes(Network::Mnist, 7);
        odd.remove("12.weight");
        assert!(Network::of(&odd).unwrap_err().to_string().contains("`12.weight` [28, 14, 3, 3] is missing"));
        odd.insert("12.weight".into(), [1].into());
        assert!(Network::of(&odd).unwrap_err().to_string().contains("has shape [1]"));
    }
}
