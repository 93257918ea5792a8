//! The kernel track: every solution passes, every stub fails for its reason, and a solution without one of its barriers is
//! found out.

use exercises::kernels::{Failed, PUZZLES, Passed, Puzzle, check, simulate};
use ign::gpu::GpuError;
use ign::native::open;
use std::fs;
use std::path::Path;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn puzzle(name: &str) -> &'static Puzzle {
    PUZZLES.iter().find(|puzzle| puzzle.text.name == name).unwrap()
}

/// Why the simulator refuses a kernel.
fn refused(puzzle: &'static Puzzle, wgsl: &str) -> String {
    match simulate(puzzle, wgsl) {
        Ok(_) => panic!("{} passes:\n{wgsl}", puzzle.text.name),
        Err(failed) => failed.to_string(),
    }
}

/// The solution of a puzzle with a part of its text replaced.
fn changed(name: &str, from: &str, to: &str) -> String {
    let solution = puzzle(name).solution;
    assert!(solution.contains(from), "{name} has no {from}");
    solution.replace(from, to)
}

#[test]
fn every_solution_passes_in_the_simulator_and_on_the_adapter() {
    let gpu = open(None).unwrap();
    for puzzle in &PUZZLES {
        let simulated =
            simulate(puzzle, puzzle.solution).unwrap_or_else(|failed| panic!("{}: {failed}", puzzle.text.name));
        let checked = gpu.wait::<_, GpuError>(async { Ok(check(&gpu, simulated).await) }).unwrap();
        let passed: Passed = checked.unwrap_or_else(|failed| panic!("{}: {failed}", puzzle.text.name));
        assert!(passed.shapes.len() >= 3, "{passed}");
        assert_eq!(passed.counts, passed.solution_counts);
        assert!(passed.counts.loads > 0 && passed.counts.stores > 0, "{passed}");
        assert!(passed.measured.seconds > 0.0 && passed.measured.share_of_roof > 0.0, "{passed}");
        assert!(passed.solution_measured.share_of_roof > 0.0, "{passed}");
    }
}

#[test]
fn every_stub_fails_for_its_reason() {
    let reasons = [
        ("map", "nothing is stored in y[0], expected 17"),
        ("guard", "20:14: invocation 1 of workgroup 0 reads outside `x`: the index is 1, and the length is 1"),
        ("zip", "nothing is stored in y[0]"),
        ("stencil", "reads outside `x`: the index is 1, and the length is 1"),
        ("barrier", "reads tile[1], which invocation 1 writes in line 28, with no barrier in between"),
        ("reduction", "y[0] is 3, expected 0"),
        ("transpose", "every element is right, with 3456 accesses to lines of 64 bytes"),
        ("tiled_product", "c[0, 0] is 0, expected 8"),
        ("register_tile", "c[0, 0] is 0, expected 8"),
        ("panels", "c[0, 0] is NaN, expected 8"),
        ("convolution", "reads outside `x`: the index is -1"),
        ("input_gradient", "dx[0, 0, 0, 0] is 0, expected 3"),
        ("weight_gradient", "dw[0, 0, 0, 0] is 0, expected 12"),
        ("batch_norm_sums", "statistics[1, 0] is 0, expected 0.25"),
    ];
    assert_eq!(reasons.map(|(name, _)| name).to_vec(), PUZZLES.each_ref().map(|puzzle| puzzle.text.name));
    for (name, reason) in reasons {
        let puzzle = puzzle(name);
        let said = refused(puzzle, &read(puzzle.file));
        assert!(said.starts_with(puzzle.file) && said.contains(reason), "{name}: {said}");
    }
}

#[test]
fn each_barrier_of_each_solution_is_needed() {
    let mut found = 0;
    for puzzle in &PUZZLES {
        for (at, barrier) in puzzle.solution.match_indices("workgroupBarrier();") {
            let without = [&puzzle.solution[..at], &puzzle.solution[at + barrier.len()..]].concat();
            let said = refused(puzzle, &without);
            assert!(said.contains("with no barrier in between"), "{}: {said}", puzzle.text.name);
            found += 1;
        }
    }
    assert_eq!(found, 6);
}

#[test]
fn invalid_wgsl_is_refused_with_file_line_and_column() {
    let said = refused(puzzle("transpose"), &changed("transpose", "workgroupBarrier();", "workgroupBarier();"));
    assert!(said.starts_with("exercises/kernels/07_transpose.wgsl:19:3: "), "{said}");
    assert!(said.contains("workgroupBarier"), "{said}");
    let said = refused(puzzle("map"), &changed("map", "value + 1.0", "value + 1u"));
    assert!(said.starts_with("exercises/kernels/01_map.wgsl:10:10: "), "{said}");
    let said = refused(puzzle("map"), "");
    assert!(said.contains("there is no entry point `map`"), "{said}");
}

