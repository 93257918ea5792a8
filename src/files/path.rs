//! Paths in records: text where a path is text, and otherwise its bytes, as serde writes an `OsString`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::{Path, PathBuf};

/// Serialises any path that the system allows.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        #[cfg(any(unix, windows))]
        None => path.as_os_str().serialize(serializer),
        #[cfg(not(any(unix, windows)))]
        None => path.serialize(serializer),
    }
}

/// Reads what [`serialize`] wrote.
///
/// # Errors
/// If the value is neither text nor the bytes of a path of this system.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path must be text or bytes of this system")]
    enum Stored {
        Text(String),
        #[cfg(any(unix, windows))]
        Bytes(std::ffi::OsString),
    }
    Ok(match Stored::deserialize(deserializer)? {
        Stored::Text(text) => text.into(),
        #[cfg(any(unix, windows))]
        Stored::Bytes(bytes) => bytes.into(),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        #[serde(with = "super")]
        path: PathBuf,
    }

    #[test]
    fn every_path_survives_json() {
        for bytes in [&b"data/mnist"[..], b"a b\n\"c\"", "zażółć".as_bytes(), b"caf\xe9/\xff", b""] {
            let record = Record { path: OsStr::from_bytes(bytes).into() };
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record, "{json}");
            assert_eq!(serde_json::to_value(&record).unwrap()["path"].is_string(), std::str::from_utf8(bytes).is_ok());
        }
        let error = serde_json::from_str::<Record>(r#"{"path": 7}"#).unwrap_err().to_string();
        assert!(error.contains("a path must be text"), "{error}");
    }
}
