//! Named f32 tensors in the safetensors format.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
use std::collections::{BTreeMap, HashMap};
#[cfg(feature = "train")]
use {super::FileError, std::path::Path};

/// Name, shape and values of a tensor.
pub(crate) type Named<'a> = (String, Vec<usize>, &'a [f32]);

/// The contents of a safetensors file.
pub(crate) struct Tensors {
    /// Metadata of the header, beside the tensors.
    pub metadata: HashMap<String, String>,
    /// Shape and values of the tensors by name.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Tensors {
    /// Checks that there is a tensor of this name and shape.
    pub fn check(&self, name: &str, expected: &[usize]) -> Result<&Vec<f32>, String> {
        match self.tensors.get(name) {
            Some((shape, values)) if shape == expected => Ok(values),
            Some((shape, _)) => Err(format!("`{name}` has shape {shape:?}, not {expected:?}")),
            None => Err(format!("`{name}` {expected:?} is missing")),
        }
    }
}

/// Serialises tensors into the bytes of a safetensors file. Errors are descriptions as text.
pub(crate) fn to_bytes(tensors: &[Named<'_>], metadata: HashMap<String, String>) -> Result<Vec<u8>, String> {
    let views = tensors
        .iter()
        .map(|(name, shape, values)| {
            TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values))
                .map(|view| (name.as_str(), view))
                .map_err(|e| format!("`{name}`: {e}"))
        })
        .collect::<Result<Vec<_>, String>>()?;
    serialize(views, Some(metadata)).map_err(|e| e.to_string())
}

/// Parses the bytes of a safetensors file. Errors are descriptions as text.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Tensors, String> {
    let unreadable = |e| format!("not a complete safetensors file: {e}");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
    let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is of type {:?}, not F32", view.dtype()));
        }
        tensors.insert(name.to_string(), (view.shape().to_vec(), bytemuck::pod_collect_to_vec(view.data())));
    }
    // Metadata is optional in the format.
    Ok(Tensors { metadata: metadata.metadata().clone().unwrap_or_default(), tensors })
}

/// Writes a safetensors file atomically.
#[cfg(feature = "train")]
pub(crate) fn write(path: &Path, tensors: &[Named<'_>], metadata: HashMap<String, String>) -> Result<(), FileError> {
    super::replace(path, &to_bytes(tensors, metadata).map_err(|reason| FileError::new(path, reason))?)
}

/// Reads a safetensors file.
#[cfg(feature = "train")]
pub(crate) fn read(path: &Path) -> Result<Tensors, FileError> {
    from_bytes(&super::read(path)?).map_err(|reason| FileError::new(path, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let metadata = HashMap::from([("what".into(), "a test".into())]);
        let bytes = to_bytes(&[("a".into(), vec![2, 1], &[1.5, -2.0])], metadata.clone()).unwrap();
        let found = from_bytes(&bytes).unwrap();
        assert_eq!((found.metadata, found.tensors["a"].clone()), (metadata, (vec![2, 1], vec![1.5, -2.0])));
    }

    #[test]
    fn values_that_do_not_fill_their_shape_are_refused() {
        let error = to_bytes(&[("a".into(), vec![3], &[1.0])], HashMap::new()).err().unwrap();
        assert!(error.contains("`a`"), "{error}");
    }

    #[test]
    fn other_types_and_other_files_are_refused() {
        let view = TensorView::new(Dtype::U8, vec![2], &[1, 2]).unwrap();
        assert!(from_bytes(&serialize([("a", view)], None).unwrap()).err().unwrap().contains("`a` is of type U8"));
        assert!(from_bytes(b"once").err().unwrap().contains("not a complete safetensors file"));
    }

    #[cfg(feature = "train")]
    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = read(Path::new("none")).err().unwrap().to_string();
        assert!(error.contains("none: cannot be read"), "{error}");
    }
}
