//! Command lines of the examples. A case is the name of an example and its arguments, one a line. Every case must be
//! refused: what it runs ends with an argument that cannot be met.

use super::Target;
use crate::mutate::{Random, bytes};
use rand::RngExt;
use rand::seq::IndexedRandom;
use std::ffi::OsStr;
use std::io::{Error, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

pub const TARGET: Target = Target { build, ..Target::new("commands", seeds, mutate, run) };

/// The examples, what each needs, and what none can meet.
const EXAMPLES: [(&str, &[&str], &[&str]); 13] = [
    ("baseline", &["dcgan"], &["--data", "nowhere"]),
    ("classifier", &[], &["--data", "nowhere"]),
    ("devices", &[], &["--adapter", "nowhere"]),
    ("evaluate", &[], &["nowhere"]),
    ("interpolate", &[], &["nowhere"]),
    ("kernel_lab", &[], &["--adapter", "nowhere"]),
    ("project", &[], &["nowhere"]),
    ("report", &[], &["nowhere"]),
    ("roofline", &[], &["--adapter", "nowhere"]),
    ("sample", &[], &["nowhere"]),
    ("step_time", &[], &["--adapter", "nowhere"]),
    ("toy", &[], &["--adapter", "nowhere"]),
    ("train", &[], &["--data", "nowhere"]),
];

/// Values that most options refuse.
const VALUES: [&str; 20] = [
    "",
    " ",
    "0",
    "-0",
    "1",
    "2",
    "-1",
    "NaN",
    "inf",
    "-inf",
    "1e30",
    "1e-400",
    "1e400",
    "0x10",
    "1_000",
    "٣",
    "18446744073709551615",
    "18446744073709551616",
    "4611686018427387904",
    "\u{202e}\u{1b}[31m",
];

/// Builds the examples beside this program.
fn build() -> Result<(), Error> {
    let folder = folder()?;
    let profile = folder.parent().expect("the folder is in that of a profile");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(["build", "--quiet", "--examples"]);
    cargo.arg("--target-dir").arg(profile.parent().expect("a profile is in a target folder"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    if cargo.status()?.success() { Ok(()) } else { Err(Error::other("the examples do not build")) }
}

fn folder() -> Result<PathBuf, Error> {
    Ok(std::env::current_exe()?.with_file_name("examples"))
}

/// The long options in the help of an example.
fn options(name: &str) -> Vec<String> {
    let folder = folder().expect("this program has a place");
    let help = Command::new(folder.join(name)).arg("--help").output().expect("the examples are built");
    let help = String::from_utf8(help.stdout).expect("a help is text");
    let long = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split_once(' '));
    long.map(|(option, _)| format!("--{option}")).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let all = EXAMPLES.iter().flat_map(|(name, needed, _)| {
        let lines = move |option: String| {
            let arguments = [name].into_iter().chain(*needed).map(|part| format!("{part}\n"));
            arguments.chain([format!("{option}=1")]).collect::<String>().into_bytes()
        };
        options(name).into_iter().map(lines)
    });
    all.collect()
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    let mut lines: Vec<_> = case.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = random.random_range(0..lines.len());
    let value = VALUES.choose(random).expect("there are values").as_bytes();
    let name = lines[at].split(|&byte| byte == b'=').next().unwrap_or_default().to_vec();
    match random.random_range(0..8) {
        0 => lines.insert(at + 1, lines[at].clone()),
        1 => lines.insert(at + 1, value.to_vec()),
        // The first line is the name of the example.
        2 if at > 0 => bytes(random, &mut lines[at]),
        3 if at > 0 => lines[at] = [&name[..], b"=", &value.repeat(1000)].concat(),
        _ if at > 0 => lines[at] = [&name[..], b"=", value].concat(),
        _ => {}
    }
    *case = lines.join(&b'\n');
}

fn run(work: &Path, case: &[u8]) {
    let mut lines = case.split(|&byte| byte == b'\n');
    let name = lines.next().unwrap_or_default();
    let Some((name, _, unmet)) = EXAMPLES.iter().find(|(known, ..)| known.as_bytes() == name) else { return };
    // No argument of a process holds a zero byte.
    let given: Vec<_> = lines.filter(|line| !line.contains(&0)).map(OsStr::from_bytes).collect();
    let mut process = Command::new(folder().expect("this program has a place").join(name))
        .args(&given)
        .args(*unmet)
        .current_dir(work)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a program can be started");
    let start = Instant::now();
    let mut said = String::new();
    // What is refused says a few lines, which fit a pipe.
    let status = loop {
        match process.try_wait().expect("it is a child") {
            Some(status) => break Some(status),
            None if start.elapsed() > crate::limits::CLOCK / 2 => break None,
            None => std::thread::sleep(std::time::Duration::from_millis(2)),
        }
    };
    if status.is_none() {
        let _ = process.kill();
        let _ = process.wait();
    }
    let mut bytes = vec![];
    process.stderr.take().expect("it is piped").read_to_end(&mut bytes).expect("a pipe can be read");
    said += &String::from_utf8_lossy(&bytes);
    let shown = given.iter().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let status = status.unwrap_or_else(|| panic!("{name} {shown}: not refused in time: {said}"));
    let asked = given.iter().any(|argument| argument.to_string_lossy().starts_with("-h") || *argument == "--help");
    match status.code() {
        Some(1 | 2) => assert!(!said.trim().is_empty(), "{name} {shown}: refused without a word"),
        Some(0) => assert!(asked, "{name} {shown}: accepted: {said}"),
        _ => panic!("{name} {shown}: {status}: {said}"),
    }
    let left: Vec<_> = work.read_dir().expect("the folder is there").map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{name} {shown}: a refused command left {left:?}");
}
