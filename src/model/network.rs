use crate::error::Error;
use crate::nn::{Layer, Sequential};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// An architecture for square images: an encoder to a single pixel and a decoder back, without skip connections. One rule
/// gives the two published ones and those between and beyond them.
///
/// The encoder halves the side with 4×4 convolutions of stride 2 down to 4 pixels, or to 7 and from there with a 3×3
/// convolution to 4; a 4×4 convolution then leaves one pixel. The width w is the number of channels after the first
/// convolution; each further one has twice as many, up to 8·w. Batch norm and leaky ReLU follow, but no batch norm after the
/// first. The decoder is its mirror image, with ReLU, and tanh at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    channels: usize,
    side: usize,
}

/// A convolution of stride 2 of the encoder, and its mirror image in the decoder.
struct Stage {
    kernel: usize,
    /// Channels on the side of the image, and on that of the single pixel.
    channels: [usize; 2],
}

impl Network {
    /// The published network for 28×28 greyscale images.
    pub const MNIST: Self = Self { channels: 1, side: 28 };
    /// The published network for 64×64 colour images.
    pub const FACES: Self = Self { channels: 3, side: 64 };
    /// The published networks.
    pub const PUBLISHED: [Self; 2] = [Self::MNIST, Self::FACES];
    /// The number of [`features`](Self::features) of an image.
    pub const FEATURES: usize = 64;
    /// The greatest number of parameters: 2 GiB of weights, and four times that with moments and average.
    pub const MOST_PARAMETERS: u64 = 1 << 29;
    /// The least and the greatest number of pixels of a side.
    pub const SIDES: [usize; 2] = [8, 512];

    /// The network for images of `channels` and of `side` × `side` pixels.
    ///
    /// # Errors
    /// If there are not 1 or 3 channels, or the side is not 4·2ᵏ or 7·2ᵏ pixels, from 8 to 512.
    pub fn new(channels: usize, side: usize) -> Result<Self, Error> {
        let odd = side.checked_shr(side.trailing_zeros()).unwrap_or_default();
        let [least, most] = Self::SIDES;
        let fits = (least..=most).contains(&side) && (odd == 1 || odd == 7 && side > 7);
        match fits && [1, 3].contains(&channels) {
            true => Ok(Self { channels, side }),
            false => Err(Error::Setting {
                name: "network",
                reason: format!(
                    "is for images of {channels} channels and {side} pixels a side; there must be 1 or 3 channels, and \
                     4·2ᵏ or 7·2ᵏ pixels from {least} to {most}: 8, 14, 16, 28, 32, 56, 64, …"
                ),
            }),
        }
    }

    /// The network for the largest images that `side` pixels are enough for.
    ///
    /// # Errors
    /// As [`new`](Self::new), if there is none.
    pub fn within(channels: usize, side: usize) -> Result<Self, Error> {
        let fitting = (0..=side.min(Self::SIDES[1])).rev().find_map(|side| Self::new(channels, side).ok());
        fitting.map_or_else(|| Self::new(channels, side), Ok)
    }

    /// The image shape `[C, H, W]`.
    pub fn image(self) -> [usize; 3] {
        [self.channels, self.side, self.side]
    }

    /// Number of channels of the pixel between encoder and decoder at width `w`.
    pub fn latents(self, w: usize) -> usize {
        self.stages(w).last().map_or(w, |stage| stage.channels[1])
    }

    /// The layers at width `w`; the published networks use w = 64.
    pub fn layers(self, w: usize) -> Sequential {
        let latents = self.latents(w);
        Sequential::new([self.encoder(w, latents), self.decoder(latents, w)].concat())
    }

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

    /// The convolutions of stride 2 at width `w`, from the image on.
    fn stages(self, w: usize) -> Vec<Stage> {
        let (mut side, mut inputs, mut outputs) = (self.side, self.channels, w);
        let mut stages = vec![];
        while side > 4 {
            let kernel = if side == 7 { 3 } else { 4 };
            stages.push(Stage { kernel, channels: [inputs, outputs] });
            (side, inputs, outputs) = (side.div_ceil(2), outputs, (2 * outputs).min(8 * w));
        }
        stages
    }

    /// The encoder at width `w`, from images to one pixel of `outputs` channels.
    pub fn encoder(self, w: usize, outputs: usize) -> Vec<Layer> {
        let conv =
            |inputs, outputs, kernel, stride, padding| Layer::Conv2d { inputs, outputs, kernel, stride, padding };
        let mut layers = vec![];
        for (i, Stage { kernel, channels: [inputs, outputs] }) in self.stages(w).into_iter().enumerate() {
            layers.push(conv(inputs, outputs, kernel, 2, 1));
            if i > 0 {
                layers.push(Layer::BatchNorm { channels: outputs });
            }
            layers.push(Layer::LeakyRelu(0.2));
        }
        layers.push(conv(self.latents(w), outputs, 4, 1, 0));
        layers
    }

