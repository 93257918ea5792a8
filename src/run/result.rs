use super::folder::{CONFIG, TRAINING};
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

/// Checks, before the work, that results can be written to `outputs`, and that they replace neither each other nor what
/// the program reads: one of the files `inputs`, a picture in one of the folders `inputs`, or in a run folder a file of its
/// training.
///
/// # Errors
/// As [`check_output`] for a file of 1 MiB, and if an output is an input or another output.
pub fn check_results(inputs: &[&Path], outputs: &[&Path]) -> Result<(), FileError> {
    for (i, out) in outputs.iter().enumerate() {
        if outputs[..i].iter().any(|other| place(other) == place(out)) {
            return Err(FileError::new(out, "this is the path of two outputs; name another file for one of them"));
        }
        if inputs.iter().any(|input| holds(input, out)) {
            return Err(FileError::new(out, "the program reads this file and will not replace it; name another file"));
        }
        check_output(out, 1 << 20)?;
    }
    Ok(())
}

/// Whether `out` is `input`, or a file in it that an output may not replace.
fn holds(input: &Path, out: &Path) -> bool {
    // What would be written to, and the name that leads there.
    let [target, name] = [place(out), unlinked(out)];
    if place(input) == target {
        return true;
    }
    // A checkpoint belongs to the run in its folder.
    let folder = if input.is_file() { folder_of(input) } else { input };
    let real = place(folder);
    let run = folder.join(CONFIG).is_file();
    let of_training = |file: &&str| target.starts_with(place(&folder.join(file))) || name.starts_with(real.join(file));
    if (run || !folder.exists()) && TRAINING.iter().any(of_training) {
        return true;
    }
    let picture = out.extension().is_some_and(|e| PICTURES.iter().any(|known| e.eq_ignore_ascii_case(known)));
    let mnist = out.file_name().is_some_and(|name| name.to_string_lossy().contains("-ubyte"));
    let inside = target.starts_with(&real) || name.starts_with(&real);
    // Results of a run below a folder of pictures are not read again.
    input.is_dir() && !run && inside && (picture || mnist) && out.exists() && !folder_of(out).join(CONFIG).is_file()
}

/// The extensions of the pictures in a data folder.
const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif"];

/// The path without links in its folder; the file itself may be a link.
fn unlinked(path: &Path) -> PathBuf {
    path.file_name().map_or_else(|| path.into(), |name| place(folder_of(path)).join(name))
}

/// The path without links, of a file that exists or not.
fn place(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match path.file_name() {
        Some(name) => place(folder_of(path)).join(name),
        None => path.into(),
    })
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
    fn nothing_that_is_read_is_replaced() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let (run, data) = (at("run"), at("data"));
        for file in ["run/checkpoint.safetensors", "run/config.json", "run/samples/step-000001.png", "run/samples.png"]
        {
            fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            fs::write(at(file), file).unwrap();
        }
        fs::create_dir(&data).unwrap();
        for file in ["data/a.png", "data/t10k-labels-idx1-ubyte.gz", "picture.png", "model.safetensors"] {
            fs::write(at(file), file).unwrap();
        }
        let (checkpoint, picture, model) =
            (at("run/checkpoint.safetensors"), at("picture.png"), at("model.safetensors"));
        let inputs: [&Path; 5] = [&run, &checkpoint, &data, &picture, &model];
        for refused in [
            "run/checkpoint.safetensors",
            "run/../run/config.json",
            "run/samples/step-000001.png",
            "data/a.png",
            "data/t10k-labels-idx1-ubyte.gz",
            "picture.png",
            "model.safetensors",
        ] {
            let error = check_results(&inputs, &[&at(refused)]).unwrap_err().to_string();
            assert!(error.contains("will not replace it"), "{error}");
        }
        assert!(check_results(&[&checkpoint], &[&at("run/config.json")]).is_err());
        assert!(check_results(&[&at("new run")], &[&at("new run/checkpoint.safetensors")]).is_err());
        check_results(&inputs, &[&at("run/samples.png"), &at("run/mine.png"), &at("data/new.png")]).unwrap();
        // Neither is a file behind a link, nor one that a link stands for.
        #[cfg(unix)]
        {
            fs::rename(&checkpoint, at("elsewhere")).unwrap();
            std::os::unix::fs::symlink(at("elsewhere"), &checkpoint).unwrap();
            for refused in [&checkpoint, &at("elsewhere")] {
                assert!(check_results(&[&run], &[refused]).is_err(), "{}", refused.display());
            }
        }
        // What is no picture is not read from a folder of pictures.
        fs::write(at("data/profile.json"), "").unwrap();
        check_results(&[&data], &[&at("data/profile.json")]).unwrap();
        let twice = check_results(&[], &[&at("new"), &at("other"), &at("new")]).unwrap_err().to_string();
        assert!(twice.contains("two outputs"), "{twice}");
    }
}
