//! Named f32 tensors in the safetensors format, which are also read from half precision. A header is read and compared with the tensors that its reader expects
//! before the body, so that no file decides how much is read.

use super::excerpt;
use half::f16;
use half::slice::HalfFloatSliceExt;
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors, serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
#[cfg(feature = "train")]
use {super::FileError, std::path::Path};

/// Name, shape and values of a tensor.
pub(crate) type Named<'a> = (String, Vec<usize>, &'a [f32]);

/// The greatest length of a header, in bytes: some hundred times that of the largest network.
const HEADER: u64 = 4 << 20;

/// The header of a safetensors file.
pub(crate) struct Header {
    /// Metadata, beside the tensors.
    pub metadata: HashMap<String, String>,
    contents: Metadata,
}

impl Header {
    /// Reads the header from the beginning of a file of `length` bytes. Errors are descriptions as text.
    pub fn read(source: &mut impl Read, length: u64) -> Result<Self, String> {
        let incomplete = |reason: String| format!("not a complete safetensors file: {reason}");
        let mut size = [0; 8];
        source.read_exact(&mut size).map_err(|e| incomplete(e.to_string()))?;
        let size = u64::from_le_bytes(size);
        if size > HEADER.min(length.saturating_sub(8)) {
            return Err(incomplete(format!(
                "a header of {size} bytes; it may have at most {HEADER}, the file {length}"
            )));
        }
        let mut header = vec![0; size as usize];
        source.read_exact(&mut header).map_err(|e| incomplete(e.to_string()))?;
        let contents: Metadata = serde_json::from_slice(&header).map_err(|e| incomplete(excerpt(&e.to_string())))?;
        let promised = (8 + size).saturating_add(contents.data_len() as u64);
        if promised != length {
            return Err(incomplete(format!("{length} bytes, and its header promises {promised}")));
        }
        // Metadata is optional in the format.
        Ok(Self { metadata: contents.metadata().clone().unwrap_or_default(), contents })
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.contents.info(name).is_some()
    }

