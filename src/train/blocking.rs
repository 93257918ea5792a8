//! Blocking forms of the asynchronous calls, for native programs, with data from folders.

use super::{Preview, Trainer};
use crate::classifier::Classifier;
use crate::compile::{Check, Finding};
use crate::data::{Images, Loaded, Split};
use crate::error::Error;
use crate::gpu::{Gpu, Profile};
use crate::method::Losses;
use crate::model::{Checkpoint, Config};
use crate::picture::Grid;
use crate::ranks::{Alone, Ranks};
use std::rc::Rc;

/// The training images of the folder that `config` names.
fn load(config: &Config) -> Result<Loaded, Error> {
    config.check()?;
    Ok(Images::load(&config.data, Split::Train, config.network.image(), config.background)?)
}

impl Trainer {
    /// Blocking form of [`new`](Self::new), on the images of the folder that `config` names.
    pub fn blocking_new(gpu: &Gpu, config: &Config) -> Result<Self, Error> {
        Self::blocking_new_among(gpu, config, Rc::new(Alone))
    }

    /// Blocking form of [`new_among`](Self::new_among), on the images of the folder that `config` names.
    pub fn blocking_new_among(gpu: &Gpu, config: &Config, ranks: Rc<dyn Ranks>) -> Result<Self, Error> {
        let data = load(config)?;
        let features =
            config.feature_extractor().map(|_| Classifier::features(&config.features, config.network)).transpose()?;
        gpu.wait(Self::new_among(gpu, config, data, features.unwrap_or_default(), ranks))
    }

    /// Blocking form of [`resume`](Self::resume), on the images of the folder that the checkpoint names.
    pub fn blocking_resume(gpu: &Gpu, checkpoint: Checkpoint) -> Result<Self, Error> {
        Self::blocking_resume_among(gpu, checkpoint, Rc::new(Alone))
    }

    /// Blocking form of [`resume_among`](Self::resume_among), on the images of the folder that the checkpoint names.
    pub fn blocking_resume_among(gpu: &Gpu, checkpoint: Checkpoint, ranks: Rc<dyn Ranks>) -> Result<Self, Error> {
        checkpoint.check_resumable()?;
        let data = load(&checkpoint.config)?;
        gpu.wait(Self::resume_among(gpu, checkpoint, data, ranks))
    }

    /// Blocking form of [`advance`](Self::advance).
    pub fn blocking_advance(&mut self) -> Result<(), Error> {
        self.gpu.clone().wait(self.advance())
    }

    /// Blocking form of [`losses`](Self::losses).
    pub fn blocking_losses(&self) -> Result<Losses, Error> {
        self.gpu.wait(self.losses())
    }

    /// Blocking form of [`profile`](Self::profile).
    pub fn blocking_profile(&mut self) -> Result<Profile, Error> {
        self.gpu.clone().wait(self.profile())
    }

    /// Blocking form of [`check`](Self::check).
    pub fn blocking_check(&mut self, check: Check) -> Result<Option<Finding>, Error> {
        self.gpu.clone().wait(self.check(check))
    }

    /// Blocking form of [`checkpoint`](Self::checkpoint).
    pub fn blocking_checkpoint(&self) -> Result<Checkpoint, Error> {
        self.gpu.wait(self.checkpoint())
    }

    /// The [`preview`](Self::preview) as a grid: rows of z, f(z), f(f(z)) and f(f(f(z))), and of x and f(x).
    ///
    /// # Errors
    /// If the adapter fails.
    pub fn picture(&self) -> Result<Grid, Error> {
        let Preview { z, f, x, fx } = self.gpu.wait(self.preview())?;
        let grid = Grid::new(self.config().network.image()).row("z", &z);
        let grid = grid.row("f(z)", &f[0]).row("f(f(z))", &f[1]).row("f(f(f(z)))", &f[2]);
        Ok(grid.space().row("x", &x).row("f(x)", &fx))
    }
}