#[test]
fn a_loop_without_end_is_reported_and_not_run() {
    let endless = changed("map", "y[i] =", "loop { if (value > 9.0) { break; } }\n  y[i] =");
    let said = refused(puzzle("map"), &endless);
    assert!(said.contains("01_map.wgsl:10:3: a loop does not end: after 65535 turns"), "{said}");
    let slow = changed("reduction", "half /= 2u", "half /= 1u");
    assert!(refused(puzzle("reduction"), &slow).contains("a loop does not end"));
    // The outer loop is named, though the inner one takes most of the turns.
    let said = refused(puzzle("tiled_product"), &changed("tiled_product", "k += 16u", "k += 0u"));
    assert!(said.contains("a loop does not end") && said.contains("|   for (var k = 0u;"), "{said}");
}

#[test]
fn accesses_outside_an_array_are_reported() {
    let outside = changed("guard", "y[i] =", "y[i + 1u] =");
    let said = refused(puzzle("guard"), &outside);
    assert!(said.contains("invocation 0 of workgroup 0 writes outside `y`: the index is 1"), "{said}");
    let outside = changed("barrier", "array<f32, 68>", "array<f32, 66>");
    let said = refused(puzzle("barrier"), &outside);
    assert!(said.contains("writes outside `tile`: the index is 66, and the length is 66"), "{said}");
}

#[test]
fn a_barrier_that_not_all_reach_is_refused() {
    let early = "if (first + local >= params.count) { return; }";
    let solution = changed("barrier", early, "");
    let said = refused(
        puzzle("barrier"),
        &solution.replace("workgroupBarrier();", &format!("{early}\n  workgroupBarrier();")),
    );
    assert!(said.contains("does not reach this barrier"), "{said}");
}

#[test]
fn elements_that_two_invocations_write_are_reported() {
    let said = refused(puzzle("map"), &changed("map", "w.x * 64u + local", "w.x * 64u + local / 2u"));
    assert!(said.contains("invocation 1 writes y[0], which invocation 0 writes in line 10"), "{said}");
    let said = refused(puzzle("map"), &changed("map", "w.x * 64u + local", "w.x * 32u + local"));
    assert!(said.contains("nothing orders workgroups"), "{said}");
}

#[test]
fn a_wrong_element_is_named_with_its_place_and_its_writer() {
    let failed =
        simulate(puzzle("transpose"), &changed("transpose", "tile[local.x][local.y];", "tile[local.y][local.x];"));
    let Err(Failed::Wrong { element, found, expected, shape, writer, .. }) = failed else { panic!("{failed:?}") };
    assert_eq!((element.as_str(), found, expected), ("y[1, 0]", Some(0.0), 1.0));
    assert_eq!(shape, "x [1, 17]");
    assert_eq!(writer.map(|writer| (writer.group, writer.invocation)), Some((0, 16)));
}

#[test]
fn a_product_that_takes_no_tiles_is_right_and_too_costly() {
    let naive = "
        for (var k = 0u; k < params.steps; k++) { sum += a_at(m, k) * b_at(k, n); }
        if (m < params.rows && n < params.columns) { c[m * params.columns + n] = sum; }
    }";
    let solution = puzzle("tiled_product").solution;
    let (head, _) = solution.split_once("  for (var k").unwrap();
    let said = refused(puzzle("tiled_product"), &format!("{head}{naive}"));
    assert!(said.contains("every element is right, with 393216 loads from buffers; the solution has 24576"), "{said}");
}

#[test]
fn a_kernel_that_is_no_longer_the_puzzles_is_refused() {
    let said = refused(puzzle("map"), &changed("map", "@workgroup_size(64)", "@workgroup_size(32)"));
    assert!(said.contains("the puzzle starts workgroups of 64 × 1 × 1"), "{said}");
    let said = refused(puzzle("guard"), &changed("guard", "count: u32", "n: u32").replace("params.count", "params.n"));
    assert!(said.contains("the members of `params` are n; the puzzle has count"), "{said}");
    let said = refused(puzzle("map"), &changed("map", "x[i]", "q[i]").replace(" x: array", " q: array"));
    assert!(said.contains("nothing is bound to `q`; the puzzle has `params`, `x`, `y`"), "{said}");
}

#[test]
fn every_puzzle_has_its_files_and_leads_to_a_shader_of_the_engine() {
    for (i, puzzle) in PUZZLES.iter().enumerate() {
        let text = puzzle.text;
        assert_eq!(text.number, i + 1);
        assert!(puzzle.file.ends_with(&format!("/{:02}_{}.wgsl", text.number, text.name)), "{}", puzzle.file);
        assert_eq!(read(puzzle.solution_file), puzzle.solution);
        let stub = read(puzzle.file);
        assert!(stub.starts_with(&format!("// Puzzle {}", text.number)), "{}", puzzle.file);
        assert!(stub.contains(&format!("In the engine: {}", puzzle.leads_to)) || stub.contains(puzzle.leads_to));
        assert!(read(puzzle.leads_to).contains("fn "), "{}", puzzle.leads_to);
        assert!(text.hints.iter().all(|hint| hint.len() > 20), "{}", text.name);
    }
}
