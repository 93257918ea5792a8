//! The training of an Idempotent Generative Network: task, training loop with checkpoints and pictures, and detection
//! of failures.

mod collapse;
mod trainer;

pub use collapse::Watch;
pub use trainer::Trainer;

use crate::error::Error;
use crate::run::{Metrics, RunFolder};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A training event.
pub enum Event {
    /// Completion of a step, with its metrics if it is logged.
    Step(u64, Option<Metrics>),
    /// Path of a new picture.
    Picture(PathBuf),
    /// Path of a new checkpoint.
    Saved(PathBuf),
    /// Text of a warning of the [`Watch`].
    Warning(String),
}

/// The outcome of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Completion of all steps.
    Done,
    /// A stop on request, after saving a checkpoint.
    Stopped,
}

/// Trains up to the last step, or until `stop` is set; the current step is then finished and saved. Calls `on` for
/// every event.
///
/// # Errors
/// If the adapter fails, a file cannot be written, or a loss is infinite or NaN. The last checkpoint remains.
pub fn train(
    trainer: &mut Trainer,
    folder: &RunFolder,
    stop: &AtomicBool,
    on: &mut dyn FnMut(Event),
) -> Result<Outcome, Error> {
    let config = trainer.config().clone();
    folder.write_config(&config)?;
    let mut watch = Watch::default();
    let (mut since, mut images) = (Instant::now(), 0);
    let save = |trainer: &Trainer, on: &mut dyn FnMut(Event)| -> Result<(), Error> {
        trainer.checkpoint()?.save(&folder.checkpoint())?;
        on(Event::Saved(folder.checkpoint()));
        Ok(())
    };
    while trainer.step() < config.steps {
        trainer.advance()?;
        let step = trainer.step();
        images += config.batch;
        let last = step == config.steps;
        let due = |every: u64| step.is_multiple_of(every) || last;

        let mut metrics = None;
        if due(config.log_every) {
            let losses = trainer.losses()?;
            if ![losses.rec, losses.idem, losses.tight].iter().all(|l| l.is_finite()) {
                return Err(Error::NotFinite { step, losses: losses.to_string() });
            }
            let images_per_second = images as f64 / since.elapsed().as_secs_f64();
            (since, images) = (Instant::now(), 0);
            let line = Metrics { step, losses, images_per_second };
            folder.append(&line)?;
            if let Some(verdict) = watch.observe(step, config.steps, &losses) {
                on(Event::Warning(verdict));
            }
            metrics = Some(line);
        }
        on(Event::Step(step, metrics));

        let stopping = stop.load(Ordering::Relaxed);
        if due(config.checkpoint_every) || stopping {
            save(trainer, on)?;
        }
        if due(config.sample_every) {
            trainer.picture()?.save(&folder.sample(step))?;
            on(Event::Picture(folder.sample(step)));
        }
        if stopping && !last {
            return Ok(Outcome::Stopped);
        }
    }
    Ok(Outcome::Done)
}
