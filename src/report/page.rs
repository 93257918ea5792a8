//! Building blocks of the HTML page.

use crate::files::{FileError, read};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// HTML under construction.
pub struct Page(String);

impl Page {
    pub fn new() -> Self {
        let head = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
                    <meta name=\"viewport\" content=\"width=device-width\">\n<title>ign: report</title>\n";
        Self(format!("{head}<style>\n{}</style>\n<main>\n", include_str!("style.css")))
    }

    /// The complete page.
    pub fn finish(self) -> String {
        format!("{}</main>\n<script>\n{}</script>\n</html>\n", self.0, include_str!("slider.js"))
    }

    /// Adds a column, beside the columns before it.
    pub fn column(&mut self, fill: impl FnOnce(&mut Self) -> Result<(), FileError>) -> Result<(), FileError> {
        self.raw("<article>\n");
        fill(self)?;
        self.raw("</article>\n");
        Ok(())
    }

    pub fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    pub fn heading(&mut self, text: &str) {
        self.raw(&format!("<h1>{}</h1>\n", escaped(text)));
    }

    pub fn section(&mut self, text: &str) {
        self.raw(&format!("<h2>{}</h2>\n", escaped(text)));
    }

    pub fn text(&mut self, text: &str) {
        self.raw(&format!("<p>{}</p>\n", escaped(text)));
    }

    /// Adds a picture, embedded in the page.
    pub fn picture(&mut self, caption: &str, file: &Path) -> Result<(), FileError> {
        self.raw(&format!("<img alt=\"{}\" src=\"{}\">\n", escaped(caption), embedded(file)?));
        Ok(())
    }

    /// Adds pictures of several steps in one place, with a slider that selects the step.
    pub fn slider(&mut self, pictures: &[(u64, PathBuf)]) -> Result<(), FileError> {
        let last = pictures.len().saturating_sub(1);
        self.raw("<div class=\"slider\">\n");
        self.raw(&format!(
            "<label><input type=\"range\" min=\"0\" max=\"{last}\" value=\"{last}\"> <output></output></label>\n"
        ));
        for (step, file) in pictures {
            self.picture(&format!("step {step}"), file)?;
        }
        self.raw("</div>\n");
        Ok(())
    }

    /// Adds a table of names and values, with a nested table for each nested value.
    pub fn values(&mut self, value: &Value) {
        let entries: Vec<(String, &Value)> = match value {
            Value::Object(entries) => entries.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
            _ => return self.raw(&escaped(&shown(value))),
        };
        let flat = |items: &[Value]| items.iter().all(|v| !v.is_object() && !v.is_array());
        self.raw("<table>\n");
        for (name, value) in entries {
            self.raw(&format!("<tr><th>{}</th><td>", escaped(&name)));
            match value {
                Value::Array(items) if flat(items) => {
                    self.raw(&escaped(&items.iter().map(shown).collect::<Vec<_>>().join(", ")));
                }
                value => self.values(value),
            }
            self.raw("</td></tr>\n");
        }
        self.raw("</table>\n");
    }
}

/// A number rounded to about four significant digits; any other value unchanged.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().expect("the number is an f64");
            if number.abs() >= 1e9 {
                return format!("{number:.3e}");
            }
            let digits = (3 - number.abs().max(1e-6).log10().floor() as i32).clamp(0, 6) as usize;
            format!("{number:.digits$}")
        }
        other => other.to_string(),
    }
}

fn embedded(file: &Path) -> Result<String, FileError> {
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(read(file)?)))
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
