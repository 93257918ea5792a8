//! Run folders: their records, and the report on them. A case holds several files, each after a line with its name.

use super::Target;
use crate::mutate::{MARKUP, Random, bytes, json};
use ign::method::Losses;
use ign::model::Preset;
use ign::report::Run;
use ign::run::{Metrics, Origin, RunFolder};
use rand::RngExt;
use std::path::Path;

pub const TARGET: Target = Target::new("run", seeds, mutate, run);

/// The files that a case can hold. No other name is written.
const FILES: [&str; 6] = [
    "config.json",
    "origin.jsonl",
    "metrics.jsonl",
    "evaluation.json",
    "samples/step-000005.png",
    "samples/step-18446744073709551615.png",
];

fn line(name: &str) -> String {
    format!("==> {name}\n")
}

/// Name and contents of each file in a case.
fn files(case: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let found = FILES.map(|name| {
        let line = line(name).into_bytes();
        case.windows(line.len()).position(|part| part == line).map(|at| (at, at + line.len(), name))
    });
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort();
    let ends = found.iter().skip(1).map(|next| next.0).chain([case.len()]);
    found.iter().zip(ends).map(|(&(_, start, name), end)| (name, case[start..end].to_vec())).collect()
}

fn joined(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    files.iter().flat_map(|(name, contents)| [line(name).as_bytes(), contents].concat()).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let config = serde_json::to_vec(&Preset::Quick.config()).expect("settings are JSON");
    let origin = Origin { command: format!("train --out {MARKUP}"), ..Origin::here("an adapter") };
    let losses = Losses { rec: 0.5, idem: 0.25, tight: -0.125, variance: 0.2 };
    let metrics = [5, 10, 1200].map(|step| Metrics { step, losses, images_per_second: 3.0 });
    let record = |json: serde_json::Result<String>| json.expect("records are JSON") + "\n";
    let metrics: String = metrics.iter().map(|line| record(serde_json::to_string(line))).collect();
    let evaluation = br#"{"frechet": [4.4, 1e300], "samples": [{"name": "f(z)", "nested": {"share": 0.5}}]}"#;
    let complete = [
        (FILES[0], config.clone()),
        (FILES[1], record(serde_json::to_string(&origin)).into_bytes()),
        (FILES[2], metrics.into_bytes()),
        (FILES[3], evaluation.to_vec()),
        (FILES[4], crate::mutate::PNG.to_vec()),
        (FILES[5], vec![]),
    ];
    vec![joined(&complete), joined(&complete[..3]), joined(&[(FILES[0], config)])]
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    let mut files = files(case);
    if files.is_empty() {
        return bytes(random, case);
    }
    let chosen = random.random_range(0..files.len());
    let contents = &mut files[chosen].1;
    if random.random() {
        bytes(random, contents);
    } else {
        // A record a line.
        let mut lines: Vec<_> = contents.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        let chosen = random.random_range(0..lines.len());
        json(random, &mut lines[chosen]);
        *contents = lines.join(&b'\n');
    }
    *case = joined(&files);
}

fn run(work: &Path, case: &[u8]) {
    std::fs::create_dir(work.join("samples")).expect("the folder is empty");
    for (name, contents) in files(case) {
        std::fs::write(work.join(name), contents).expect("the folder can be written");
    }
    let report = work.join("report.html");
    if let Ok(run) = Run::load(work)
        && Run::report(&[run], &report).is_ok()
    {
        let page = std::fs::read_to_string(report).expect("a report is text");
        assert_eq!(page.matches("<script").count(), 1, "markup of a file is part of the page");
    }
    let folder = RunFolder::open(work);
    let _ = (folder.read_config(), folder.read_origins(), folder.read_metrics(), folder.list_samples());
    // Writing a checkpoint takes longer than all else.
    if !case.len().is_multiple_of(4) {
        return;
    }
    // A training is resumed only if its checkpoint is good, whatever its logs hold.
    super::checkpoint::narrow(Preset::Quick.config()).save(&folder.checkpoint()).expect("the folder can be written");
    let (folder, _) = RunFolder::resume(work).expect("a damaged log blocks nothing");
    if folder.rewind(10).is_ok() {
        let metrics = folder.read_metrics().expect("metrics that were written can be read");
        assert!(metrics.skipped.is_none(), "damaged lines were kept");
        assert!(
            metrics.records.iter().all(|metrics| metrics.step <= 10),
            "metrics of steps that will be repeated were kept"
        );
    }
}
