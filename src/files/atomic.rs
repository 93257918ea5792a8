use super::FileError;
use std::io::{Error, Write};
use std::path::Path;

/// Replaces the file at `path` atomically: writes `contents` to a temporary file in the same folder, syncs it to disk
/// and renames it to `path`. Creates missing folders.
///
/// # Errors
/// If the file cannot be written. An older file then remains.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write(path, contents).map_err(|e| FileError::unwritable(path, &e))
}

fn write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private; results must be readable like any other file.
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}
