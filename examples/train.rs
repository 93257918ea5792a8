//! Trains an Idempotent Generative Network.
//!
//!     cargo run --release --example train -- --preset quick

#[path = "support/explain.rs"]
mod explain;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser};
use explain::explained;
use ign::compile::Check;
use ign::model::{Checkpoint, Config, Preset, named};
use ign::native::open;
use ign::report::Run;
use ign::run::{Metrics, Origin, RunFolder};
use ign::train::{Event, Outcome, Trainer, train};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Trains an Idempotent Generative Network on MNIST or on a folder of pictures. Ctrl-C finishes the current step and
/// saves a checkpoint.
///
/// The run folder holds config.json, origin.jsonl, metrics.jsonl, samples/*.png, checkpoint.safetensors and
/// report.html.
#[derive(Parser)]
struct Arguments {
    /// Preset of the settings: quick (digits in minutes), mnist (best digits of docs/study.md), published (the paper's
    /// recipe for MNIST) or faces (64×64 colour images). The defaults below are the values of the chosen preset.
    #[arg(long, default_value = "quick")]
    preset: String,
    /// Folder of the new run [default: runs/PRESET].
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Folder of a run to resume. Only the settings steps, data and *-every may change.
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// GPU adapter: its index or a part of its name [default: IGN_ADAPTER, or the best adapter].
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
    /// Runs one profiled step first and prints the time of every operation.
    #[arg(long)]
    profile: bool,
    /// Runs one checked step first and reports the first operation whose output is not finite (finite) or deviates
    /// from its f64 reference (reference).
    #[arg(long, value_name = "finite|reference")]
    check: Option<String>,
    /// Safetensors file for the inputs, losses and gradients of the first step, to compare with other frameworks.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Safetensors file for the model of the run given by --resume, without the optimiser's state. Does not train.
    #[arg(long, value_name = "FILE", requires = "resume")]
    publish: Option<PathBuf>,
}

/// Values of settings by name.
type Settings = Map<String, Value>;

fn main() {
    explained(run);
}

