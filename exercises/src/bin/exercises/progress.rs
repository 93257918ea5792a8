//! What has been solved, in a file below `target/`: a line for each puzzle, its name and a hash of the file that passed.

use super::puzzles::{Puzzle, root};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// Hashes of the files that passed, by the names of their puzzles.
pub struct Progress(BTreeMap<String, String>);

impl Progress {
    /// What the file says; nothing if there is none.
    pub fn load() -> Self {
        let text = std::fs::read_to_string(file()).unwrap_or_default();
        let entry = |line: &str| line.split_once(' ').map(|(name, hash)| (name.into(), hash.into()));
        Self(text.lines().filter_map(entry).collect())
    }

    /// Whether the learner's file of a puzzle is one that passed.
    pub fn has(&self, puzzle: &Puzzle) -> bool {
        let current = puzzle.read().map(|text| hash(&text));
        current.is_ok_and(|current| self.0.get(puzzle.text().name) == Some(&current))
    }

    /// Remembers that the learner's file of a puzzle has passed.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn add(&mut self, puzzle: &Puzzle) -> Result<(), String> {
        self.0.insert(puzzle.text().name.into(), hash(&puzzle.read()?));
        let text: String = self.0.iter().map(|(name, hash)| format!("{name} {hash}\n")).collect();
        let file = file();
        let failed = |error| format!("the progress cannot be saved in {}: {error}", file.display());
        file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        std::fs::write(&file, text).map_err(failed)
    }
}

fn file() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("exercises.progress")
}

fn hash(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
