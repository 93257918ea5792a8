//! The files of the learner: the puzzles, and what has been solved.

use super::puzzles::Puzzle;
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The repository that holds the files to edit.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The repository in this folder, or the one that the program was built from.
    pub fn new(root: Option<&Path>) -> Self {
        let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Self { root: root.map_or_else(built_from, Path::to_path_buf) }
    }

    /// The learner's text.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(&self, puzzle: &Puzzle) -> Result<String, String> {
        let path = self.root.join(puzzle.file());
        fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    }

    /// When the learner's file was saved; `None` while an editor replaces it.
    pub fn saved(&self, puzzle: &Puzzle) -> Option<SystemTime> {
        fs::metadata(self.root.join(puzzle.file())).and_then(|meta| meta.modified()).ok()
    }

    /// Compiles the program with the learner's functions and checks a puzzle with it. Whether it has passed.
    ///
    /// # Errors
    /// No cargo.
    pub fn run_anew(&self, puzzle: &Puzzle) -> Result<bool, String> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.root).args(["run", "--release", "--quiet", "-p", "exercises"]);
        // Windows lets no program be replaced while it runs, as this one does.
        if cfg!(windows) {
            cargo.args(["--target-dir", "target/exercises"]);
        }
        let status = cargo.args(["--", puzzle.text().name]).status();
        status.map(|status| status.success()).map_err(|error| format!("cargo cannot be started: {error}"))
    }

    /// Whether the learner's file is one that passed.
    pub fn has_passed(&self, puzzle: &Puzzle) -> bool {
        self.read(puzzle).is_ok_and(|text| self.passed().get(puzzle.text().name) == Some(&hash(&text)))
    }

    /// Remembers that this text of a puzzle has passed.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn remember(&self, puzzle: &Puzzle, text: &str) -> Result<(), String> {
        let mut passed = self.passed();
        passed.insert(puzzle.text().name.into(), hash(text));
        let lines: String = passed.iter().map(|(name, hash)| format!("{name} {hash}\n")).collect();
        let file = self.progress();
        let failed = |error| format!("the progress cannot be saved in {}: {error}", file.display());
        file.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(&file, lines).map_err(failed)
    }

    /// Hashes of the texts that passed, by the names of their puzzles.
    fn passed(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.progress()).unwrap_or_default();
        let entry = |line: &str| line.split_once(' ').map(|(name, hash)| (name.into(), hash.into()));
        text.lines().filter_map(entry).collect()
    }

    /// A file below `target/`, with a line for each puzzle that passed: its name and the hash of its text.
    fn progress(&self) -> PathBuf {
        self.root.join("target/exercises.progress")
    }
}

fn hash(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
