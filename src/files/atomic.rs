use super::FileError;
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Replaces the file at `path` atomically: writes `contents` to a temporary file in the same folder, syncs it to disk,
/// renames it to `path`, and syncs the folder. Creates missing folders.
///
/// A link stays a link: its target is replaced. A new file has the permissions of the umask, a replaced one keeps its
/// own. A device or a pipe cannot be replaced, and is written to.
///
/// # Errors
/// If the file cannot be written, is read-only or a folder. An older file then remains.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write(path, contents).map_err(|e| FileError::unwritable(path, &e))
}

/// Checks that [`replace`] can write `bytes` bytes to `path`, before the work that leads to them. Writes as many to a
/// temporary file, in the closest folder that exists, and removes it.
///
/// # Errors
/// As [`replace`].
pub fn check_output(path: &Path, bytes: u64) -> Result<(), FileError> {
    let attempt = || {
        let place = Place::of(path)?;
        if place.is_special() {
            return Ok(());
        }
        let closest = place.folder.ancestors().map(or_here).find(|folder| folder.exists());
        let mut file = temporary(closest.unwrap_or(Path::new(".")))?;
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), bytes), &mut file)?;
        file.as_file().sync_all()
    };
    attempt().map_err(|e| FileError::unwritable(path, &e))
}

