//! Trains an Idempotent Generative Network.
//!
//!     cargo run --release --example train -- --preset quick

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/model.rs"]
mod model;
#[path = "support/stop.rs"]
mod stop;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser};
use explain::explained;
use ign::compile::Check;
use ign::files::replace;
use ign::model::{Checkpoint, Config, Preset, Setting, named};
use ign::native::{open, trace};
use ign::report::Run;
use ign::run::{Metrics, Origin, RunFolder, check_results, quoted};
use ign::train::{Event, Outcome, Trainer, Training};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
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
    let new = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&arguments.preset));
    if let (Some(run), Some(path)) = (&arguments.resume, &arguments.publish) {
        check_results(&[run], &[path])?;
        return publish(run, path);
    }
    let start = Instant::now();
    let resumed = match &arguments.resume {
        Some(run) => {
            let (folder, mut checkpoint) = RunFolder::resume(run)?;
            checkpoint.config = changed(&checkpoint.config, &matches)?;
            let (step, steps) = (checkpoint.step, checkpoint.config.steps);
            if step > steps {
                say!("{} has {step} steps; --steps {steps} leaves nothing to do", folder.path().display());
                return Ok(());
            }
            Some((folder, checkpoint))
        }
        None => {
            RunFolder::check_new(&new)?;
            None
        }
    };
    let config = resumed.as_ref().map_or_else(|| config(given(&matches).collect()), |(_, c)| Ok(c.config.clone()))?;
    let run = arguments.resume.as_ref().unwrap_or(&new);
    let outputs: Vec<_> = arguments.profile.iter().flatten().chain(&arguments.trace).map(PathBuf::as_path).collect();
    check_results(&[run, &run.join(Checkpoint::FILE), &config.data], &outputs)?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());
    let (mut trainer, folder) = match resumed {
        Some((folder, checkpoint)) => (Trainer::resume(&gpu, checkpoint)?, folder),
        None => {
            // The trainer checks settings and data before a folder is created.
            let trainer = Trainer::new(&gpu, &config)?;
            (trainer, RunFolder::create(&new)?)
        }
    };
    let first = [arguments.trace.is_some(), arguments.profile.is_some(), arguments.check.is_some()];
    let (wanted, left) = (first.iter().filter(|&&first| first).count(), trainer.config().steps - trainer.step());
    if wanted as u64 > left {
        let text = "--trace, --profile and --check take a step each";
        return Err(format!("{text}, {wanted} together; there are {left}. Give more --steps").into());
    }
    describe(&trainer, &folder, start.elapsed());
    let stop = stop::requests()?;
    let mut progress = Progress::new(trainer.config(), trainer.step());
    let mut on = |event| progress.show(event);
    let training = Training::start(&mut trainer, &folder, &stop, &mut on)?;
    if let Err(e) = folder.add_origin(&Origin::here(&gpu.caps().to_string())) {
        note!("warning: {e}");
    }
    let outcome = go(training, &arguments, &gpu.caps().to_string()).inspect_err(|error| {
        if let Some(ign::error::Error::NotFinite { .. }) = error.downcast_ref() {
            note!("To find the operation, train from its last checkpoint with --check finite");
        }
    })?;
    progress.finish();
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
            say!("trained {} steps in {}", trainer.step(), words(start.elapsed()));
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
    Ok(())
}

/// Writes the model of a run without the optimiser's state.
fn publish(run: &Path, path: &Path) -> Result<(), Box<dyn Error>> {
    let checkpoint = model::load(run)?;
    checkpoint.published()?.save(path)?;
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
        let profile = training.step(Trainer::profile)?;
        say!("{profile}");
        if let Some(path) = file {
            replace(path, trace(&profile, adapter).as_bytes())?;
            say!("profile  {}", path.display());
        }
    }
    if let Some(check) = &arguments.check {
        let check = if check == "finite" { Check::Finite } else { Check::Reference };
        training.step(|trainer| match trainer.check(check)? {
            Some(finding) => Err(format!("step {} fails the check here:\n{finding}", trainer.step()).into()),
            None => Ok::<(), Box<dyn Error>>(()),
        })?;
        say!("checked  every operation of this step: no errors");
    }
    Ok(training.run()?)
}

