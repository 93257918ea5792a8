use crate::files::{self, FileError, excerpt, exists};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The records of a file with one JSON value per line, as far as they can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Log<T> {
    /// The records.
    pub records: Vec<T>,
    /// What was skipped and why, if anything was.
    pub skipped: Option<String>,
}

impl<T: DeserializeOwned> Log<T> {
    /// Reads the log at `path`; a missing one is empty. Skips lines that cannot be parsed. Says nothing of an incomplete
    /// last line, which is what a killed process leaves.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let bytes = if exists(path)? { files::read(path)? } else { vec![] };
        let (mut records, mut skipped) = (vec![], vec![]);
        for (i, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            match serde_json::from_slice(line) {
                Ok(record) => records.push(record),
                Err(_) if !line.ends_with(b"\n") => {}
                Err(e) => skipped.push((i + 1, e)),
            }
        }
        let skipped = skipped.first().map(|(line, error)| {
            let count = skipped.len();
            format!(
                "{}: {count} damaged line(s) skipped; the first is line {line}: {}",
                path.display(),
                excerpt(&error.to_string())
            )
        });
        Ok(Self { records, skipped })
    }
}

/// Appends `record` to the log at `path`, on a line of its own even after an incomplete one.
pub(super) fn append(path: &Path, record: &impl Serialize) -> Result<(), FileError> {
    if path.exists() && !path.is_file() {
        return Err(FileError::new(path, "cannot be written: not a regular file"));
    }
    let write = || {
        let mut file = File::options().create(true).read(true).append(true).open(path)?;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        let separator = if last == *b"\n" { "" } else { "\n" };
        file.write_all((separator.to_string() + &line(record)).as_bytes())
    };
    write().map_err(|e: std::io::Error| FileError::unwritable(path, &e))
}

/// The line of a record.
pub(super) fn line(record: &impl Serialize) -> String {
    // JSON has no infinite or NaN numbers; they become null.
    serde_json::to_string(record).expect("plain numbers and text are valid JSON values") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_costs_no_line_but_its_own() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("log");
        assert_eq!(Log::<u32>::read(&path).unwrap(), Log { records: vec![], skipped: None });
        (1..=2).for_each(|n: u32| append(&path, &n).unwrap());
        std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"\"cut"].concat()).unwrap();
        assert_eq!(Log::<u32>::read(&path).unwrap(), Log { records: vec![1, 2], skipped: None });
        append(&path, &3).unwrap();
        let log = Log::<u32>::read(&path).unwrap();
        assert_eq!(log.records, [1, 2, 3]);
        assert!(log.skipped.unwrap().contains("log: 1 damaged line(s) skipped; the first is line 3"));

        std::fs::write(&path, b"1\n\xff\xfe\n\n{}\n4\n5").unwrap();
        let log = Log::<u32>::read(&path).unwrap();
        assert_eq!(log.records, [1, 4, 5]);
        assert!(log.skipped.unwrap().contains("3 damaged line(s) skipped; the first is line 2"));
    }
}