/// The first of the paths `name.ext`, `name-2.ext`, `name-3.ext`, … at which there is no file, nor one with any of the
/// `other` extensions.
pub fn unused(path: &Path, other: &[&str]) -> PathBuf {
    let exists = |path: &Path| path.symlink_metadata().is_ok();
    let free = |path: &PathBuf| !exists(path) && !other.iter().any(|extension| exists(&path.with_extension(extension)));
    let numbered = |n: u64| {
        let mut name = path.file_stem().unwrap_or_default().to_os_string();
        name.push(format!("-{n}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    };
    std::iter::once(path.into())
        .chain((2..).map(numbered))
        .find(free)
        .expect("a folder has fewer files than there are numbers")
}

/// Removes the temporary files that a killed process left in `folder`. A process that writes there meanwhile fails.
pub(crate) fn remove_temporaries(folder: &Path) -> Result<(), FileError> {
    let entries = std::fs::read_dir(folder).map_err(|e| FileError::unreadable(folder, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| FileError::unreadable(folder, &e))?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            match std::fs::remove_file(entry.path()) {
                // Whoever wrote it has renamed it meanwhile.
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(|e| FileError::new(entry.path(), e))?,
            }
        }
    }
    Ok(())
}

/// How the names of temporary files begin and end.
const PREFIX: &str = ".ign-";
const SUFFIX: &str = ".tmp";

/// Where a file will be, and what is there now.
struct Place {
    path: PathBuf,
    folder: PathBuf,
    older: Option<Metadata>,
}

impl Place {
    /// The place of the file at `path`, behind all links.
    fn of(path: &Path) -> Result<Self, Error> {
        let older = match path.metadata() {
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            other => Some(other?),
        };
        let mut path = path.to_path_buf();
        // The link to a pipe, as /dev/stdout can be one, is no path.
        if older.as_ref().is_none_or(|older| older.is_file() || older.is_dir()) {
            // The system follows as many links.
            for _ in 0..40 {
                match std::fs::read_link(&path) {
                    Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
                    Err(_) => break,
                }
            }
        }
        let folder = folder_of(&path).to_path_buf();
        let failed = |kind, reason: &str| Err(Error::new(kind, reason));
        match &older {
            Some(older) if older.is_dir() => failed(ErrorKind::IsADirectory, "it is a folder"),
            Some(older) if older.permissions().readonly() => failed(ErrorKind::PermissionDenied, "it is read-only"),
            None if path.file_name().is_none() || path.as_os_str().to_string_lossy().ends_with('/') => {
                failed(ErrorKind::InvalidFilename, "it is no name of a file")
            }
            _ => Ok(Self { path, folder, older }),
        }
    }

    /// Whether this is a device or a pipe.
    fn is_special(&self) -> bool {
        self.older.as_ref().is_some_and(|older| !older.is_file())
    }
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(Path::new("")))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn temporary(folder: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // Temporary files are private by default. The system takes the umask off.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let place = Place::of(path)?;
    if place.is_special() {
        return File::options().write(true).open(&place.path)?.write_all(contents);
    }
    std::fs::create_dir_all(&place.folder)?;
    let mut file = temporary(&place.folder)?;
    file.write_all(contents)?;
    if let Some(older) = &place.older {
        file.as_file().set_permissions(older.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&place.path).map_err(|e| e.error)?;
    // The new file is there. Only after a power cut could the folder still hold the older one, and some file systems
    // cannot sync a folder.
    #[cfg(unix)]
    let _ = File::open(&place.folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("new/file");
        check_output(&path, 1 << 20).unwrap();
        assert!(names(work.path()).is_empty(), "a trial makes nothing");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(names(&work.path().join("new")), ["file"]);
    }

    #[test]
    fn temporary_files_of_the_dead_are_removed_and_no_others() {
        let work = tempfile::tempdir().unwrap();
        temporary(work.path()).unwrap().keep().unwrap();
        for mine in [".ign-notes", "ign-1.tmp", ".tmp"] {
            std::fs::write(work.path().join(mine), "").unwrap();
        }
        assert_eq!(names(work.path()).len(), 4);
        remove_temporaries(work.path()).unwrap();
        assert_eq!(names(work.path()), [".ign-notes", ".tmp", "ign-1.tmp"]);
    }

    #[test]
    fn what_cannot_be_written_is_refused_by_both_alike() {
        let work = tempfile::tempdir().unwrap();
        let read_only = work.path().join("read-only");
        std::fs::write(&read_only, "mine").unwrap();
        let mut permissions = read_only.metadata().unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&read_only, permissions).unwrap();
        let cases = [
            (work.path().to_path_buf(), "it is a folder"),
            (read_only.clone(), "it is read-only"),
            (read_only.join("below"), "below"),
            (work.path().join("new/"), "no name of a file"),
            (PathBuf::new(), "no name of a file"),
        ];
        for (path, why) in cases {
            for error in [check_output(&path, 1).unwrap_err(), replace(&path, b"").unwrap_err()] {
                let text = error.to_string();
                assert!(text.contains(why) && text.contains("cannot be written"), "{text}, expected: {why}");
            }
        }
        assert_eq!(std::fs::read(&read_only).unwrap(), b"mine");
        assert_eq!(names(work.path()), ["read-only"]);
    }

    #[test]
    fn a_name_that_is_not_taken_is_found() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        assert_eq!(unused(&at("a.png"), &["json"]), at("a.png"));
        std::fs::write(at("a.json"), "").unwrap();
        std::fs::write(at("a-2.png"), "").unwrap();
        assert_eq!(unused(&at("a.png"), &["json"]), at("a-3.png"));
        assert_eq!(unused(&at("a.png"), &[]), at("a.png"));
        assert_eq!(unused(&at("a.json"), &[]), at("a-2.json"));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let mode = |name: &str| at(name).metadata().unwrap().permissions().mode() & 0o777;
        std::fs::write(at("plain"), "").unwrap();
        replace(&at("first"), b"1").unwrap();
        assert_eq!(mode("first"), mode("plain"), "a new file has the permissions of the umask");

        std::fs::set_permissions(at("first"), PermissionsExt::from_mode(0o640)).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        symlink("../first", at("folder/link")).unwrap();
        symlink("folder/link", at("chain")).unwrap();
        replace(&at("chain"), b"2").unwrap();
        assert_eq!((std::fs::read(at("first")).unwrap(), mode("first")), (b"2".to_vec(), 0o640));
        assert!(at("chain").is_symlink() && at("folder/link").is_symlink());

        symlink("elsewhere/new", at("dangling")).unwrap();
        replace(&at("dangling"), b"3").unwrap();
        assert_eq!(std::fs::read(at("elsewhere/new")).unwrap(), b"3");
        symlink("loop", at("loop")).unwrap();
        assert!(replace(&at("loop"), b"").is_err() && at("loop").is_symlink());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let full = Path::new("/dev/full");
        assert!(check_output(full, 1).is_ok());
        assert!(replace(full, b"1").unwrap_err().to_string().contains("No space left"));
        assert!(!full.metadata().unwrap().is_file());
    }

    /// As /dev/stdout is, in `program >file | other`.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_behind_a_link_is_written_to() {
        use std::io::Read;
        use std::os::fd::AsRawFd;
        let (mut reader, writer) = std::io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", writer.as_raw_fd()));
        check_output(&path, 1).unwrap();
        replace(&path, b"one").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one");
    }
}
