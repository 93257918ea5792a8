//! Files: tensors in the safetensors format, atomic replacement of files, and their common error.
//!
//! Conversion between tensors and safetensors bytes needs no file system, and works in a browser.

#[cfg(feature = "train")]
mod atomic;
mod error;
pub(crate) mod safetensors;

#[cfg(feature = "train")]
pub(crate) use atomic::remove_temporaries;
#[cfg(feature = "train")]
pub use atomic::{check_output, replace, unused};
pub use error::FileError;

/// Whether `path` exists.
#[cfg(feature = "train")]
pub(crate) fn exists(path: &std::path::Path) -> Result<bool, FileError> {
    path.try_exists().map_err(|e| FileError::unreadable(path, &e))
}

/// Reads the contents of a file.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn read(path: &std::path::Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(|e| FileError::unreadable(path, &e))
}
