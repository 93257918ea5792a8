use super::DataError;
use super::idx::Idx;
use crate::picture::normalise;
use std::path::Path;

/// Images of one shape.
#[derive(Clone, Debug)]
pub struct Images {
    /// The shape `[C, H, W]` of each image.
    pub shape: [usize; 3],
    /// The pixels `[N, C, H, W]`, one byte per value, with 0 for black.
    pub pixels: Vec<u8>,
    /// The class of each image, if the data set has labels.
    pub labels: Option<Vec<u8>>,
}

impl Images {
    /// Reads the first images of the bytes of one of MNIST's image files, not gzipped: `most` of them, or all if there are
    /// fewer. They have the size that the file says, and no labels. The bytes may end after these images.
    ///
    /// # Errors
    /// If the bytes are no such file, or truncated.
    pub fn from_idx(bytes: &[u8], most: usize) -> Result<Self, DataError> {
        let images = Idx::read(Path::new("the file of images"), Box::new(bytes), 3)?;
        let [height, width] = images.image();
        Ok(Self { shape: [1, height, width], pixels: images.first(most)?, labels: None })
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.elements().max(1)
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Number of elements per image.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The images at `indices`, consecutive and in [-1, 1]. Indices wrap around at the end.
    pub fn gather(&self, indices: impl IntoIterator<Item = usize>) -> Vec<f32> {
        let one = |i: usize| {
            let first = i % self.len() * self.elements();
            self.pixels[first..first + self.elements()].iter().map(|&b| normalise(b))
        };
        indices.into_iter().flat_map(one).collect()
    }

    /// The images at `indices` with their labels. Indices wrap around at the end.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let (len, elements) = (self.len(), self.elements());
        let indices: Vec<_> = indices.into_iter().map(|i| i % len).collect();
        let pixels = indices.iter().flat_map(|i| &self.pixels[i * elements..][..elements]).copied().collect();
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i]).collect());
        Self { shape: self.shape, pixels, labels }
    }
}
