//! Trainings in run folders.

use super::{Trainer, Watch};
use crate::error::Error;
use crate::model::Config;
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
    /// Text of a warning: of the [`Watch`], or of a log or a picture that was skipped.
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

/// Trains on a rank other than 0, which follows the [`Training`] of rank 0: up to the last step, or until a stop is
/// requested at any rank.
///
/// # Errors
/// If the adapter fails, or the ranks differ.
pub fn follow(trainer: &mut Trainer, stop: &AtomicBool) -> Result<Outcome, Error> {
    while trainer.step() < trainer.config().steps {
        trainer.blocking_advance()?;
        if asked(trainer, stop) && trainer.step() < trainer.config().steps {
            return Ok(Outcome::Stopped);
        }
    }
    Ok(Outcome::Done)
}

/// Whether a stop is requested at any rank.
fn asked(trainer: &Trainer, stop: &AtomicBool) -> bool {
    trainer.ranks().any(stop.load(Ordering::Relaxed))
}

/// A training in a run folder. Logs, draws and saves what is due after each step, of whatever kind the step is.
/// Of several ranks, rank 0 has it, and the others [`follow`].
pub struct Training<'a> {
    trainer: &'a mut Trainer,
    folder: &'a RunFolder,
    stop: &'a AtomicBool,
    on: &'a mut dyn FnMut(Event),
    config: Config,
    watch: Watch,
    /// Time of the last line of metrics, and number of images since then.
    since: Instant,
    images: usize,
    /// The step of the checkpoint in the folder.
    saved: u64,
    stopped: bool,
}

impl<'a> Training<'a> {
    /// Starts or resumes a training. A new one is saved at once, so that it can be resumed from then on. `on` is called
    /// for every event. Once `stop` is set, the training ends after the current step, which is saved.
    ///
    /// # Errors
    /// If the adapter fails, or a file cannot be written.
    pub fn start(
        trainer: &'a mut Trainer,
        folder: &'a RunFolder,
        stop: &'a AtomicBool,
        on: &'a mut dyn FnMut(Event),
    ) -> Result<Self, Error> {
        if trainer.step() == 0 {
            trainer.blocking_checkpoint()?.save(&folder.checkpoint())?;
        }
        let config = trainer.config().clone();
        folder.write_config(&config)?;
        // A training is worth more than its log.
        if let Some(text) = folder.rewind(trainer.step()).unwrap_or_else(|e| Some(e.to_string())) {
            on(Event::Warning(text));
        }
        let (watch, since, saved) = (Watch::default(), Instant::now(), trainer.step());
        let mut training = Self { trainer, folder, stop, on, config, watch, since, images: 0, saved, stopped: false };
        // The picture of the step that the training resumes after may have been skipped or removed.
        if saved > 0 && training.due(training.config.sample_every) && !folder.sample(saved).exists() {
            training.draw()?;
        }
        Ok(training)
    }

    /// Takes one step by `take`, such as [`Trainer::blocking_advance`] or [`Trainer::blocking_profile`].
    ///
    /// # Errors
    /// If `take` fails, a loss or a tensor to be saved is not finite, or a checkpoint cannot be written. The last
    /// checkpoint remains.
    pub fn step<T, E: From<Error>>(&mut self, take: impl FnOnce(&mut Trainer) -> Result<T, E>) -> Result<T, E> {
        let taken = take(self.trainer)?;
        self.after().map_err(|error| match error {
            Error::NotFinite { step, what } => {
                let path = self.folder.checkpoint();
                let what = format!("{what}. The last finite checkpoint is {} of step {}", path.display(), self.saved);
                Error::NotFinite { step, what }
            }
            error => error,
        })?;
        Ok(taken)
    }

    /// Trains up to the last step, or until a stop is requested.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(mut self) -> Result<Outcome, Error> {
        while self.trainer.step() < self.config.steps {
            if self.stopped {
                return Ok(Outcome::Stopped);
            }
            self.step(Trainer::blocking_advance)?;
        }
        Ok(Outcome::Done)
    }

    fn after(&mut self) -> Result<(), Error> {
        let step = self.trainer.step();
        self.images += self.config.images_per_step();
        let Config { log_every, sample_every, checkpoint_every, .. } = self.config;
        let [log, draw, save] = [log_every, sample_every, checkpoint_every].map(|every| self.due(every));

        let metrics = if log { Some(self.log(step)?) } else { None };
        (self.on)(Event::Step(step, metrics));
        self.stopped = asked(self.trainer, self.stop);
        let checkpoint = if save || self.stopped { Some(self.trainer.blocking_checkpoint()?) } else { None };
        if draw || checkpoint.is_some() {
            self.folder.check_place()?;
        }
        // The picture is there before the checkpoint that resumes after it.
        if draw {
            self.draw()?;
        }
        if let Some(checkpoint) = checkpoint {
            let path = self.folder.checkpoint();
            checkpoint.save(&path)?;
            self.saved = step;
            (self.on)(Event::Saved(path));
        }
        Ok(())
    }

    /// Whether what comes every `every` steps, and after the last one, comes after this step.
    fn due(&self, every: u64) -> bool {
        let step = self.trainer.step();
        step.is_multiple_of(every) || step == self.config.steps
    }

    /// Draws the picture of this step.
    fn draw(&mut self) -> Result<(), Error> {
        let path = self.folder.sample(self.trainer.step());
        (self.on)(match self.trainer.picture()?.save(&path) {
            Ok(()) => Event::Picture(path),
            Err(e) => Event::Warning(format!("the picture is skipped: {e}")),
        });
        Ok(())
    }

    /// Writes the metrics of `step`.
    fn log(&mut self, step: u64) -> Result<Metrics, Error> {
        let losses = self.trainer.blocking_losses()?;
        let images_per_second = self.images as f64 / self.since.elapsed().as_secs_f64();
        (self.since, self.images) = (Instant::now(), 0);
        let metrics = Metrics { step, losses, images_per_second };
        self.folder.check_place()?;
        if let Err(e) = self.folder.append(&metrics) {
            (self.on)(Event::Warning(format!("the metrics of step {step} are skipped: {e}")));
        }
        if let Some(verdict) = self.watch.observe(step, self.config.steps, &losses) {
            (self.on)(Event::Warning(verdict));
        }
        Ok(metrics)
    }
}