/// The preset named on the command line; `quick` by default.
fn preset() -> Result<Preset, Box<dyn Error>> {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let mut given = arguments.skip_while(|argument| !argument.starts_with("--preset"));
    let preset = match given.next() {
        Some(flag) => flag.strip_prefix("--preset=").map(str::to_string).or(given.next()),
        None => None,
    };
    Ok(named::<Preset>(preset.as_deref().unwrap_or("quick")).map_err(|e| format!("--preset: {e}"))?)
}

/// The command line: the arguments above, then every setting with its default from `defaults`.
fn command(defaults: &Settings) -> clap::Command {
    let setting = |setting: &'static Setting| {
        let Setting { name, help, .. } = *setting;
        let value = match name {
            "data" => "DIR".into(),
            _ if name.ends_with("_every") => "STEPS".into(),
            _ => name.to_uppercase(),
        };
        let default = defaults[name].as_str().map_or_else(|| defaults[name].to_string(), str::to_string);
        let others = defaults.clone();
        let parser: ValueParser = match name {
            "data" => OsStringValueParser::new().try_map(|path| path_value(path.into())).into(),
            _ => (move |text: &str| parsed(&others, setting, text)).into(),
        };
        Arg::new(name)
            .long(name.replace('_', "-"))
            .value_name(value)
            .help(help.trim_end_matches('.'))
            .default_value(default)
            .allow_negative_numbers(true)
            .value_parser(parser)
    };
    Config::SETTINGS.iter().map(setting).fold(Arguments::command().next_help_heading("Settings"), clap::Command::arg)
}

/// A path as it stands in config.json.
fn path_value(path: PathBuf) -> serde_json::Result<Value> {
    ign::files::path::serialize(&path, serde_json::value::Serializer)
}

/// Parses a value of a setting, and checks its range or, with the other settings from `others`, its name.
fn parsed(others: &Settings, setting: &Setting, text: &str) -> Result<Value, String> {
    let default = &others[setting.name];
    if default.is_string() {
        let mut settings = others.clone();
        settings.insert(setting.name.into(), text.into());
        return config(settings).map(|_| text.into()).map_err(|e| e.to_string());
    }
    let (whole, number) = (text.parse::<u64>().ok(), text.parse::<f64>().ok());
    let value = if default.is_u64() { whole.map(Value::from) } else { number.map(Value::from) };
    let within = |number: f64| setting.range.is_none_or(|[least, greatest]| (least..=greatest).contains(&number));
    value.filter(|_| number.is_some_and(within)).ok_or_else(|| {
        let whole = if default.is_u64() { "whole " } else { "" };
        let any = ["0".into(), u64::MAX.to_string()];
        let [least, greatest] = setting.range.map_or(any, |range| range.map(|x| x.to_string()));
        format!("must be a {whole}number from {least} to {greatest}")
    })
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
    Config::SETTINGS.iter().map(move |Setting { name, .. }| (name.to_string(), value(name)))
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
    say!("network  {c}×{h}×{w}, width {}, {parameters} parameters", config.width);
    say!("data     {} images of {}", trainer.images(), config.data.display());
    trainer.data().to_string().lines().for_each(|line| say!("         {line}"));
    say!("memory   {}", trainer.memory());
    say!("ready    after {:.1} s; step {} of {}", ready.as_secs_f64(), trainer.step(), config.steps);
    say!("run      {}", folder.path().display());
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
        let bar = (std::io::stdout().is_terminal() && std::io::stderr().is_terminal()).then(|| {
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
        let gflops = self.config.flops() * metrics.images_per_second / self.config.images_per_step() as f64 / 1e9;
        let text = format!(
            "rec {:.4}  idem {:.4}  var {:.3}  {:.0} images/s  {gflops:.1} GFLOP/s",
            losses.rec, losses.idem, losses.variance, metrics.images_per_second
        );
        let last = step == self.config.steps;
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if last || self.printed.is_none_or(|p| p.elapsed() > Duration::from_secs(10)) => {
                let left = self.left(step).map_or(String::new(), |left| format!("  {} left", words(left)));
                say!("step {step}/{}  {text}{left}", self.config.steps);
                self.printed = Some(Instant::now());
            }
            None => {}
        }
    }

    fn say(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say!("{text}"),
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
