//! Trains an Idempotent Generative Network.
//!
//!     cargo run --release --example train -- --preset quick

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use ign::native::open;
use ign::ops::Check;
use ign::report::Run;
use ign::train::{Checkpoint, Config, Event, Metrics, Origin, Outcome, Preset, RunFolder, Trainer, train};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Trains an Idempotent Generative Network on MNIST or on a folder of pictures. Ctrl-C finishes the step and saves.
///
/// The run folder holds config.json, metrics.jsonl, samples/*.png and checkpoint.safetensors.
#[derive(Parser)]
struct Arguments {
    /// Settings to begin with: quick (digits in minutes), mnist (the best digits of docs/study.md), published (the paper's
    /// recipe for MNIST) or faces (a folder of pictures). The defaults below are those of the preset that is named.
    #[arg(long, default_value = "quick")]
    preset: String,
    /// The run folder [default: runs/PRESET].
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Goes on with the run in this folder. Of the settings, only steps, data and intervals may change.
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// The adapter, by index or part of its name [default: IGN_ADAPTER, or the best].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
    /// First does one step and prints the time of every operation.
    #[arg(long)]
    profile: bool,
    /// First does one step line by line and names the first line whose output is not `finite`, or that is off its f64
    /// `reference`.
    #[arg(long, value_name = "finite|reference")]
    check: Option<String>,
    /// Writes the first step to this safetensors file, for comparison with other frameworks.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Settings")]
    config: Config,
}

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let matches = command()?.get_matches();
    let arguments = Arguments::from_arg_matches(&matches)?;
    let checkpoint = arguments.resume.as_deref().map(Checkpoint::load).transpose()?;
    let start = Instant::now();
    let gpu = open(arguments.adapter.as_deref())?;
    println!("adapter  {}", gpu.caps());

    let (mut trainer, folder) = match (checkpoint, &arguments.resume) {
        (Some(mut checkpoint), Some(path)) => {
            checkpoint.config = changed(&checkpoint.config, &arguments.config, &matches)?;
            let step = checkpoint.step;
            let trainer = Trainer::resume(&gpu, checkpoint)?;
            (trainer, RunFolder::resume(path, step)?)
        }
        _ => {
            let path = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&arguments.preset));
            // Looks at everything that can be wrong before it makes a folder.
            let trainer = Trainer::new(&gpu, &arguments.config)?;
            (trainer, RunFolder::create(&path)?)
        }
    };
    folder.add_origin(&Origin::here(&gpu.caps().to_string()))?;
    describe(&trainer, &folder, start.elapsed());
    if let Some(path) = &arguments.trace {
        trainer.trace(path)?;
        println!("traced   step {} to {}", trainer.step(), path.display());
    }
    if arguments.profile {
        println!("{}", trainer.profile()?);
    }
    if let Some(check) = &arguments.check {
        let check = match check.as_str() {
            "finite" => Check::Finite,
            "reference" => Check::Reference,
            other => return Err(format!("--check is `{other}`, and must be finite or reference").into()),
        };
        match trainer.check(check)? {
            Some(finding) => return Err(format!("step {} goes wrong here:\n{finding}", trainer.step()).into()),
            None => println!("checked  every line of step {}: nothing to object to", trainer.step()),
        }
    }

    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    ctrlc::set_handler(move || {
        // A second Ctrl-C does not wait.
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nfinishing the step and saving (Ctrl-C again to stop at once) ...");
    })?;
    let mut progress = Progress::new(trainer.config(), trainer.step());
    let outcome = train(&mut trainer, &folder, &stop, &mut |event| progress.show(event))?;
    progress.finish();
    let report = folder.path().join("report.html");
    Run::report(&[Run::load(folder.path())?], &report)?;
    let path = folder.path().display();
    match outcome {
        Outcome::Stopped => {
            println!("stopped after step {} of {}. Go on with:", trainer.step(), trainer.config().steps);
            println!("  cargo run --release --example train -- --resume {path}");
        }
        Outcome::Done => {
            println!("trained {} steps in {}", trainer.step(), words(start.elapsed()));
            println!("pictures    {}", folder.sample(trainer.step()).display());
            println!("checkpoint  {}", folder.checkpoint().display());
            println!("report      {}", report.display());
            println!("next        cargo run --release --example sample -- {path}");
        }
    }
    Ok(())
}

