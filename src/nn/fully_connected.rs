use super::{Layer, Sequential};
use std::collections::BTreeMap;

/// Slope of the leaky ReLU below zero.
const SLOPE: f32 = 0.2;

impl Sequential {
    /// The fully connected network with layers of these `sizes`, from inputs to outputs, on pixels `[N, sizes[0], 1, 1]`, with
    /// a leaky ReLU of slope 0.2 between two layers. A convolution of one pixel is a fully connected layer.
    pub fn fully_connected(sizes: &[usize]) -> Self {
        let mut layers = vec![];
        for pair in sizes.windows(2) {
            if !layers.is_empty() {
                layers.push(Layer::LeakyRelu(SLOPE));
            }
            layers.push(Layer::Conv2d { inputs: pair[0], outputs: pair[1], kernel: 1, stride: 1, padding: 0 });
        }
        Self::new(layers)
    }

    /// Initial parameters of a fully connected network: weights ~ N(0, 2/inputs) (He et al. 2015), biases 0.
    pub fn initialise_fully_connected(&self, seed: u64) -> BTreeMap<String, Vec<f32>> {
        let mut tensors = self.initialise(seed, &[]);
        // `initialise` is for batch norm, with one deviation for all layers.
        for parameter in self.parameters().iter().filter(|p| p.name.ends_with("weight")) {
            let scale = (2.0 / parameter.shape.per_sample() as f32).sqrt() / Self::DEVIATION;
            tensors.get_mut(&parameter.name).into_iter().flatten().for_each(|weight| *weight *= scale);
        }
        tensors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaky_relu_stands_between_two_layers() {
        let full = |inputs, outputs| Layer::Conv2d { inputs, outputs, kernel: 1, stride: 1, padding: 0 };
        let layers = vec![full(2, 5), Layer::LeakyRelu(0.2), full(5, 3)];
        assert_eq!(Sequential::fully_connected(&[2, 5, 3]).layers, layers);
    }

    #[test]
    fn the_variance_of_the_weights_is_2_by_the_inputs() {
        let tensors = Sequential::fully_connected(&[50, 200]).initialise_fully_connected(1);
        let weights = &tensors["0.weight"];
        let variance = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
        assert!((variance * 25.0 - 1.0).abs() < 0.05, "{variance}");
        assert_eq!(tensors["0.bias"], [0.0; 200]);
    }
}
