//! Trains an Idempotent Generative Network.
//!
//!     cargo run --release --example train -- --preset quick

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/explain.rs"]
mod explain;
#[path = "../support/model.rs"]
mod model;
mod progress;
mod ranks;
mod settings;
#[path = "../support/stop.rs"]
mod stop;
#[path = "../support/suited.rs"]
mod suited;

use clap::{ArgMatches, Parser};
use explain::explained;
use ign::compile::Check;
use ign::files::{half_precision, replace};
use ign::model::{Checkpoint, Config};
use ign::native::{open, open_nth, trace};
use ign::ranks::Ranks;
use ign::report::Run;
use ign::run::{Origin, RunFolder, check_results, quoted};
use ign::train::{Outcome, Trainer, Training, follow};
use progress::{Progress, words};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Trains an Idempotent Generative Network on MNIST or on a folder of pictures. Ctrl-C, SIGTERM and SIGHUP finish the
/// current step and save a checkpoint.
///
/// The run folder holds config.json, origin.jsonl, metrics.jsonl, samples/*.png, checkpoint.safetensors and
/// report.html.
#[derive(Parser)]
struct Arguments {
    /// Preset of the settings: quick (digits in minutes), mnist (best digits of docs/study.md), published (the paper's
    /// recipe for MNIST) or faces (64×64 colour images). The defaults below are the values of the chosen preset.
    #[arg(long, default_value = "quick", conflicts_with = "resume")]
    preset: String,
    /// Folder of the new run, without a run in it [default: runs/PRESET].
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Run to resume: its folder, or the checkpoint in it. Only the settings steps, data and *-every may change.
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
    /// Runs one profiled step first and prints the time of every operation. With a file, also writes a trace in Chrome's
    /// JSON, for <https://ui.perfetto.dev> or chrome://tracing.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    profile: Option<Option<PathBuf>>,
    /// Runs one checked step first and reports the first operation whose output is not finite (finite) or deviates
    /// from its f64 reference (reference).
    #[arg(long, value_name = "finite|reference", value_parser = ["finite", "reference"])]
    check: Option<String>,
    /// Safetensors file for the inputs, losses and gradients of the first step, to compare with other frameworks.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Safetensors file for the model of the run given by --resume, without the optimiser's state. Does not train.
    #[arg(long, value_name = "FILE", requires = "resume", conflicts_with_all = ["trace", "profile", "check", "adapter"])]
    publish: Option<PathBuf>,
    /// Publishes in half precision, at half the size.
    #[arg(long, requires = "publish")]
    half: bool,
}

fn main() {
    explained(|| {
        let (arguments, settings) = settings::parse()?;
        let ranks = ranks::join()?;
        match (&arguments.resume, &arguments.publish) {
            (Some(run), Some(path)) => {
                settings::none(&settings)?;
                publish(run, path, arguments.half)?;
            }
            _ => train(&arguments, &settings, &ranks)?,
        }
        ranks.finish();
        Ok(())
    });
}

/// A training to be started or resumed, before its adapter is opened.
struct Plan {
    config: Config,
    /// The state to resume from.
    checkpoint: Option<Checkpoint>,
    /// The folder of a resumed run, on the rank that writes to it.
    folder: Option<RunFolder>,
}

fn train(arguments: &Arguments, settings: &ArgMatches, ranks: &Rc<dyn Ranks>) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let leads = ranks.rank() == 0;
    let new = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&arguments.preset));
    let run = arguments.resume.as_ref().unwrap_or(&new);
    let Plan { config, checkpoint, folder } = plan(arguments, settings, run, leads)?;
    if let Some(Checkpoint { step, .. }) = checkpoint.as_ref().filter(|checkpoint| checkpoint.step > config.steps) {
        if leads {
            say!("{} has {step} steps; --steps {} leaves nothing to do", run.display(), config.steps);
        }
        return Ok(());
    }
    let outputs: Vec<_> = arguments.profile.iter().flatten().chain(&arguments.trace).map(PathBuf::as_path).collect();
    let checkpoint_file = run.join(Checkpoint::FILE);
    let mut inputs = vec![run.as_path(), &checkpoint_file, &config.data];
    inputs.extend((config.perceptual > 0.0).then_some(config.features.as_path()));
    check_results(&inputs, &outputs)?;
    check_first(arguments, config.steps - checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.step), ranks.count())?;
    let gpu = match arguments.adapter.as_deref() {
        None => open_nth(ranks.local())?,
        adapter => open(adapter)?,
    };
    // The trainer checks settings and data before a folder is created.
    let mut trainer = match checkpoint {
        Some(checkpoint) => Trainer::blocking_resume_among(&gpu, checkpoint, ranks.clone())?,
        None => Trainer::blocking_new_among(&gpu, &config, ranks.clone())?,
    };
    let stop = stop::requests()?;
    if !leads {
        follow(&mut trainer, &stop)?;
        return Ok(());
    }
    let folder = folder.map_or_else(|| RunFolder::create(&new), Ok)?;
    let adapter = match ranks.count() {
        1 => gpu.caps().to_string(),
        count => format!("{}, the first of {count} ranks", gpu.caps()),
    };
    say!("adapter  {adapter}");
    describe(&trainer, &folder, start.elapsed());
    let mut progress = Progress::new(trainer.config(), trainer.step());
    let mut on = |event| progress.show(event);
    let training = Training::start(&mut trainer, &folder, &stop, &mut on)?;
    if let Err(e) = folder.add_origin(&Origin::here(&adapter)) {
        note!("warning: {e}");
    }
    let outcome = go(training, arguments, &adapter).inspect_err(|error| {
        if let Some(ign::error::Error::NotFinite { .. }) = error.downcast_ref() {
            note!("To find the operation, train from its last checkpoint with --check finite");
        }
    })?;
    progress.finish();
    report(&trainer, &folder, outcome, start.elapsed());
    Ok(())
}

