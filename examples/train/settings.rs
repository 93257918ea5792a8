//! The settings of a training on the command line.

use crate::{Arguments, suited};
use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches};
use ign::model::{Config, Preset, Setting, named};
use serde_json::{Map, Value};
use std::error::Error;
use std::path::PathBuf;

/// Values of settings by name.
type Settings = Map<String, Value>;

/// The command line: arguments, and settings with their defaults from the chosen preset.
pub fn parse() -> Result<(Arguments, ArgMatches), Box<dyn Error>> {
    let matches = command(&settings(&preset()?.config())?).get_matches();
    Ok((Arguments::from_arg_matches(&matches)?, matches))
}

/// The settings of a new training. Data that are named decide about the network if it is not named too.
pub fn new(matches: &ArgMatches) -> Result<Config, Box<dyn Error>> {
    let mut config = config(given(matches).collect())?;
    if told(matches, "data") && !told(matches, "network") {
        config.network = suited::network(&config.data)?;
    }
    Ok(config)
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
            "features" => "FILE".into(),
            _ if name.ends_with("_every") => "STEPS".into(),
            _ => name.to_uppercase(),
        };
        let default = defaults[name].as_str().map_or_else(|| defaults[name].to_string(), str::to_string);
        let others = defaults.clone();
        let parser: ValueParser = match name {
            "data" | "features" => OsStringValueParser::new().try_map(|path| path_value(path.into())).into(),
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

/// Whether a setting is on the command line.
fn told(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}

/// Checks that no setting is on the command line, for what does not train.
pub fn none(matches: &ArgMatches) -> Result<(), String> {
    match Config::SETTINGS.iter().find(|Setting { name, .. }| told(matches, name)) {
        Some(Setting { name, .. }) => {
            Err(format!("--{} is for a training: --publish has none", name.replace('_', "-")))
        }
        None => Ok(()),
    }
}

/// The settings `old`, updated with the settings given on the command line.
pub fn changed(old: &Config, matches: &ArgMatches) -> Result<Config, Box<dyn Error>> {
    let mut merged = settings(old)?;
    for (name, value) in given(matches) {
        if !told(matches, &name) || merged[&name] == value {
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
