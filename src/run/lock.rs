use crate::error::Error;
use crate::files::FileError;
use std::fs::{File, Metadata, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The right to write into a run folder: a locked file in it, which tells who holds it. The system releases the lock when
/// the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

/// How a lock begins, before the number of the process.
const HOLDER: &str = "process ";

impl Lock {
    /// The name of the locked file.
    pub const FILE: &'static str = ".lock";

    /// Locks the existing folder `folder`. A file of this name that another program wrote is left as it is.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        let failed = |e: &std::io::Error| FileError::unwritable(&path, e);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(|e| failed(&e))?;
        match file.try_lock() {
            Ok(()) => {}
            // A file system without locks is used without one.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(failed(&e).into()),
            Err(TryLockError::WouldBlock) => {
                // Windows lets no other process read a locked file.
                let mut by = String::new();
                let _ = file.read_to_string(&mut by);
                let by = if by.is_empty() { "another process" } else { by.trim_end() };
                return Err(Error::InUse { folder: folder.into(), by: by.into() });
            }
        }
        let mut found = vec![];
        file.read_to_end(&mut found).map_err(|e| failed(&e))?;
        if !found.is_empty() && !found.starts_with(HOLDER.as_bytes()) {
            return Err(Error::Occupied { folder: folder.into(), found: Self::FILE.into() });
        }
        let host = gethostname::gethostname();
        let holder = format!("{HOLDER}{} on {}\n", std::process::id(), host.display());
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        written.map_err(|e| failed(&e))?;
        Ok(Self { path, file })
    }

    /// Checks that the folder is still where it was.
    pub fn check(&self) -> Result<(), FileError> {
        let there = || std::io::Result::Ok(is_same(&self.file.metadata()?, &self.path.metadata()?));
        match there() {
            Ok(true) => Ok(()),
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(FileError::unreadable(&self.path, &e)),
            _ => {
                let reason = "the run folder was moved, removed or replaced during the training. Its last checkpoint \
                              is in the folder that was moved; resume from there";
                Err(FileError::new(self.path.parent().unwrap_or(&self.path), reason))
            }
        }
    }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Windows does not let a folder with an open file be moved.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