/// What is to be done in the folder `run`, which only the rank that `leads` claims.
fn plan(arguments: &Arguments, settings: &ArgMatches, run: &Path, leads: bool) -> Result<Plan, Box<dyn Error>> {
    if arguments.resume.is_none() {
        if leads {
            RunFolder::check_new(run)?;
        }
        return Ok(Plan { config: settings::new(settings)?, checkpoint: None, folder: None });
    }
    let (folder, mut checkpoint) = match leads {
        true => RunFolder::resume(run).map(|(folder, checkpoint)| (Some(folder), checkpoint))?,
        false => (None, Checkpoint::load(run)?),
    };
    checkpoint.config = settings::changed(&checkpoint.config, settings)?;
    Ok(Plan { config: checkpoint.config.clone(), checkpoint: Some(checkpoint), folder })
}

/// Checks that the first steps that the arguments ask for can be taken, when `left` steps are left.
fn check_first(arguments: &Arguments, left: u64, ranks: usize) -> Result<(), Box<dyn Error>> {
    let first = [arguments.trace.is_some(), arguments.profile.is_some(), arguments.check.is_some()];
    let wanted = first.iter().filter(|&&first| first).count();
    if wanted as u64 > left {
        let text = "--trace, --profile and --check take a step each";
        return Err(format!("{text}, {wanted} together; there are {left}. Give more --steps").into());
    }
    match wanted > 0 && ranks > 1 {
        true => Err("--trace, --profile and --check are for a single process, without mpirun".into()),
        false => Ok(()),
    }
}

/// Writes the report of a training, and says how it ended and what comes next.
fn report(trainer: &Trainer, folder: &RunFolder, outcome: Outcome, time: Duration) {
    // The training is saved, whatever happens to its report.
    let report = folder.path().join("report.html");
    let reported = Run::load(folder.path()).and_then(|run| {
        run.warnings().iter().for_each(|warning| note!("warning: {warning}"));
        Run::report(&[run], &report)
    });
    if let Err(e) = &reported {
        note!("warning: there is no new report: {e}");
    }
    let path = quoted(folder.path());
    match outcome {
        Outcome::Stopped => {
            say!("stopped after step {} of {}. Resume with:", trainer.step(), trainer.config().steps);
            say!("  cargo run --release --example train -- --resume {path}");
        }
        Outcome::Done => {
            say!("trained {} steps in {}", trainer.step(), words(time));
            let picture = folder.sample(trainer.step());
            if picture.exists() {
                say!("pictures    {}", picture.display());
            }
            say!("checkpoint  {}", folder.checkpoint().display());
            if reported.is_ok() {
                say!("report      {}", report.display());
            }
            say!("next        cargo run --release --example sample -- {path}");
        }
    }
}

/// Writes the model of a run without the optimiser's state.
fn publish(run: &Path, path: &Path, half: bool) -> Result<(), Box<dyn Error>> {
    check_results(&[run], &[path])?;
    let checkpoint = model::load(run)?;
    let bytes = checkpoint.published()?.to_bytes()?;
    replace(path, &if half { half_precision(&bytes)? } else { bytes })?;
    say!("published  model after {} steps: {}", checkpoint.step, path.display());
    Ok(())
}

/// Takes the first steps that the arguments ask for, then all others.
fn go(mut training: Training<'_>, arguments: &Arguments, adapter: &str) -> Result<Outcome, Box<dyn Error>> {
    if let Some(path) = &arguments.trace {
        training.step(|trainer| trainer.trace(path))?;
        say!("traced   the first step to {}", path.display());
    }
    if let Some(file) = &arguments.profile {
        let profile = training.step(Trainer::blocking_profile)?;
        say!("{profile}");
        if let Some(path) = file {
            replace(path, trace(&profile, adapter).as_bytes())?;
            say!("profile  {}", path.display());
        }
    }
    if let Some(check) = &arguments.check {
        let check = if check == "finite" { Check::Finite } else { Check::Reference };
        training.step(|trainer| match trainer.blocking_check(check)? {
            Some(finding) => Err(format!("step {} fails the check here:\n{finding}", trainer.step() + 1).into()),
            None => Ok::<(), Box<dyn Error>>(()),
        })?;
        say!("checked  every operation of this step: no errors");
    }
    Ok(training.run()?)
}

fn describe(trainer: &Trainer, folder: &RunFolder, ready: Duration) {
    let config = trainer.config();
    let parameters: usize = config.layers().parameters().iter().map(|p| p.shape.elements()).sum();
    let [c, h, w] = config.network.image();
    say!("network  {c}×{h}×{w}, width {}, {parameters} parameters", config.width);
    say!("data     {} images of {}", trainer.images(), config.data.display());
    trainer.data().to_string().lines().for_each(|line| say!("         {line}"));
    say!("memory   {}", trainer.memory());
    say!("ready    after {:.1} s; step {} of {}", ready.as_secs_f64(), trainer.step(), config.steps);
    say!("run      {}", folder.path().display());
}
