//! The rooms of the crate: which may use which, and what the browser-able ones must not need.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms it may use beside itself.
const ROOMS: [(&str, &[&str]); 16] = [
    ("tape", &[]),
    ("gpu", &[]),
    ("random.rs", &[]),
    ("file.rs", &[]),
    ("tensors.rs", &["file"]),
    ("ops", &["tape", "gpu"]),
    ("nn", &["ops", "tape", "random"]),
    ("data", &["random"]),
    ("picture.rs", &["file"]),
    ("ign", &["nn", "ops", "tape", "random"]),
    ("native.rs", &["gpu"]),
    ("roof.rs", &["gpu", "native"]),
    ("report", &["train", "file"]),
    ("train", &["ign", "nn", "ops", "tape", "gpu", "data", "random", "picture", "native", "tensors", "file"]),
    ("baselines", &["train", "ign", "nn", "ops", "tape", "gpu", "data", "random", "native"]),
    ("metrics", &["train", "ign", "nn", "ops", "tape", "gpu", "data", "random", "native", "tensors"]),
];

/// Rooms that must run in a browser: no files, no threads, no clock, no waiting.
const PORTABLE: [&str; 5] = ["tape", "ops", "gpu", "nn", "ign"];

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.into()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    entries.flat_map(|entry| sources(&entry.unwrap().path())).collect()
}

/// The code of a room, without tests, doc comments and comments.
fn code(room: &str) -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
        (path, lines.collect::<Vec<_>>().join("\n"))
    };
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)).into_iter().map(read).collect()
}

#[test]
fn every_room_is_listed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = ROOMS.iter().any(|(room, _)| *room == name);
        assert!(known || ["lib.rs", "testing.rs"].contains(&name.as_str()), "`{name}` is not in the list of rooms");
    }
}

#[test]
fn arrows_run_one_way() {
    let macros = ["shader", "params"];
    for (room, uses) in ROOMS {
        for (path, text) in code(room) {
            for used in text.split("crate::").skip(1) {
                let mut names = vec![];
                match used.strip_prefix('{') {
                    Some(list) => names.extend(list.split('}').next().unwrap().split(',').map(str::trim)),
                    None => names.push(used),
                }
                for name in names {
                    let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let own = room.trim_end_matches(".rs") == name;
                    let allowed = own || uses.contains(&name.as_str()) || macros.contains(&name.as_str());
                    assert!(allowed, "{} uses `{name}`, which is not below `{room}`", path.display());
                }
            }
        }
    }
}

#[test]
fn what_must_run_in_a_browser_needs_no_files_threads_or_waiting() {
    for room in PORTABLE {
        for (path, text) in code(room) {
            // Pipelines are made by several threads where the target has threads.
            let text = text.replace("std::thread::scope", "").replace("std::thread::available_parallelism", "");
            for forbidden in ["std::fs", "std::thread", "std::net", "std::process", "poll(wgpu", "native::", "File::"] {
                assert!(!text.contains(forbidden), "{} uses {forbidden}", path.display());
            }
        }
    }
}
