//! What the chapters quote: outputs of the code, pieces of source files, and recorded measurements.

use std::error::Error;
use std::path::Path;

/// A text that a chapter quotes, by its name.
pub type Figure = (&'static str, String);

/// The result of a chapter's functions.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A file of the repository.
pub fn file(path: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// `text` in a fenced block of `language`, such as "text" or "wgsl". A block of "rust" would be a test; "rs" is Rust that is none.
pub fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```", text.trim_end())
}

/// The lines of a source file from the first that contains `from` to the next that contains `to`, without the indentation of
/// the first.
pub fn quoted(path: &str, from: &str, to: &str) -> Result<String> {
    let text = file(path)?;
    let lines: Vec<_> = text.lines().collect();
    let first =
        lines.iter().position(|l| l.contains(from)).ok_or_else(|| format!("{path} has no line with {from:?}"))?;
    let count = lines[first..].iter().position(|l| l.contains(to));
    let count = count.ok_or_else(|| format!("{path} has no line with {to:?} after {from:?}"))?;
    let indent = lines[first].len() - lines[first].trim_start().len();
    let cut = |l: &&str| l.get(indent..).unwrap_or_default().to_string();
    Ok(lines[first..=first + count].iter().map(cut).collect::<Vec<_>>().join("\n"))
}

/// A recorded measurement or the description of a model: a JSON file of the repository.
#[allow(dead_code)] // Not every chapter measures.
pub fn json(path: &str) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&file(path)?)?)
}
