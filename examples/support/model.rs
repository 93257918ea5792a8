//! The trained model that an example applies.

use ign::files::FileError;
use ign::model::Checkpoint;
use std::path::Path;

/// Loads the model of a run folder or file. Says if some of its numbers are not finite.
pub fn load(run: &Path) -> Result<Checkpoint, FileError> {
    let checkpoint = Checkpoint::load(run)?;
    if let Some(odd) = checkpoint.not_finite() {
        note!("warning: {}: {odd}. What it draws says nothing about the training.", run.display());
    }
    Ok(checkpoint)
}
