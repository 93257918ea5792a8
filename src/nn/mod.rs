//! Layers, their parameters and their optimiser. Names and layouts are those of PyTorch's `nn.Sequential` for the same
//! list of layers, so that parameters can be exchanged.

mod adam;
mod average;
mod sequential;

pub use adam::Adam;
pub use average::Average;
pub use sequential::{Dropout, Layer, Mode, Parameter, Sequential};
