//! Library errors in terms of the command line.

use std::error::Error;

/// Runs a program, as the whole of its `main`. On error, prints an explanation and exits with status 1.
pub fn explained(run: impl FnOnce() -> Result<(), Box<dyn Error>>) {
    crate::say::without_display();
    if let Err(error) = run() {
        note!("error: {}", words(error.as_ref()));
        fail();
    }
}

/// Ends the process with status 1, at once: the exit handlers of a driver crash now and then after its device has failed,
/// while its threads still run.
fn fail() -> ! {
    #[cfg(unix)]
    // SAFETY: `_exit` has no conditions. All output was written by lines, which leave no buffer behind.
    unsafe {
        libc::_exit(1)
    }
    #[cfg(not(unix))]
    std::process::exit(1)
}

fn words(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(ign::error::Error::Setting { name, reason }) => format!("--{} {reason}", name.replace('_', "-")),
        Some(ign::error::Error::Occupied { .. }) => {
            format!("{error}. Resume a run that is there with --resume, or choose another folder with --out")
        }
        Some(ign::error::Error::InUse { .. }) => {
            format!("{error}. Wait for its end, stop it with Ctrl-C, or choose another folder with --out")
        }
        Some(ign::error::Error::NotFinite { .. }) => {
            format!("{error}. The same settings diverge again: train anew with a smaller learning rate")
        }
        _ => error.to_string(),
    }
}
