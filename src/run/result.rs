use super::folder::{CONFIG, folder_of};
use crate::files::unused;
use crate::model::Checkpoint;
use std::path::{Path, PathBuf};

/// The path of a result about `run`, a run folder or a checkpoint: `file` in a run folder, which owns its older results;
/// beside any other checkpoint a name that is not taken, as `samples-2.png`.
pub fn result(run: &Path, file: &str) -> PathBuf {
    let path = Checkpoint::beside(run, file);
    let of_run = run.is_dir() || run.file_name().is_some_and(|name| name == Checkpoint::FILE);
    match of_run && folder_of(&path).join(CONFIG).is_file() {
        true => path,
        false => unused(&path, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn results_replace_only_those_of_their_run() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        for file in ["checkpoint.safetensors", "model.safetensors", "samples.png", "samples-2.png"] {
            fs::write(at(file), "").unwrap();
        }
        assert_eq!(result(work.path(), "samples.png"), at("samples-3.png"));
        assert_eq!(result(work.path(), "evaluation.json"), at("evaluation.json"));
        fs::write(at(CONFIG), "").unwrap();
        assert_eq!(result(work.path(), "samples.png"), at("samples.png"));
        assert_eq!(result(&at("checkpoint.safetensors"), "samples.png"), at("samples.png"));
        assert_eq!(result(&at("model.safetensors"), "samples.png"), at("samples-3.png"));
    }
}
