use std::fmt;

/// The extents of a tensor, outermost first; images are `[N, C, H, W]` (NCHW).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The shape of a result without elements: an update of state, which produces no tensor.
    pub fn none() -> Self {
        Self(vec![0])
    }

    /// The extents.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of elements: the product of the extents.
    pub fn elements(&self) -> usize {
        self.0.iter().fold(1, |product: usize, &extent| product.saturating_mul(extent))
    }

    /// The batch size: the outermost extent `N`, or 1 for a tensor without extents.
    pub fn batch(&self) -> usize {
        self.0.first().copied().unwrap_or(1)
    }

    /// Number of elements per sample: the product of all extents but the outermost.
    pub fn per_sample(&self) -> usize {
        self.0.iter().skip(1).fold(1, |product: usize, &extent| product.saturating_mul(extent))
    }

    /// `[N, C, H, W]`, if the tensor has four extents.
    pub fn nchw(&self) -> Option<[usize; 4]> {
        self.0.as_slice().try_into().ok()
    }

    /// `[rows, columns]`, if the tensor has two extents.
    pub fn matrix(&self) -> Option<[usize; 2]> {
        self.0.as_slice().try_into().ok()
    }
}

/// From an array, a slice or a vector of extents.
impl<T: Into<Vec<usize>>> From<T> for Shape {
    fn from(dims: T) -> Self {
        Self(dims.into())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
