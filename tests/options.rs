//! The options of all examples, as clap lists them: a number out of its stated range is refused before anything else.

#[path = "support/examples.rs"]
mod examples;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The examples, with the arguments that they need.
const EXAMPLES: [(&str, &[&str]); 14] = [
    ("baseline", &["dcgan"]),
    ("classifier", &[]),
    ("devices", &[]),
    ("evaluate", &[]),
    ("interpolate", &[]),
    ("kernel_lab", &[]),
    ("measure", &[]),
    ("project", &[]),
    ("report", &["nowhere"]),
    ("roofline", &[]),
    ("sample", &[]),
    ("step_time", &[]),
    ("toy", &[]),
    ("train", &[]),
];

/// The range in a text that ends with `from A to B`, in any case.
fn range(text: &str) -> Option<(String, String)> {
    let (_, rest) = text.rsplit_once("rom ")?;
    let mut words = rest.split_whitespace();
    let (least, to, greatest) = (words.next()?, words.next()?, words.next()?);
    let (_, _) = (least.parse::<f64>().ok()?, greatest.trim_end_matches('.').parse::<f64>().ok()?);
    (to == "to").then(|| (least.into(), greatest.trim_end_matches('.').into()))
}

/// Each option of a help text that takes a value: name, name of the value, description.
fn options(help: &str) -> Vec<(String, String, String)> {
    let mut found: Vec<(String, String, String)> = vec![];
    for line in help.lines() {
        let text = line.trim_start();
        if let Some((name, rest)) = text.strip_prefix("--").and_then(|rest| rest.split_once(" <")) {
            let (value, rest) = rest.split_once('>').unwrap();
            found.push((name.into(), value.into(), rest.trim().into()));
        } else if text.starts_with('-') || line.ends_with(':') {
            found.push(Default::default());
        } else if let Some((_, _, description)) = found.last_mut() {
            *description += &format!(" {text}");
        }
    }
    found.retain(|(name, ..)| !name.is_empty());
    found
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    let folder = examples::build();
    let work = tempfile::tempdir().unwrap();
    let run = |name: &str, arguments: &[&str]| -> Output {
        Command::new(folder.join(name)).current_dir(work.path()).args(arguments).output().unwrap()
    };
    let mut tried = 0;
    for (name, needed) in EXAMPLES {
        let help = String::from_utf8(run(name, &["--help"]).stdout).unwrap();
        for (option, value, description) in options(&help) {
            // Paths and names are no numbers.
            let text = ["DIR", "FILE", "RUN", "NAME", "NAME|INDEX", "finite|reference"].contains(&value.as_str());
            let named = [
                "network",
                "data",
                "distance",
                "clamp",
                "noise",
                "preset",
                "statistics",
                "background",
                "architecture",
                "bottleneck",
                "target",
            ]
            .contains(&option.as_str());
            if text || named {
                continue;
            }
            let (least, greatest) =
                range(&description).unwrap_or_else(|| panic!("{name} --{option}: no range in its help: {description}"));
            let within = |text: &str| {
                let whole = text.parse::<u64>().is_ok();
                let number: f64 = text.parse().unwrap();
                (whole || !number.is_finite() || greatest.contains('.'))
                    && number >= least.parse().unwrap()
                    && number <= greatest.parse().unwrap()
            };
            for bad in [
                "NaN",
                "inf",
                "-inf",
                "-1",
                "0",
                "1e30",
                "18446744073709551616",
                "18446744073709551615",
                "4611686018427387904",
            ] {
                if within(bad) {
                    continue;
                }
                let flag = format!("--{option}");
                // A minus before a letter would be a short option.
                let joined = format!("{flag}={bad}");
                let given: &[&str] = if bad == "-1" { &[&flag, bad] } else { &[&joined] };
                let start = Instant::now();
                let output = run(name, &[needed, given].concat());
                let said = String::from_utf8_lossy(&output.stderr);
                let expected = format!("from {least} to {greatest}");
                assert!(said.contains(&expected), "{name} {flag} {bad}: {said}, expected: {expected}");
                assert_eq!(output.status.code(), Some(2), "{name} {flag} {bad}: {said}");
                assert!(start.elapsed() < Duration::from_secs(10), "{name} {flag} {bad}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "only {tried} values were tried: the help texts were not understood");
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0, "a refused command wrote a file");
}
