//! Named f32 tensors in safetensors files.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What a file holds.
pub(crate) struct Tensors {
    /// What the file says of itself.
    pub metadata: HashMap<String, String>,
    /// Shape and values of each tensor by name.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

/// Writes tensors, completely or not at all. An error is the problem in words, without the path.
pub(crate) fn write(
    path: &Path,
    tensors: &[(String, Vec<usize>, Vec<f32>)],
    metadata: HashMap<String, String>,
) -> Result<(), String> {
    let views = tensors
        .iter()
        .map(|(name, shape, values)| {
            TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values))
                .map(|view| (name.as_str(), view))
                .map_err(|e| format!("`{name}`: {e}"))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let bytes = serialize(views, Some(metadata)).map_err(|e| e.to_string())?;
    crate::file::replace(path, &bytes).map_err(|e| format!("cannot be written: {e}"))
}

/// Reads a file. An error is the problem in words, without the path.
pub(crate) fn read(path: &Path) -> Result<Tensors, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot be read: {e}"))?;
    let unreadable = |e| format!("not a complete safetensors file: {e}");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(unreadable)?;
    let file = SafeTensors::deserialize(&bytes).map_err(unreadable)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is of type {:?}, not F32", view.dtype()));
        }
        tensors.insert(name.to_string(), (view.shape().to_vec(), bytemuck::pod_collect_to_vec(view.data())));
    }
    Ok(Tensors { metadata: metadata.metadata().clone().unwrap_or_default(), tensors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.safetensors");
        let metadata = HashMap::from([("what".into(), "a test".into())]);
        write(&path, &[("a".into(), vec![2, 1], vec![1.5, -2.0])], metadata.clone()).unwrap();
        let found = read(&path).unwrap();
        assert_eq!((found.metadata, found.tensors["a"].clone()), (metadata, (vec![2, 1], vec![1.5, -2.0])));
    }

    #[test]
    fn other_types_and_other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.safetensors");
        let view = TensorView::new(Dtype::U8, vec![2], &[1, 2]).unwrap();
        std::fs::write(&path, serialize([("a", view)], None).unwrap()).unwrap();
        assert!(read(&path).err().unwrap().contains("`a` is of type U8"));
        std::fs::write(&path, "once").unwrap();
        assert!(read(&path).err().unwrap().contains("not a complete safetensors file"));
        assert!(read(&folder.path().join("none")).err().unwrap().contains("cannot be read"));
    }
}