    /// Reads the values of all tensors from `source`, which stands at the end of the header. The tensors must be exactly
    /// those of `expected`, given by name and shape, in single or half precision. Errors are descriptions as text.
    pub fn read_tensors(
        &self,
        source: &mut impl Read,
        expected: &BTreeMap<String, Vec<usize>>,
    ) -> Result<BTreeMap<String, Vec<f32>>, String> {
        for (name, shape) in expected {
            let found = self.contents.info(name).ok_or_else(|| format!("`{name}` {shape:?} is missing"))?;
            if found.shape != *shape {
                return Err(format!("`{name}` has shape {}, not {shape:?}", excerpt(&format!("{:?}", found.shape))));
            }
            if !matches!(found.dtype, Dtype::F32 | Dtype::F16) {
                return Err(format!("`{name}` is of type {:?}, not F32 or F16", found.dtype));
            }
        }
        let names = self.contents.offset_keys();
        if let Some(name) = names.iter().find(|name| !expected.contains_key(*name)) {
            return Err(format!("`{}` is not a tensor of this network", excerpt(name)));
        }
        let mut tensors = BTreeMap::new();
        for name in names {
            let mut values = vec![0f32; expected[&name].iter().product()];
            let read = if self.contents.info(&name).is_some_and(|info| info.dtype == Dtype::F16) {
                let mut halves = vec![f16::ZERO; values.len()];
                let read = source.read_exact(bytemuck::cast_slice_mut(&mut halves));
                halves.convert_to_f32_slice(&mut values);
                read
            } else {
                source.read_exact(bytemuck::cast_slice_mut(&mut values))
            };
            read.map_err(|e| format!("`{name}`: {e}"))?;
            tensors.insert(name, values);
        }
        Ok(tensors)
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

/// Rounds the tensors of a safetensors file to half precision (IEEE 754 binary16), which halves its size.
///
/// # Errors
/// If the bytes are no safetensors file, a tensor is not in single precision, or a number is beyond half precision's
/// greatest, 65504. Errors are descriptions as text.
pub fn half_precision(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let mut halves = vec![];
    for (name, tensor) in file.iter() {
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is of type {:?}, not F32", tensor.dtype()));
        }
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(tensor.data());
        let rounded: Vec<f16> = values.iter().map(|&x| f16::from_f32(x)).collect();
        if let Some((x, _)) = values.iter().zip(&rounded).find(|(x, half)| x.is_finite() && !half.is_finite()) {
            return Err(format!("`{name}` contains {x}, which half precision cannot hold"));
        }
        halves.push((name, tensor.shape().to_vec(), rounded));
    }
    let views = halves.iter().map(|(name, shape, values)| {
        let view = TensorView::new(Dtype::F16, shape.clone(), bytemuck::cast_slice(values));
        view.map(|view| (name, view)).map_err(|e| e.to_string())
    });
    serialize(views.collect::<Result<Vec<_>, _>>()?, header.metadata().clone()).map_err(|e| e.to_string())
}

/// Writes a safetensors file atomically.
#[cfg(feature = "train")]
pub(crate) fn write(path: &Path, tensors: &[Named<'_>], metadata: HashMap<String, String>) -> Result<(), FileError> {
    super::replace(path, &to_bytes(tensors, metadata).map_err(|reason| FileError::new(path, reason))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], shapes: &[(&str, &[usize])]) -> Result<BTreeMap<String, Vec<f32>>, String> {
        let mut source = bytes;
        let expected = shapes.iter().map(|(name, shape)| (name.to_string(), shape.to_vec())).collect();
        Header::read(&mut source, bytes.len() as u64)?.read_tensors(&mut source, &expected)
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata = HashMap::from([("what".into(), "a test".into())]);
        let tensors: [Named<'_>; 2] = [("b".into(), vec![2, 1], &[1.5, -2.0]), ("a".into(), vec![3], &[0.0, 1.0, 2.0])];
        let bytes = to_bytes(&tensors, metadata.clone()).unwrap();
        assert_eq!(Header::read(&mut &bytes[..], bytes.len() as u64).unwrap().metadata, metadata);
        let found = read(&bytes, &[("a", &[3]), ("b", &[2, 1])]).unwrap();
        assert_eq!((&found["a"][..], &found["b"][..]), (&[0.0, 1.0, 2.0][..], &[1.5, -2.0][..]));
    }

    #[test]
    fn values_that_do_not_fill_their_shape_are_refused() {
        let error = to_bytes(&[("a".into(), vec![3], &[1.0])], HashMap::new()).err().unwrap();
        assert!(error.contains("`a`"), "{error}");
    }

    #[test]
    fn half_precision_keeps_names_shapes_metadata_and_eleven_bits() {
        let metadata = HashMap::from([("what".into(), "a test".into())]);
        let tensors: [Named<'_>; 2] = [("b".into(), vec![2, 1], &[1.5, -65504.0]), ("a".into(), vec![1], &[0.1])];
        let single = to_bytes(&tensors, metadata.clone()).unwrap();
        let half = half_precision(&single).unwrap();
        assert_eq!(Header::read(&mut &half[..], half.len() as u64).unwrap().metadata, metadata);
        let found = read(&half, &[("a", &[1]), ("b", &[2, 1])]).unwrap();
        assert_eq!(found["b"], [1.5, -65504.0]);
        assert!((found["a"][0] - 0.1).abs() < 0.1 / 2048.0 && found["a"][0] != 0.1, "{}", found["a"][0]);
        let large = to_bytes(&[("a".into(), vec![1], &[7e4])], metadata).unwrap();
        assert!(half_precision(&large).unwrap_err().contains("`a` contains 70000"));
        assert!(half_precision(&half).unwrap_err().contains("of type F16, not F32"));
    }

    #[test]
    fn other_tensors_and_other_files_are_refused() {
        let bytes = to_bytes(&[("a".into(), vec![2], &[1.0, 2.0])], HashMap::new()).unwrap();
        let refused = |bytes: &[u8], shapes, why: &str| {
            let error = read(bytes, shapes).err().unwrap();
            assert!(error.contains(why), "{error}, expected: {why}");
        };
        refused(&bytes, &[("a", &[3])], "`a` has shape [2], not [3]");
        refused(&bytes, &[("a", &[2]), ("b", &[2])], "`b` [2] is missing");
        refused(&bytes, &[], "`a` is not a tensor of this network");
        assert!(half_precision(b"once").is_err());
        let view = TensorView::new(Dtype::U8, vec![2], &[1, 2]).unwrap();
        refused(&serialize([("a", view)], None).unwrap(), &[("a", &[2])], "`a` is of type U8");
        refused(b"once", &[], "not a complete safetensors file");
        refused(&bytes[..bytes.len() - 1], &[("a", &[2])], "and its header promises");
    }

    /// A source that fails once more than `left` bytes are read.
    struct Short<'a>(&'a [u8]);

    impl Read for Short<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(!self.0.is_empty(), "more was read than the header");
            self.0.read(buffer)
        }
    }

    #[test]
    fn the_body_of_a_file_that_will_be_refused_is_not_read() {
        let elements = 5usize << 28;
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":[{elements}],"data_offsets":[0,{}]}}}}"#, 4 * elements);
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let mut source = Short(&bytes);
        let file = Header::read(&mut source, (bytes.len() + 4 * elements) as u64).unwrap();
        let error = file.read_tensors(&mut source, &[("a".into(), vec![2])].into()).err().unwrap();
        assert!(error.contains("has shape [1342177280]"), "{error}");
        // A header that claims to be larger than any.
        let error = Header::read(&mut Short(&u64::MAX.to_le_bytes()), 5 << 30).err().unwrap();
        assert!(error.contains("a header of 18446744073709551615 bytes"), "{error}");
    }

    #[test]
    fn errors_quote_little_of_a_file() {
        let name = "n".repeat(100_000);
        let bytes = to_bytes(&[(name, vec![1], &[1.0])], HashMap::new()).unwrap();
        let error = read(&bytes, &[]).err().unwrap();
        assert!(error.contains("nnn…nnn") && error.chars().filter(|c| *c == 'n').count() < 90, "{error}");
        let shape = vec![1; 100_000];
        let bytes = to_bytes(&[("a".into(), shape, &[1.0])], HashMap::new()).unwrap();
        assert!(read(&bytes, &[("a", &[1])]).err().unwrap().len() < 150);
    }
}
