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
        let images = Idx::read(Path::new("the file of images"), Box::new(bytes), &[3])?;
        Ok(Self { shape: images.image()?, pixels: images.first(most)?, labels: None })
    }

    /// Checks that there are images, all of them whole, and a label for each if there are labels.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), DataError> {
        let (elements, bytes) = (self.elements(), self.pixels.len());
        if bytes == 0 || elements == 0 || !bytes.is_multiple_of(elements) {
            return Err(DataError::Images {
                reason: format!("{bytes} bytes are not images of shape {:?}", self.shape),
            });
        }
        match &self.labels {
            Some(labels) if labels.len() != self.len() => {
                Err(DataError::Images { reason: format!("{} images have {} labels", self.len(), labels.len()) })
            }
            _ => Ok(()),
        }
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
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn gather(&self, indices: impl IntoIterator<Item = usize>) -> Vec<f32> {
        let one = |i: usize| {
            let first = i % self.len() * self.elements();
            self.pixels[first..first + self.elements()].iter().map(|&b| normalise(b))
        };
        indices.into_iter().flat_map(one).collect()
    }

    /// The images at `indices` with their labels. Indices wrap around at the end.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let (len, elements) = (self.len(), self.elements());
        let indices: Vec<_> = indices.into_iter().map(|i| i % len).collect();
        let pixels = indices.iter().flat_map(|i| &self.pixels[i * elements..][..elements]).copied().collect();
        let labels = self.labels.as_ref().map(|labels| indices.iter().map(|&i| labels[i]).collect());
        Self { shape: self.shape, pixels, labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_in_memory_are_whole_and_each_has_its_label() {
        let check = |pixels: usize, labels: Option<usize>| {
            let labels = labels.map(|count| vec![0; count]);
            Images { shape: [1, 2, 2], pixels: vec![0; pixels], labels }.check().map_err(|e| e.to_string())
        };
        assert_eq!(check(8, None), Ok(()));
        assert_eq!(check(8, Some(2)), Ok(()));
        assert!(check(0, None).unwrap_err().contains("0 bytes are not images of shape [1, 2, 2]"));
        assert!(check(7, None).unwrap_err().contains("7 bytes"));
        assert!(check(8, Some(1)).unwrap_err().contains("2 images have 1 labels"));
    }
}
