//! Files: tensors in the safetensors format, atomic replacement of files, and their common error.
//!
//! Conversion between tensors and safetensors bytes needs no file system, and works in a browser.

#[cfg(feature = "train")]
mod atomic;
mod error;
pub mod path;
pub(crate) mod safetensors;

#[cfg(feature = "train")]
pub use atomic::{check_output, replace, unused};
#[cfg(feature = "train")]
pub(crate) use atomic::{folder_of, remove_temporaries};
pub use error::FileError;
pub use safetensors::half_precision;

/// The file of a run folder with the origin of its training. Whatever lies in a folder with such a file is a result.
#[cfg(feature = "train")]
pub(crate) const ORIGIN: &str = "origin.jsonl";

/// Whether `path` exists.
#[cfg(feature = "train")]
pub(crate) fn exists(path: &std::path::Path) -> Result<bool, FileError> {
    path.try_exists().map_err(|e| FileError::unreadable(path, &e))
}

/// Reads the contents of a regular file.
#[cfg(feature = "train")]
pub(crate) fn read(path: &std::path::Path) -> Result<Vec<u8>, FileError> {
    use std::io::Read;
    let (mut file, _) = open(path)?;
    let mut contents = vec![];
    file.read_to_end(&mut contents).map_err(|e| FileError::unreadable(path, &e))?;
    Ok(contents)
}

/// Opens a file for reading, with its length in bytes. Anything else, such as a named pipe, is refused.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn open(path: &std::path::Path) -> Result<(std::fs::File, u64), FileError> {
    let unreadable = |e| FileError::unreadable(path, &e);
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    match facts.is_file() {
        true => Ok((std::fs::File::open(path).map_err(unreadable)?, facts.len())),
        false => Err(FileError::new(path, "cannot be read: not a regular file")),
    }
}

/// At most 80 characters of what a file says, for errors: the middle of a longer text is left out, and control
/// characters are escaped.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    // No more is looked at than can be shown.
    let part = |chars: &mut dyn Iterator<Item = char>| chars.take(MOST).collect::<String>();
    let head = part(&mut text.chars());
    let whole = head.len() == text.len();
    let escape = |text: &str| -> Vec<char> {
        let one = |c: char| if c.is_control() { c.escape_default().collect() } else { vec![c] };
        text.chars().flat_map(one).collect()
    };
    let head = escape(&head);
    if whole && head.len() <= MOST {
        return head.into_iter().collect();
    }
    let tail = part(&mut text.chars().rev()).chars().rev().collect::<String>();
    let tail = escape(&tail);
    let last = &tail[tail.len() - tail.len().min(MOST * 3 / 8)..];
    head.iter().take(MOST - 1 - last.len()).chain(&['…']).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_plain() {
        assert_eq!(excerpt("a line\n\u{1b}[31m"), r"a line\n\u{1b}[31m");
        let long = excerpt(&format!("{}{}", "a".repeat(1 << 20), "z".repeat(100)));
        assert_eq!((long.chars().count(), long), (80, format!("{}…{}", "a".repeat(49), "z".repeat(30))));
        for text in ["é".repeat(81), "\n".repeat(60), "x".repeat(80)] {
            assert!(excerpt(&text).chars().count() <= 80);
        }
    }
}
