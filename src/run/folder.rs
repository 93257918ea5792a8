use super::lock::Lock;
use super::log::{append, line};
use super::{Log, Metrics, Origin};
use crate::error::Error;
use crate::files::{FileError, ORIGIN, check_output, excerpt, exists, folder_of, read, remove_temporaries, replace};
use crate::model::{Checkpoint, Config};
use std::path::{Path, PathBuf};

/// The output folder of a training: `config.json`, `origin.jsonl`, `metrics.jsonl`, `samples/*.png` and
/// `checkpoint.safetensors`. A folder that is created or resumed is locked until the value is dropped, so that one process
/// writes into it.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    lock: Option<Lock>,
}

pub(super) const CONFIG: &str = "config.json";
const METRICS: &str = "metrics.jsonl";
const SAMPLES: &str = "samples";

/// The names that a training uses in its run folder.
pub(super) const TRAINING: [&str; 5] = [Checkpoint::FILE, CONFIG, METRICS, ORIGIN, SAMPLES];
/// The default names of the results of the programs after it. A run owns them: they may be replaced.
const RESULTS: [&str; 7] = [
    "report.html",
    "comparison.html",
    "evaluation.json",
    "samples.png",
    "projections.png",
    "pictures.png",
    "interpolations.png",
];

impl RunFolder {
    /// Checks that a run can be [created](Self::create) in `path`, without creating anything.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn check_new(path: &Path) -> Result<(), Error> {
        if path.join(Lock::FILE).is_file() {
            Lock::take(path)?;
        }
        vacant(path)?;
        Ok(check_output(&path.join(Checkpoint::FILE), 1 << 20)?)
    }

    /// Creates a new run in `path`.
    ///
    /// # Errors
    /// If the folder contains a file with a name that a run uses, which is left unchanged; another process trains in it;
    /// or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        Self::check_new(path)?;
        std::fs::create_dir_all(path).map_err(|e| FileError::unwritable(path, &e))?;
        let lock = Lock::take(path)?;
        // Another process may have been faster.
        vacant(path)?;
        Ok(Self { path: path.into(), lock: Some(lock) })
    }

    /// Opens the run in `path`, a run folder or the checkpoint in it, and loads its checkpoint, to resume the training.
    ///
    /// # Errors
    /// If there is no finite checkpoint that can resume a training, another process trains in the folder, or the checkpoint
    /// cannot be written again.
    pub fn resume(path: &Path) -> Result<(Self, Checkpoint), Error> {
        let path = match path.is_file() {
            true if path.file_name().is_some_and(|name| name == Checkpoint::FILE) => folder_of(path),
            true => {
                Checkpoint::load(path)?.check_resumable().map_err(|e| FileError::new(path, e))?;
                let reason = format!("a training resumes in a run folder, from its {}", Checkpoint::FILE);
                return Err(FileError::new(path, reason).into());
            }
            false => path,
        };
        let file = path.join(Checkpoint::FILE);
        let size = std::fs::metadata(&file).map_err(|e| FileError::unreadable(&file, &e))?.len();
        let lock = Lock::take(path)?;
        let checkpoint = Checkpoint::load(&file)?;
        checkpoint.check_resumable().map_err(|e| FileError::new(&file, e))?;
        let finite = |values: &Vec<f32>| values.iter().all(|x| x.is_finite());
        if let Some((name, _)) = checkpoint.tensors.iter().find(|(_, values)| !finite(values)) {
            let reason = format!("`{name}` is not finite; no training can go on from it");
            return Err(FileError::new(&file, reason).into());
        }
        check_output(&file, size)?;
        Ok((Self { path: path.into(), lock: Some(lock) }, checkpoint))
    }

    /// Prepares the folder for the steps after `step`: removes the metrics of later steps, since those steps will be
    /// repeated, and the temporary files of a process that was killed. Returns what was skipped in the metrics.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn rewind(&self, step: u64) -> Result<Option<String>, FileError> {
        let mut skipped = None;
        if exists(&self.metrics())? {
            let log = self.read_metrics()?;
            let lines: String = log.records.iter().filter(|m| m.step <= step).map(line).collect();
            replace(&self.metrics(), lines.as_bytes())?;
            skipped = log.skipped;
        }
        // Last: the metrics must be cut even if such a file cannot be removed.
        for folder in [self.path.clone(), self.samples()] {
            if exists(&folder)? {
                remove_temporaries(&folder)?;
            }
        }
        Ok(skipped)
    }

    /// Checks that the folder is still in its place.
    ///
    /// # Errors
    /// If it was moved or removed since it was created or resumed.
    pub fn check_place(&self) -> Result<(), FileError> {
        self.lock.as_ref().map_or(Ok(()), Lock::check)
    }

    /// Opens the folder at `path` for reading, without any check.
    pub fn open(path: &Path) -> Self {
        Self { path: path.into(), lock: None }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `checkpoint.safetensors`.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(Checkpoint::FILE)
    }

    /// The path of `metrics.jsonl`.
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// The path of the folder `samples`.
    pub fn samples(&self) -> PathBuf {
        self.path.join(SAMPLES)
    }

    /// The path of the sample picture after `step`.
    pub fn sample(&self, step: u64) -> PathBuf {
        self.samples().join(format!("step-{step:06}.png"))
    }

    /// Writes `config.json`.
    pub fn write_config(&self, config: &Config) -> Result<(), FileError> {
        let path = self.path.join(CONFIG);
        let json = serde_json::to_vec_pretty(config).map_err(|e| FileError::new(&path, e))?;
        replace(&path, &json)
    }

    /// Reads the settings in `config.json`, which must be in their ranges.
    pub fn read_config(&self) -> Result<Config, FileError> {
        let path = self.path.join(CONFIG);
        let failed = |reason: String| FileError::new(&path, reason);
        let config: Config = serde_json::from_slice(&read(&path)?).map_err(|e| failed(excerpt(&e.to_string())))?;
        config.check().map_err(|e| failed(e.to_string()))?;
        Ok(config)
    }

    /// Appends a line to `origin.jsonl`.
    pub fn add_origin(&self, origin: &Origin) -> Result<(), FileError> {
        append(&self.path.join(ORIGIN), origin)
    }

    /// Reads `origin.jsonl`, with one line per start or resumption of the training.
    pub fn read_origins(&self) -> Result<Log<Origin>, FileError> {
        Log::read(&self.path.join(ORIGIN))
    }

    /// Lists step and path of each sample picture, in order of steps.
    pub fn list_samples(&self) -> Result<Vec<(u64, PathBuf)>, FileError> {
        let folder = self.samples();
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            other => other.map_err(|e| FileError::unreadable(&folder, &e))?,
        };
        let mut samples = vec![];
        for entry in entries {
            let path = entry.map_err(|e| FileError::unreadable(&folder, &e))?.path();
            // Files with other names are not from the training.
            samples.extend(step_of(&path).map(|step| (step, path)));
        }
        samples.sort();
        Ok(samples)
    }

    /// Appends a line to `metrics.jsonl`.
    pub fn append(&self, metrics: &Metrics) -> Result<(), FileError> {
        append(&self.metrics(), metrics)
    }

    /// Reads `metrics.jsonl`.
    pub fn read_metrics(&self) -> Result<Log<Metrics>, FileError> {
        Log::read(&self.metrics())
    }
}

