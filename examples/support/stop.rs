//! Requests to stop: Ctrl-C, SIGTERM (batch systems, containers) and SIGHUP (a closed terminal).

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Installs the handlers and returns a flag that the first request sets. Another request exits at once.
pub fn requests() -> Result<Arc<AtomicBool>, Box<dyn Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let mut first = None;
    #[cfg(unix)]
    let hangup = ignore_hangup();
    ctrlc::set_handler(move || {
        // A terminal that closes, and some batch systems, send several signals at once.
        if first.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(1) {
            std::process::exit(130);
        }
        if !asked.swap(true, Ordering::Relaxed) {
            note!("\nfinishing the step (press Ctrl-C again to exit at once) ...");
        }
    })?;
    // Under nohup the program outlives its terminal.
    #[cfg(unix)]
    if hangup == libc::SIG_IGN {
        ignore_hangup();
    }
    Ok(stop)
}

/// Ignores SIGHUP, and returns what was done at it before.
#[cfg(unix)]
fn ignore_hangup() -> libc::sighandler_t {
    // SAFETY: `signal` is called with a valid signal, and with a disposition that runs no code.
    unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) }
}
