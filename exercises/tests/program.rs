//! The command line, in a copy of the files to edit.

use exercises::kernels::PUZZLES;
use exercises::tape;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with the stubs, which is removed at the end.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("exercises-{}-{name}", std::process::id()));
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for puzzle in &PUZZLES {
            let path = root.join(puzzle.file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(repository.join(puzzle.file), path).unwrap();
        }
        Self(root)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exercises"));
        command.args(arguments).arg("--root").arg(&self.0);
        command
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        (status.success(), String::from_utf8([stdout, stderr].concat()).unwrap())
    }

    fn save(&self, number: usize, text: &str) {
        fs::write(self.0.join(PUZZLES[number - 1].file), text).unwrap();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_puzzle_fails_is_solved_and_is_remembered_until_its_file_changes() {
    let copy = Copy::new("solved");
    let (passed, said) = copy.run(&[]);
    assert!(!passed && said.contains("puzzle 1, map") && said.contains("01_map.wgsl: nothing is stored"), "{said}");
    assert!(said.contains("-- 1 --hint"), "{said}");

    copy.save(1, PUZZLES[0].solution);
    let (passed, said) = copy.run(&["map"]);
    assert!(passed && said.contains("passed: all elements are right"), "{said}");
    assert!(said.contains("next: 2, ") && said.contains("in the engine: shaders/leaky_relu.wgsl"), "{said}");
    let (_, said) = copy.run(&["list"]);
    assert!(said.contains(" 1  passed  map") && said.contains(" 2          guard"), "{said}");
    let (_, said) = copy.run(&[]);
    assert!(said.contains("puzzle 2, guard"), "{said}");

    copy.save(1, &format!("{}\n", PUZZLES[0].solution));
    let (_, said) = copy.run(&["list"]);
    assert!(said.contains(" 1          map"), "{said}");
}

#[test]
fn a_watched_file_is_checked_again_when_it_is_saved() {
    let copy = Copy::new("watched");
    copy.save(2, "fn");
    let mut child = copy.command(&["2", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("waiting for exercises/")).collect();
    assert!(first.concat().contains("02_guard.wgsl:1:3: "), "{first:?}");
    copy.save(2, PUZZLES[1].solution);
    let second: Vec<_> = lines.collect();
    assert!(second.concat().contains("passed: all elements are right"), "{second:?}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_description_lists_every_puzzle() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let kernels = PUZZLES.iter().map(|puzzle| (puzzle.text, puzzle.file, puzzle.leads_to));
    let tape = tape::PUZZLES.iter().map(|puzzle| (puzzle.text, puzzle.file, puzzle.leads_to));
    for (text, file, leads_to) in kernels.chain(tape) {
        let file = file.strip_prefix("exercises/").unwrap();
        let shader = leads_to.rsplit('/').next().unwrap();
        let (number, name, title) = (text.number, text.name, text.title);
        let row = format!("| {number} | [{name}]({file}) | {title} | [{shader}](../{leads_to}) |");
        assert!(readme.contains(&row), "exercises/README.md should have the row\n{row}");
    }
}

#[test]
fn hints_solutions_and_what_cannot_be_done_are_said() {
    let copy = Copy::new("hints");
    for (arguments, text) in [
        (&["7", "--hint"][..], PUZZLES[6].text.hints[0]),
        (&["transpose", "--hint", "3"], PUZZLES[6].text.hints[2]),
        (&["7", "--solution"], "exercises/solutions/kernels/07_transpose.wgsl"),
    ] {
        let (done, said) = copy.run(arguments);
        assert!(done && said.contains(text), "{arguments:?}: {said}");
    }
    for (arguments, text) in [
        (&["nowhere"][..], "there is no puzzle `nowhere`"),
        (&["7", "--hint", "4"], "4 is not in 1..=3"),
        (&["1", "--adapter", "nonsense"], "01_map.wgsl: nothing is stored"),
    ] {
        let (done, said) = copy.run(arguments);
        assert!(!done && said.contains(text), "{arguments:?}: {said}");
    }
    fs::remove_file(copy.0.join(PUZZLES[0].file)).unwrap();
    let (done, said) = copy.run(&["1"]);
    assert!(!done && said.contains("01_map.wgsl cannot be read"), "{said}");
}