/// The command line, whose defaults are those of the preset on it.
fn command() -> Result<clap::Command, Box<dyn Error>> {
    let mut given = std::env::args().skip_while(|a| !a.starts_with("--preset"));
    let preset = match given.next() {
        Some(flag) => flag.strip_prefix("--preset=").map(str::to_string).or(given.next()),
        None => None,
    };
    let preset = Preset::named(preset.as_deref().unwrap_or("quick")).map_err(|e| format!("--preset: {e}"))?;
    let mut command = Arguments::command();
    for (name, value) in settings(&preset.config())? {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        command = command.mut_arg(name, |arg| arg.required(false).default_value(text));
    }
    Ok(command)
}

/// The settings by name.
fn settings(config: &Config) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(&serde_json::to_string(config)?)
}

/// `old` with what the command line changes.
fn changed(old: &Config, new: &Config, matches: &ArgMatches) -> Result<Config, Box<dyn Error>> {
    let (mut merged, new) = (settings(old)?, settings(new)?);
    for argument in Config::augment_args(clap::Command::new("")).get_arguments() {
        let name = argument.get_id().as_str();
        if matches.value_source(name) != Some(ValueSource::CommandLine) || merged.get(name) == new.get(name) {
            continue;
        }
        if !["steps", "data", "log_every", "sample_every", "checkpoint_every"].contains(&name) {
            let flag = name.replace('_', "-");
            return Err(format!("--{flag} cannot change in a run that goes on; it is {}", merged[name]).into());
        }
        merged.insert(name.into(), new[name].clone());
    }
    Ok(serde_json::from_value(Value::Object(merged))?)
}

fn describe(trainer: &Trainer, folder: &RunFolder, ready: Duration) {
    let config = trainer.config();
    let layers = config.network.layers(config.width);
    let parameters: usize = layers.parameters().iter().map(|p| p.shape.elements()).sum();
    let [c, h, w] = config.network.image();
    println!("network  {c}×{h}×{w}, width {}, {parameters} parameters", config.width);
    println!("data     {} images of {}", trainer.images(), config.data.display());
    println!("memory   {}", trainer.memory());
    println!("ready    after {:.1} s; step {} of {}", ready.as_secs_f64(), trainer.step(), config.steps);
    println!("run      {}", folder.path().display());
}

/// A bar on a terminal, lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    config: Config,
    start: Instant,
    first: u64,
    /// When the first step was done: it compiles shaders, and says nothing about the others.
    warm: Option<Instant>,
    printed: Option<Instant>,
    estimated: bool,
}

impl Progress {
    fn new(config: &Config, step: u64) -> Self {
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = ProgressBar::new(config.steps).with_position(step);
            let style = "{bar:30} {pos}/{len}  {msg}  {eta} left";
            bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
            bar
        });
        let start = Instant::now();
        Self { bar, config: config.clone(), start, first: step, warm: None, printed: None, estimated: false }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Step(step, metrics) => self.step(step, metrics),
            Event::Picture(path) => self.say(format!("picture  {}", path.display())),
            Event::Warning(text) => self.say(format!("warning  {text}")),
            Event::Saved(_) => {}
        }
    }

    /// How long the steps after `step` will take, once that can be told.
    fn left(&self, step: u64) -> Option<Duration> {
        let done = step.saturating_sub(self.first);
        let warm = self.warm.filter(|_| done > 0)?;
        Some(warm.elapsed().mul_f64((self.config.steps - step) as f64 / done as f64))
    }

    fn step(&mut self, step: u64, metrics: Option<Metrics>) {
        if metrics.is_some() && self.warm.is_none() {
            self.say(format!("step {step} after {:.1} s", self.start.elapsed().as_secs_f64()));
            (self.warm, self.first) = (Some(Instant::now()), step);
        } else if let (Some(left), Some(_), false) = (self.left(step), metrics, self.estimated) {
            self.say(format!("about {} to go", words(left)));
            self.estimated = true;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(step);
        }
        let Some(metrics) = metrics else { return };
        let losses = metrics.losses;
        let gflops = self.config.flops() * metrics.images_per_second / self.config.batch as f64 / 1e9;
        let text = format!(
            "rec {:.4}  idem {:.4}  var {:.3}  {:.0} images/s  {gflops:.1} GFLOP/s",
            losses.rec, losses.idem, losses.variance, metrics.images_per_second
        );
        let last = step == self.config.steps;
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if last || self.printed.is_none_or(|p| p.elapsed() > Duration::from_secs(10)) => {
                let left = self.left(step).map_or(String::new(), |left| format!("  {} left", words(left)));
                println!("step {step}/{}  {text}{left}", self.config.steps);
                self.printed = Some(Instant::now());
            }
            None => {}
        }
    }

    fn say(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => println!("{text}"),
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{:.1} min", seconds as f64 / 60.0),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
