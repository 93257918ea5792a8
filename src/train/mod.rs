//! Training: settings, the loop, checkpoints, the run folder, and trained networks to be applied.

mod checkpoint;
mod collapse;
mod config;
mod error;
mod generator;
mod run_folder;
mod trainer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use collapse::Watch;
pub use config::{Bound, Config, NoiseKind, Preset};
pub use error::TrainError;
pub use generator::{Generator, Statistics};
pub use run_folder::{Metrics, Origin, RunFolder};
pub use trainer::{Losses, Trainer};

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What happens in a training.
pub enum Event {
    /// A step is done; metrics where it has a line of them.
    Step(u64, Option<Metrics>),
    /// A picture was written.
    Picture(PathBuf),
    /// A checkpoint was written.
    Saved(PathBuf),
    /// Something that a person should know.
    Warning(String),
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Done,
    /// It was asked to stop, and saved.
    Stopped,
}

/// Trains up to the last step, or until `stop` is set: then it finishes the step and saves. `on` hears of everything.
///
/// # Errors
/// Where the adapter fails, a file cannot be written, or the losses are no longer finite. Older checkpoints stay.
pub fn train(
    trainer: &mut Trainer,
    folder: &RunFolder,
    stop: &AtomicBool,
    on: &mut dyn FnMut(Event),
) -> Result<Outcome, TrainError> {
    let config = trainer.config().clone();
    folder.write_config(&config)?;
    let mut watch = Watch::default();
    let (mut since, mut images) = (Instant::now(), 0);
    let save = |trainer: &Trainer, on: &mut dyn FnMut(Event)| -> Result<(), TrainError> {
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
                let text = format!(
                    "the losses are no longer finite at step {step}: {losses:?}. Go on from the last checkpoint with \
                     --check finite to see where it begins, or use a smaller --learning-rate."
                );
                return Err(TrainError::Config(text));
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
