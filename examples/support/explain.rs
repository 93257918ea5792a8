//! Library errors in terms of the command line.

use std::error::Error;

/// Runs a program. On error, prints an explanation and exits with status 1.
pub fn explained(run: impl FnOnce() -> Result<(), Box<dyn Error>>) {
    if let Err(error) = run() {
        eprintln!("error: {}", words(error.as_ref()));
        std::process::exit(1);
    }
}

fn words(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(ign::error::Error::Setting { name, reason }) => format!("--{} {reason}", name.replace('_', "-")),
        Some(ign::error::Error::Occupied(_)) => {
            format!("{error}; continue it with --resume, or choose another with --out")
        }
        Some(ign::error::Error::NotFinite { .. }) => format!(
            "{error}. Resume from the last checkpoint with --check finite to find the cause, or use a smaller \
             --learning-rate."
        ),
        _ => error.to_string(),
    }
}
