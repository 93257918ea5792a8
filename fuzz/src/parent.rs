//! Starts workers, keeps what they find, and says how they did.

use crate::limits::CLOCK;
use crate::targets::{Cases, Target};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Error, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A target with this many findings is left for the next one: they have few causes.
const FINDINGS: usize = 8;

/// What the cases of a target came to.
#[derive(Default)]
struct Outcome {
    executions: u64,
    memory: usize,
    slowest: Duration,
    findings: usize,
}

/// Runs each target for its share of `seconds`.
pub fn fuzz(targets: &[Target], seconds: u64, seed: u64) -> Result<ExitCode, Error> {
    println!("seed {seed}");
    let share = Duration::from_secs(seconds) / targets.len() as u32;
    let mut findings = 0;
    for &target in targets {
        (target.build)()?;
        let outcome = target_for(target, share, seed)?;
        println!(
            "{:<12}{:>8} executions, peak memory {:>6.1} MiB, slowest case {:>5} ms, {} findings",
            target.name,
            outcome.executions,
            outcome.memory as f64 / f64::from(1 << 20),
            outcome.slowest.as_millis(),
            outcome.findings
        );
        findings += outcome.findings;
    }
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the whole cases of a target, and then changed ones until the time is over.
fn target_for(target: Target, share: Duration, seed: u64) -> Result<Outcome, Error> {
    let cases = Cases::new(target, seed)?;
    let deadline = Instant::now() + share;
    let mut outcome = Outcome::default();
    let mut next = 0;
    // A short run, too, reads the whole corpus.
    while outcome.findings < FINDINGS && (next < cases.whole() || Instant::now() < deadline) {
        let mut worker = Worker::start(target, seed, next)?;
        let ended = loop {
            let now = Instant::now();
            if next >= cases.whole() && now >= deadline {
                break None;
            }
            let patience = if next < cases.whole() { CLOCK } else { CLOCK.min(deadline - now) };
            match worker.used.recv_timeout(patience) {
                Ok((processor, memory)) => {
                    next += 1;
                    outcome.executions += 1;
                    outcome.slowest = outcome.slowest.max(processor);
                    outcome.memory = outcome.memory.max(memory);
                }
                Err(RecvTimeoutError::Timeout) if patience < CLOCK => break None,
                Err(RecvTimeoutError::Timeout) => break Some(format!("a case took longer than {CLOCK:?}")),
                Err(RecvTimeoutError::Disconnected) => break Some(worker.end()?),
            }
        };
        if let Some(reason) = ended {
            outcome.findings += 1;
            keep(target, &cases.get(next), &reason)?;
            next += 1;
        }
    }
    Ok(outcome)
}

/// Writes a finding, and says how it can be seen again.
fn keep(target: Target, case: &[u8], reason: &str) -> Result<(), Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("findings");
    std::fs::create_dir_all(&folder)?;
    let mut hasher = DefaultHasher::new();
    case.hash(&mut hasher);
    let file: PathBuf = folder.join(format!("{}-{:016x}", target.name, hasher.finish()));
    std::fs::write(&file, case)?;
    println!("finding: {}\n{}\nsee it again with:", target.name, reason.trim_end());
    println!("  cargo run --release -p fuzz -- --target {} --replay '{}'", target.name, file.display());
    Ok(())
}

/// A process that runs cases, and what each used: processor time and memory.
struct Worker {
    process: Child,
    used: Receiver<(Duration, usize)>,
    said: std::fs::File,
    /// The folders of its cases, which a worker that is stopped leaves behind.
    _work: tempfile::TempDir,
}

impl Worker {
    fn start(target: Target, seed: u64, from: u64) -> Result<Self, Error> {
        // Files in memory are written about ten times as fast as on a disk.
        let memory = Path::new("/dev/shm");
        let work = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
        let said = tempfile::tempfile()?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--target", target.name, "--seed", &seed.to_string(), "--worker", &from.to_string()])
            .env("TMPDIR", work.path())
            // The message is enough: a replay shows the rest.
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(said.try_clone()?)
            .spawn()?;
        let (send, used) = channel();
        let lines = BufReader::new(process.stdout.take().expect("the output is piped")).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let numbers = line.split_once(' ').and_then(|(processor, memory)| {
                    Some((Duration::from_micros(processor.parse().ok()?), memory.parse().ok()?))
                });
                // Nobody listens where the time is over.
                if numbers.is_none_or(|numbers| send.send(numbers).is_err()) {
                    break;
                }
            }
        });
        Ok(Self { process, used, said, _work: work })
    }

    /// How a worker ended, and the last lines of what it said.
    fn end(&mut self) -> Result<String, Error> {
        let status = self.process.wait()?;
        let mut said = vec![];
        self.said.rewind()?;
        self.said.read_to_end(&mut said)?;
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<_> = said.lines().collect();
        Ok(format!("{status}: {}", lines[lines.len().saturating_sub(6)..].join("\n")))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
