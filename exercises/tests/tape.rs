//! The tape track: every solution passes, and every stub fails for its reason.

use exercises::kernels;
use exercises::tape::{Author, PUZZLES};
use std::collections::BTreeSet;
use std::path::Path;

/// Why the stub of each puzzle fails.
const REASONS: [(&str, &[&str]); 9] = [
    ("square", &["with extents [1], the gradient of x [1]: 1 of 1 elements are wrong", "x[0]"]),
    ("chain", &["for the lines [Input, Square(0)]", "the gradient of line [1]: 1 of 1 elements are wrong"]),
    ("fan_out", &["for the lines [Input, Multiply(0, 0)]", "1 of 1 elements are wrong"]),
    ("broadcast", &["with extents [4, 1], the gradient of b [1]: 1 of 1 elements are wrong"]),
    ("matmul", &["the gradient of A"]),
    ("cross_entropy", &["with extents [1, 2], the gradient of x [1, 2]: 2 of 2 elements are wrong"]),
    ("batch_norm", &["with extents [2, 1, 3], the gradient of x [2, 1, 3]: 6 of 6 elements are wrong"]),
    ("frozen", &["idem: the gradient of w1", "It reaches the outer f too, whose parameters are frozen."]),
    ("three_losses", &["idem: the gradient of w1", "It reaches the outer f too, whose parameters are frozen."]),
];

#[test]
fn every_solution_passes() {
    for puzzle in &PUZZLES {
        let passed = puzzle.check(Author::Solution).unwrap_or_else(|wrong| panic!("{}: {wrong}", puzzle.text.name));
        assert!(passed.contains("elements") || passed.contains("lists"), "{passed}");
    }
}

/// Only the puzzles as they come with the project fail so; whoever solves one changes it.
#[test]
fn every_stub_fails_for_its_reason() {
    assert_eq!(REASONS.map(|(name, _)| name), PUZZLES.each_ref().map(|puzzle| puzzle.text.name));
    for (puzzle, (name, reasons)) in PUZZLES.iter().zip(REASONS) {
        let wrong = puzzle.check(Author::Learner).expect_err(name);
        for reason in reasons {
            assert!(wrong.contains(reason), "{name}: expected {reason} in\n{wrong}");
        }
    }
}

#[test]
fn numbers_go_on_from_the_kernels_and_every_file_is_there() {
    let numbers: Vec<_> = PUZZLES.iter().map(|puzzle| puzzle.text.number).collect();
    assert_eq!(numbers, (kernels::COUNT + 1..=kernels::COUNT + PUZZLES.len()).collect::<Vec<_>>());
    let all = kernels::PUZZLES.iter().map(|puzzle| puzzle.text.name);
    let mut names: BTreeSet<_> = all.collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for puzzle in &PUZZLES {
        assert!(names.insert(puzzle.text.name), "{} is the name of two puzzles", puzzle.text.name);
        for file in [puzzle.file, puzzle.solution_file, puzzle.leads_to] {
            assert!(root.join(file).is_file(), "{file}");
        }
    }
}