/// Checks that no file with a name of a run is in `folder`. An empty folder `samples` is none.
fn vacant(folder: &Path) -> Result<(), Error> {
    let taken = |name: &&&str| {
        let path = folder.join(name);
        let empty = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
        path.symlink_metadata().is_ok() && !empty
    };
    match TRAINING.iter().chain(&RESULTS).find(taken) {
        Some(found) => Err(Error::Occupied { folder: folder.into(), found: (*found).into() }),
        None => Ok(()),
    }
}

/// The step in the name of a sample picture.
fn step_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".png")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Preset;
    use std::fs;

    #[test]
    fn nothing_of_the_users_is_in_a_new_run() {
        let work = tempfile::tempdir().unwrap();
        for name in ["config.json", "samples.png", "samples/step-000003.png", "report.html", ".lock"] {
            let folder = work.path().join(name.replace('/', " "));
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "mine").unwrap();
            let error = RunFolder::create(&folder).unwrap_err().to_string();
            assert!(error.contains("already contains") && error.contains(&name[..name.len().min(7)]), "{error}");
            assert_eq!(fs::read(&file).unwrap(), b"mine");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "a refused folder is left as it was");
        }
        // Neither is it in a run that goes on.
        let run = work.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::write(run.join(Checkpoint::FILE), "").unwrap();
        fs::write(run.join(Lock::FILE), "mine").unwrap();
        let error = RunFolder::resume(&run).unwrap_err().to_string();
        assert!(error.contains("already contains .lock"), "{error}");
        assert_eq!(fs::read(run.join(Lock::FILE)).unwrap(), b"mine");
    }

    #[test]
    fn damaged_and_absurd_settings_are_refused_by_name() {
        let work = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(work.path()).unwrap();
        let config = Preset::Quick.config();
        folder.write_config(&config).unwrap();
        let good = fs::read_to_string(work.path().join(CONFIG)).unwrap();
        assert_eq!(folder.read_config().unwrap().width, config.width);
        let width = format!("\"width\": {}", config.width);
        for (bad, expected) in [
            (String::new(), "EOF"),
            (good[..good.len() / 2].into(), "EOF"),
            (good.replace(&width, "\"width\": 4611686018427387904"), "width"),
            (good.replace(&width, "\"width\": -1"), "invalid value"),
            (good.replace(&width, &format!("\"width\": \"{}\"", "x".repeat(500))), "invalid type"),
        ] {
            fs::write(work.path().join(CONFIG), bad).unwrap();
            let error = folder.read_config().unwrap_err().to_string();
            assert!(error.contains(CONFIG) && error.contains(expected), "{error}");
            assert!(error.len() < 300 + work.path().as_os_str().len(), "{error}");
        }
    }

    #[test]
    fn a_folder_that_a_killed_process_left_empty_is_taken() {
        let work = tempfile::tempdir().unwrap();
        fs::write(work.path().join("notes.txt"), "mine").unwrap();
        fs::create_dir(work.path().join(SAMPLES)).unwrap();
        drop(RunFolder::create(work.path()).unwrap());
        RunFolder::create(work.path()).unwrap();
    }

    #[test]
    fn one_process_writes_into_a_run() {
        let work = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(work.path()).unwrap();
        for refused in [RunFolder::check_new(work.path()).unwrap_err(), RunFolder::create(work.path()).unwrap_err()] {
            let text = refused.to_string();
            assert!(text.contains(&format!("in use by process {} on ", std::process::id())), "{text}");
        }
        drop(folder);
        RunFolder::create(work.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_moved_or_made_anew_is_noticed() {
        let work = tempfile::tempdir().unwrap();
        let (here, there) = (work.path().join("here"), work.path().join("there"));
        let folder = RunFolder::create(&here).unwrap();
        folder.check_place().unwrap();
        fs::rename(&here, &there).unwrap();
        let moved = folder.check_place().unwrap_err().to_string();
        assert!(moved.contains("here: the run folder was moved"), "{moved}");
        let _other = RunFolder::create(&here).unwrap();
        assert_eq!(folder.check_place().unwrap_err().to_string(), moved);
    }
}
