//! Writes the drawings of docs/guide and the figures that its chapters quote, or says which of them are stale.
//!
//!     cargo run --release --example guide -- --check

#[macro_use]
#[path = "../support/say.rs"]
mod say;
mod figures;
mod listing;
mod svg;

use clap::Parser;
use figures::{Figure, Result};
use std::path::{Path, PathBuf};

/// Writes the drawings of docs/guide and the figures that its chapters quote.
#[derive(Parser)]
struct Arguments {
    /// Change nothing, and fail if a drawing, a figure or a link is stale.
    #[arg(long)]
    check: bool,
}

/// A chapter: the name of its file without extension, its drawing and its figures.
struct Chapter {
    name: &'static str,
    drawing: fn() -> Result<String>,
    figures: fn() -> Result<Vec<Figure>>,
}

macro_rules! chapters {
    ($($module:ident $name:literal,)*) => {
        $(mod $module;)*

        const CHAPTERS: &[Chapter] =
            &[$(Chapter { name: $name, drawing: $module::drawing, figures: $module::figures }),*];
    };
}

// The module of each chapter, and the name of its files in docs/guide without extension.
chapters! {
    ch01 "01-tape",
    ch02 "02-reverse",
    ch03 "03-higher",
    ch04 "04-adjoint",
    ch05 "05-dispatch",
    ch06 "06-memory",
    ch07 "07-product",
    ch08 "08-convolution",
    ch09 "09-batch-norm",
    ch10 "10-adam",
    ch11 "11-idempotence",
    ch12 "12-mnist",
    ch13 "13-limits",
}

/// What the name of a chapter has before the name of its module.
const DIGITS: fn(char) -> bool = |c| c.is_ascii_digit() || c == '-';
/// The source files of the crate on docs.rs.
const SOURCES: &str = "https://docs.rs/crate/ign/latest/source/";

fn main() -> Result<()> {
    say::without_display();
    let arguments = Arguments::parse();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let mut files: Vec<(PathBuf, String)> = vec![];
    let mut links = vec![];
    for chapter in CHAPTERS {
        let failed = |e: Box<dyn std::error::Error>| format!("{}: {e}", chapter.name);
        files.push((guide.join(format!("images/{}.svg", chapter.name)), (chapter.drawing)().map_err(failed)?));
        let path = guide.join(format!("{}.md", chapter.name));
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        links.extend(definitions(&guide, &text).map_err(failed)?);
        files.push((path, filled(&text, &(chapter.figures)().map_err(failed)?).map_err(failed)?));
    }
    links.extend(definitions(&guide, &std::fs::read_to_string(guide.join("README.md"))?)?);
    links.sort();
    links.dedup();
    files.push((guide.join("rustdoc-links.md"), links.concat()));

    let stale = |(path, text): &&(PathBuf, String)| std::fs::read_to_string(path).ok().as_ref() != Some(text);
    let stale: Vec<_> = files.iter().filter(stale).collect();
    for (path, text) in &stale {
        match arguments.check {
            true => say!("stale: {}", path.display()),
            false => std::fs::write(path, text)?,
        }
    }
    match arguments.check && !stale.is_empty() {
        true => Err("the guide differs from what the code says: scripts/guide writes it anew".into()),
        false => Ok(()),
    }
}

/// `text` with what stands between `<!-- figure: NAME -->` and `<!-- end -->` replaced by the figure of that name. A mark at
/// the end of its line encloses whole lines.
fn filled(text: &str, figures: &[Figure]) -> Result<String> {
    let (mut out, mut rest, mut used) = (String::new(), text, vec![]);
    while let Some((before, after)) = rest.split_once("<!-- figure: ") {
        let (name, after) = after.split_once(" -->").ok_or("a mark of a figure has no end")?;
        let (old, after) = after.split_once("<!-- end -->").ok_or_else(|| format!("no <!-- end --> after {name}"))?;
        let (_, figure) =
            figures.iter().find(|(own, _)| *own == name).ok_or_else(|| format!("no figure is called {name}"))?;
        if !old.starts_with('\n') && (before.is_empty() || before.ends_with('\n')) {
            return Err(format!("the mark of {name} begins a line, which Markdown takes as HTML").into());
        }
        let line = if old.starts_with('\n') { "\n" } else { "" };
        out += &format!("{before}<!-- figure: {name} -->{line}{}{line}<!-- end -->", figure.trim_end());
        used.push(name);
        rest = after;
    }
    match figures.iter().find(|(name, _)| !used.contains(name)) {
        Some((name, _)) => Err(format!("no chapter quotes the figure {name}").into()),
        None => Ok(out + rest),
    }
}

/// For rustdoc, the definitions of the labels of links that a chapter defines: chapters become modules, files of the
/// repository their sources on docs.rs. rustdoc reads these first, and the first definition of a label counts.
fn definitions(guide: &Path, text: &str) -> Result<Vec<String>> {
    let mut found = vec![];
    for (label, target) in text.lines().filter(|l| l.starts_with('[')).filter_map(|l| l.split_once("]: ")) {
        if target.contains("://") || label == "[drawing" {
            continue;
        }
        let file = target.split('#').next().unwrap_or_default();
        let chapter = file.strip_suffix(".md").filter(|name| !name.contains('/'));
        if !guide.join(file).exists() {
            return Err(format!("{label}]: {target} leads nowhere").into());
        }
        let to = match (chapter, file.strip_prefix("../../")) {
            (Some(name), _) => format!("crate::guide::{}", name.trim_start_matches(DIGITS).replace('-', "_")),
            (_, Some(path)) => format!("{SOURCES}{path}"),
            (_, None) => {
                return Err(format!("{label}]: {target} is neither a chapter nor a file of the repository").into());
            }
        };
        found.push(format!("{label}]: {to}\n"));
    }
    Ok(found)
}
