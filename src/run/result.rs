use super::folder::CONFIG;
use crate::files::{FileError, check_output, folder_of, unused};
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

/// Checks that a result of about `bytes` bytes can be written to `out`, and that `out` is not the checkpoint of `run`.
///
/// # Errors
/// As [`check_output`], and the checkpoint itself.
pub fn check_result(run: &Path, out: &Path, bytes: u64) -> Result<(), FileError> {
    let same =
        |source: &Path| source.canonicalize().is_ok_and(|source| out.canonicalize().is_ok_and(|out| out == source));
    match same(run) || same(&Checkpoint::beside(run, Checkpoint::FILE)) {
        true => Err(FileError::new(out, "this is the checkpoint of the run; name another file")),
        false => check_output(out, bytes),
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

    #[test]
    fn the_checkpoint_is_no_place_for_a_result() {
        let work = tempfile::tempdir().unwrap();
        let checkpoint = work.path().join(Checkpoint::FILE);
        fs::write(&checkpoint, "weights").unwrap();
        for run in [work.path(), &checkpoint] {
            let error = check_result(run, &checkpoint, 10).unwrap_err().to_string();
            assert!(error.contains("is the checkpoint of the run"), "{error}");
            check_result(run, &work.path().join("samples.png"), 10).unwrap();
        }
        assert_eq!(fs::read(&checkpoint).unwrap(), b"weights");
    }
}
