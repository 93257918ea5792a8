//! Folders of pictures.

use crate::files::FileError;
use std::path::{Path, PathBuf};

/// Lists the JPEG and PNG files in `folder` and its subfolders, in order of their paths.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let failed = |e| FileError::unreadable(folder, &e);
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(list(&path)?);
        } else if is_picture(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    extension.is_some_and(|e| ["jpg", "jpeg", "png"].contains(&e.as_str()))
}
