//! Dependencies between the top-level modules of the crate, called rooms, and restrictions on rooms for browsers.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the other rooms that it may use, in the order of dependencies.
const ROOMS: [(&str, &[&str]); 24] = [
    ("tape", &[]),
    ("panics.rs", &[]),
    ("gpu", &["panics"]),
    ("roof", &["gpu"]),
    ("random.rs", &[]),
    ("files", &[]),
    ("native", &["roof", "gpu"]),
    ("ops", &["tape", "gpu"]),
    ("compile", &["ops", "tape", "gpu"]),
    ("nn", &["ops", "tape", "random"]),
    ("picture", &["files", "panics"]),
    ("data", &["picture", "files", "random"]),
    ("error.rs", &["data", "files", "compile", "tape", "gpu"]),
    ("ranks", &["error"]),
    ("method", &["nn", "ops", "tape", "error"]),
    ("model", &["picture", "method", "nn", "compile", "tape", "gpu", "random", "files", "error"]),
    ("descent", &["ranks", "nn", "compile", "tape", "gpu", "error"]),
    ("toy", &["descent", "model", "method", "nn", "compile", "tape", "gpu", "random", "error"]),
    ("classifier", &["model", "descent", "nn", "compile", "tape", "gpu", "data", "random", "files", "error"]),
    ("run", &["model", "method", "files", "error"]),
    (
        "train",
        &[
            "classifier",
            "run",
            "descent",
            "ranks",
            "model",
            "method",
            "nn",
            "compile",
            "tape",
            "gpu",
            "data",
            "picture",
            "random",
            "files",
            "error",
        ],
    ),
    ("baselines", &["descent", "model", "method", "nn", "compile", "tape", "gpu", "data", "random", "error"]),
    (
        "metrics",
        &[
            "classifier",
            "descent",
            "model",
            "method",
            "nn",
            "compile",
            "tape",
            "gpu",
            "data",
            "random",
            "files",
            "error",
        ],
    ),
    ("report", &["run", "model", "files"]),
];

/// Rooms that must run in a browser. Except in items for other targets, they use no files, no threads, and no blocking.
const PORTABLE: [&str; 14] = [
    "tape",
    "ops",
    "gpu",
    "roof",
    "compile",
    "nn",
    "data",
    "method",
    "model",
    "ranks",
    "descent",
    "toy",
    "train",
    "classifier",
];

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.into()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    entries.flat_map(|entry| sources(&entry.unwrap().path())).collect()
}

/// The code of a room, by file, without tests and comments.
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
        let listed = ROOMS.iter().any(|(room, _)| *room == name);
        assert!(
            listed || ["guide.rs", "lib.rs", "testing"].contains(&name.as_str()),
            "`{name}` is not in the list of rooms"
        );
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
                    assert!(allowed, "{} uses `{name}`, but `{room}` must not depend on it", path.display());
                }
            }
        }
    }
}

#[test]
fn no_rooms_use_each_other() {
    for (i, (room, uses)) in ROOMS.iter().enumerate() {
        let below = |used: &str| ROOMS[..i].iter().any(|(room, _)| room.trim_end_matches(".rs") == used);
        assert!(uses.iter().all(|used| below(used)), "`{room}` uses a room that is not listed before it");
    }
}

/// What stands before items that are not compiled for browsers.
const NATIVE: [&str; 2] = ["#[cfg(not(target_arch = \"wasm32\"))]", "#[cfg(feature = \"train\")]"];

/// Whether the room's first file declares the module in the file `path` as not compiled for browsers.
fn is_native(room: &str, path: &Path) -> bool {
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room).join("mod.rs");
    let text = fs::read_to_string(first).unwrap_or_default();
    let name = path.file_stem().unwrap().to_string_lossy();
    NATIVE.iter().any(|native| text.contains(&format!("{native}\nmod {name};")))
}

/// The part of `text` that is compiled for browsers: without the items for other targets.
fn for_browsers(text: &str) -> String {
    let (mut kept, mut skipping, mut depth) = (vec![], false, 0);
    for line in text.lines() {
        if NATIVE.contains(&line.trim()) {
            (skipping, depth) = (true, 0);
            continue;
        }
        if !skipping {
            kept.push(line);
            continue;
        }
        depth += line.matches(['{', '(']).count() as i32 - line.matches(['}', ')']).count() as i32;
        // An item ends with a closing brace, a semicolon or a comma. A line with an attribute is not the end.
        skipping = depth != 0 || line.trim_end().ends_with(']') || !line.trim_end().ends_with(['}', ';', ',']);
    }
    kept.join("\n")
}

#[test]
fn what_must_run_in_a_browser_needs_no_files_threads_or_waiting() {
    for room in PORTABLE {
        for (path, text) in code(room).into_iter().filter(|(path, _)| !is_native(room, path)) {
            let text = for_browsers(&text);
            // Pipelines are compiled by several threads on targets with threads.
            let text = text.replace("std::thread::scope", "").replace("std::thread::available_parallelism", "");
            for forbidden in [
                "std::fs",
                "std::thread",
                "std::net",
                "std::process",
                "std::time::Instant",
                "poll(wgpu",
                "native::",
                "File::",
            ] {
                assert!(!text.contains(forbidden), "{} uses {forbidden}", path.display());
            }
        }
    }
}
