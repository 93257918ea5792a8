//! Layers, parameters and optimiser. Tensor names and layouts are those of PyTorch's `nn.Sequential` with the same
//! layers, so that parameters can be exchanged.

mod adam;
mod average;
mod clip;
mod fully_connected;
mod labels;
mod normalisation;
mod sequential;

pub use adam::Adam;
pub use average::Average;
pub use clip::clip;
pub use labels::one_hot;
pub use sequential::{Dropout, Layer, Mode, Parameter, Sequential};