    /// The features of the classifiers of such images: an encoder of width 16 with batch norm and ReLU after every
    /// convolution, to [`FEATURES`](Self::FEATURES) numbers per image. Its tensors have the prefix `features.`.
    pub fn features(self) -> Sequential {
        let mut layers = vec![];
        for layer in self.encoder(16, Self::FEATURES) {
            if let Layer::Conv2d { outputs, .. } = layer {
                layers.extend([layer, Layer::BatchNorm { channels: outputs }, Layer::Relu]);
            }
        }
        layers.push(Layer::Flatten);
        Sequential { layers, name: "features.".into() }
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
        let mut layers = vec![transposed(inputs, self.latents(w), 4, 1, 0)];
        for Stage { kernel, channels: [outputs, inputs] } in self.stages(w).into_iter().rev() {
            layers.extend([Layer::BatchNorm { channels: inputs }, Layer::Relu]);
            layers.push(transposed(inputs, outputs, kernel, 2, 1));
        }
        layers.push(Layer::Tanh);
        layers
    }
}

/// The names of the published networks.
const NAMES: [(&str, Network); 2] = [("mnist", Network::MNIST), ("faces", Network::FACES)];

/// `mnist` or `faces`, or channels and side, as `3x32`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, network)| network == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "{}x{}", self.channels, self.side),
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, network)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*network);
        }
        let numbers = text.split_once('x').and_then(|(c, side)| Some((c.parse().ok()?, side.parse().ok()?)));
        let (channels, side) =
            numbers.ok_or_else(|| format!("unknown network `{text}`, expected `mnist`, `faces`, or as `3x32`"))?;
        Self::new(channels, side).map_err(|e| e.to_string())
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tape::Tape;

    #[test]
    fn images_keep_their_shape() {
        for network in ["mnist", "faces", "1x8", "3x14", "3x32", "1x56", "3x128"].map(|name| name.parse().unwrap()) {
            let network: Network = network;
            let tape = Tape::new();
            let [c, h, w] = network.image();
            let x = tape.input("x", [5, c, h, w]);
            assert_eq!(network.layers(3).apply(x, Mode::Batch).shape(), x.shape());
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["mnist", "faces", "3x28", "1x64", "3x512"] {
            let network: Network = crate::model::named(name).unwrap();
            assert_eq!(network.to_string(), name);
            assert_eq!(serde_json::to_string(&network).unwrap(), format!("{name:?}"));
        }
        assert_eq!("1x28".parse(), Ok(Network::MNIST));
        let refused = |name: &str| crate::model::named::<Network>(name).unwrap_err().to_string();
        for name in ["3x30", "2x32", "1x7", "1x4", "1x1024", "3x0", "0x28"] {
            assert!(refused(name).contains("there must be 1 or 3 channels, and 4·2ᵏ or 7·2ᵏ pixels"), "{name}");
        }
        for name in ["cats", "3", "3x", "x", "3x32x1", "-1x28"] {
            assert!(refused(name).contains("expected `mnist`, `faces`, or as `3x32`"), "{name}");
        }
    }

    #[test]
    fn the_largest_network_within_a_side_is_found() {
        let within = |side| Network::within(3, side).map(|network| network.image()[1]).ok();
        assert_eq!([8, 27, 28, 63, 64, 100, 5000].map(within), [8, 16, 28, 56, 64, 64, 512].map(Some));
        assert_eq!(within(7), None);
    }

    #[test]
    fn channels_double_up_to_eight_times_the_width() {
        let channels = |network: &str| -> Vec<usize> {
            let network: Network = network.parse().unwrap();
            let layers = network.encoder(2, 5);
            layers
                .iter()
                .filter_map(|layer| if let Layer::Conv2d { outputs, .. } = layer { Some(*outputs) } else { None })
                .collect()
        };
        assert_eq!(channels("3x16"), [2, 4, 5]);
        assert_eq!(channels("1x28"), [2, 4, 8, 5]);
        assert_eq!(channels("3x256"), [2, 4, 8, 16, 16, 16, 5]);
    }

    /// The expected lists are those of `nn.Sequential(...).state_dict()` for the same layers.
    #[test]
    fn names_and_shapes_are_pytorchs() {
        let listed = |network: Network, w| {
            let name = |p: crate::nn::Parameter| format!("{} {}", p.name, p.shape);
            network.layers(w).parameters().into_iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(
            listed(Network::MNIST, 2),
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
        let faces = listed(Network::FACES, 1);
        assert_eq!(faces.len(), 34);
        assert_eq!(faces[32..], ["24.weight [1, 3, 4, 4]", "24.bias [3]"]);
    }

    #[test]
    fn macs_are_those_of_the_table() {
        let half = 14 * 14 * 32 * 16 + 49 * 32 * 64 * 16 + 16 * 64 * 128 * 9 + 128 * 128 * 16;
        assert_eq!(Network::MNIST.macs(32), 2 * half);
        let half =
            1024 * 3 * 64 * 16 + 256 * 64 * 128 * 16 + 64 * 128 * 256 * 16 + 16 * 256 * 512 * 16 + 512 * 512 * 16;
        assert_eq!(Network::FACES.macs(64), 2 * half);
    }
}
