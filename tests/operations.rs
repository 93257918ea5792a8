//! The table of operations in the documentation and the programs in the README match the code.
//!
//! `IGN_UPDATE=1 cargo test --release --test operations` regenerates the table.

use ign::compile::lower;
use ign::gpu::Caps;
use ign::ops::{Case, Example, examples};
use ign::tape::Tape;
use std::fmt::Write;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shaders of an example's forward or `backward` lines, on software adapters and on GPUs, without shared files.
fn shaders(example: &Example, backward: bool) -> String {
    let tape = Tape::new();
    let Case { y, wrt } = (example.record)(&tape);
    if !wrt.is_empty() {
        tape.vjp(y, tape.input("g", y.shape()), &wrt).unwrap();
    }
    let lines = tape.all(|_| true);
    let names: Vec<_> = lines.iter().map(|v| v.line().to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(lines).collect();
    let mut found = vec![];
    for caps in [Caps::software(8), Caps::minimal()] {
        let lowered = lower(&tape, &caps, &outputs).unwrap();
        for command in lowered.commands.list().iter().filter(|c| tape.nodes()[c.line].backward == backward) {
            let own = command.dispatch.kernel.sources.iter().map(|source| source.path);
            for path in own.filter(|path| !path.starts_with("shared/")) {
                let path = format!("`{path}`");
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
    }
    if found.is_empty() { "none".into() } else { found.join(", ") }
}

/// The table of operations as Markdown.
fn table() -> String {
    let mut table = String::from(
        "\n# Operations\n\ny is the output and g = ∂L/∂y the gradient that arrives at it. Files are in `src/ops`, shaders in \
         `shaders`; those in `shaders/shared` are left out, and other shapes may take others. The tests of an operation are at \
         the end of its file.\n\n| operation | y | gradient | file | shader | shaders of the gradient |\n|---|---|---|---|---|---|\n",
    );
    for (module, example) in examples() {
        let file = match root().join("src/ops").join(module).is_dir() {
            true => format!("{module}/"),
            false => format!("{module}.rs"),
        };
        assert!(root().join("src/ops").join(&file).exists(), "{file}");
        let [forward, backward] = [false, true].map(|backward| shaders(&example, backward));
        let [formula, gradient] = [example.formula, example.gradient].map(|text| text.replace('|', "\\|"));
        writeln!(table, "| `{}` | {formula} | {gradient} | `{file}` | {forward} | {backward} |", example.usage)
            .unwrap();
    }
    table
}

#[test]
fn the_table_of_operations_is_that_of_the_code() {
    let path = root().join("docs/operations.md");
    let table = table();
    if std::env::var_os("IGN_UPDATE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == table,
        "docs/operations.md is stale: IGN_UPDATE=1 cargo test --release --test operations regenerates it"
    );
}

/// The README shows a source file, a shader and a line of the list of operations. They match the code, which other
/// tests run.
#[test]
fn the_operation_that_the_readme_adds_is_that_of_the_code() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let readme = read("README.md");
    let file = read("src/ops/softplus.rs");
    for (what, text) in [("file", file.as_str()), ("shader", &read("shaders/softplus.wgsl"))] {
        assert!(readme.contains(text.trim()), "the README does not contain the {what} of softplus:\n{text}");
    }
    let line = "softplus: Softplus;";
    assert!(readme.contains(line) && read("src/ops/mod.rs").contains(line));
}

/// The program for PyTorch in the README matches the example.
#[test]
fn the_program_for_pytorch_in_the_readme_is_that_of_the_examples() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    assert!(
        read("README.md").contains(read("examples/sample.py").trim()),
        "the README does not contain examples/sample.py"
    );
}