fn run() -> Result<(), Box<dyn Error>> {
    let defaults = settings(&preset()?.config())?;
    let matches = command(&defaults).get_matches();
    let arguments = Arguments::from_arg_matches(&matches)?;
    let checkpoint = arguments.resume.as_deref().map(Checkpoint::load).transpose()?;
    if let (Some(checkpoint), Some(path)) = (&checkpoint, &arguments.publish) {
        checkpoint.published()?.save(path)?;
        println!("published  model after {} steps: {}", checkpoint.step, path.display());
        return Ok(());
    }
    let start = Instant::now();
    let gpu = open(arguments.adapter.as_deref())?;
    println!("adapter  {}", gpu.caps());

    let (mut trainer, folder) = match (checkpoint, &arguments.resume) {
        (Some(mut checkpoint), Some(path)) => {
            checkpoint.check_resumable().map_err(|e| format!("{}: {e}", path.display()))?;
            checkpoint.config = changed(&checkpoint.config, &matches)?;
            let step = checkpoint.step;
            let trainer = Trainer::resume(&gpu, checkpoint)?;
            (trainer, RunFolder::resume(path, step)?)
        }
        _ => {
            let path = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&arguments.preset));
            // The trainer checks settings and data before a folder is created.
            let trainer = Trainer::new(&gpu, &config(given(&matches).collect())?)?;
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
            Some(finding) => return Err(format!("step {} fails the check here:\n{finding}", trainer.step()).into()),
            None => println!("checked  every operation of step {}: no errors", trainer.step()),
        }
    }

    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    ctrlc::set_handler(move || {
        // A second Ctrl-C exits at once.
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nfinishing the step and saving (press Ctrl-C again to exit at once) ...");
    })?;
    let mut progress = Progress::new(trainer.config(), trainer.step());
    let outcome = train(&mut trainer, &folder, &stop, &mut |event| progress.show(event))?;
    progress.finish();
    let report = folder.path().join("report.html");
    Run::report(&[Run::load(folder.path())?], &report)?;
    let path = folder.path().display();
    match outcome {
        Outcome::Stopped => {
            println!("stopped after step {} of {}. Resume with:", trainer.step(), trainer.config().steps);
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

/// The preset named on the command line; `quick` by default.
fn preset() -> Result<Preset, Box<dyn Error>> {
    let mut given = std::env::args().skip_while(|a| !a.starts_with("--preset"));
    let preset = match given.next() {
        Some(flag) => flag.strip_prefix("--preset=").map(str::to_string).or(given.next()),
        None => None,
    };
    Ok(named::<Preset>(preset.as_deref().unwrap_or("quick")).map_err(|e| format!("--preset: {e}"))?)
}

/// The command line: the arguments above, then every setting with its default from `defaults`.
fn command(defaults: &Settings) -> clap::Command {
    let setting = |&(name, help): &(&'static str, &'static str)| {
        let value = match name {
            "data" => "DIR".into(),
            _ if name.ends_with("_every") => "STEPS".into(),
            _ => name.to_uppercase(),
        };
        let default = defaults[name].as_str().map_or_else(|| defaults[name].to_string(), str::to_string);
        let others = defaults.clone();
        Arg::new(name)
            .long(name.replace('_', "-"))
            .value_name(value)
            .help(help.trim_end_matches('.'))
            .default_value(default)
            .value_parser(move |text: &str| parsed(&others, name, text))
    };
    Config::SETTINGS.iter().map(setting).fold(Arguments::command().next_help_heading("Settings"), clap::Command::arg)
}

/// Parses a value of the setting `name`, and checks its type with the other settings from `others`.
fn parsed(others: &Settings, name: &str, text: &str) -> Result<Value, String> {
    let value = match (&others[name], text.parse::<u64>(), text.parse::<f64>()) {
        (Value::String(_), ..) => Value::String(text.into()),
        (_, Ok(whole), _) => Value::from(whole),
        (_, _, Ok(number)) if number.is_finite() => Value::from(number),
        _ => return Err("not a number".into()),
    };
    let mut settings = others.clone();
    settings.insert(name.into(), value.clone());
    config(settings).map(|_| value).map_err(|e| e.to_string())
}

fn settings(config: &Config) -> serde_json::Result<Settings> {
    // JSON text gives every number its shortest form.
    serde_json::from_str(&serde_json::to_string(config)?)
}

fn config(settings: Settings) -> serde_json::Result<Config> {
    serde_json::from_value(Value::Object(settings))
}

/// All settings of the command line, defaults included.
fn given(matches: &ArgMatches) -> impl Iterator<Item = (String, Value)> {
    let value = |name| matches.get_one::<Value>(name).expect("every setting has a default").clone();
    Config::SETTINGS.iter().map(move |(name, _)| (name.to_string(), value(name)))
}

/// The settings `old`, updated with the settings given on the command line.
fn changed(old: &Config, matches: &ArgMatches) -> Result<Config, Box<dyn Error>> {
    let mut merged = settings(old)?;
    for (name, value) in given(matches) {
        if matches.value_source(&name) != Some(ValueSource::CommandLine) || merged[&name] == value {
            continue;
        }
        if !["steps", "data", "log_every", "sample_every", "checkpoint_every"].contains(&name.as_str()) {
            let flag = name.replace('_', "-");
            return Err(format!("--{flag} cannot change in a resumed run; its value is {}", merged[&name]).into());
        }
        merged.insert(name, value);
    }
    Ok(config(merged)?)
}

fn describe(trainer: &Trainer, folder: &RunFolder, ready: Duration) {
    let config = trainer.config();
    let layers = config.network.layers(config.width);
    let parameters: usize = layers.parameters().iter().map(|p| p.shape.elements()).sum();
    let [c, h, w] = config.network.image();
    println!("network  {c}×{h}×{w}, width {}, {parameters} parameters", config.width);
    println!("data     {} images of {}", trainer.images(), config.data.display());
    trainer.data().to_string().lines().for_each(|line| println!("         {line}"));
    println!("memory   {}", trainer.memory());
    println!("ready    after {:.1} s; step {} of {}", ready.as_secs_f64(), trainer.step(), config.steps);
    println!("run      {}", folder.path().display());
}

/// Progress output: a bar on a terminal, lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    config: Config,
    start: Instant,
    first: u64,
    /// Time of the first line of metrics. Earlier steps include shader compilation and are left out of estimates.
    warm: Option<Instant>,
    printed: Option<Instant>,
    estimated: bool,
}

impl Progress {
    fn new(config: &Config, step: u64) -> Self {
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = ProgressBar::new(config.steps).with_position(step);
            let style = "{bar:30} {pos}/{len}  {msg}  {eta} left";
            bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
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

    /// Estimated time of the steps after `step`, once enough steps were timed.
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
