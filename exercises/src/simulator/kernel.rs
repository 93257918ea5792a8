use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, SourceLocation, Span, TypeInner};
use std::error::Error;

/// What is wrong with a kernel, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Line, from 1; 0 if there is no place.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The line with its number, and a mark below the column; empty if there is no place.
    pub excerpt: String,
}

impl Flaw {
    /// What is wrong with a kernel as a whole.
    pub fn anywhere(message: String) -> Self {
        Self { line: 0, column: 0, message, excerpt: String::new() }
    }

    /// What is wrong at a place of `text`.
    fn at(text: &str, place: Option<SourceLocation>, message: String) -> Self {
        let Some(SourceLocation { line_number: line, line_position: column, .. }) = place else {
            return Self::anywhere(message);
        };
        let source = text.lines().nth(line as usize - 1).unwrap_or_default();
        // The column counts bytes, the mark characters.
        let before = source.get(..column as usize - 1).map_or(0, |before| before.chars().count());
        let excerpt = format!("{line:>5} | {source}\n      | {}^", " ".repeat(before));
        Self { line, column, message, excerpt }
    }
}

/// A valid WGSL file.
pub struct Kernel {
    pub(super) text: String,
    pub(super) module: Module,
    pub(super) info: ModuleInfo,
}

impl Kernel {
    /// Parses and validates `text`.
    ///
    /// # Errors
    /// The first error of naga, with its place.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let module = naga::front::wgsl::parse_str(text).map_err(|error| {
            let labels = error.labels().map(|(_, label)| label).filter(|label| !label.is_empty());
            let details: Vec<_> = labels.chain(error.notes()).collect();
            let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join("; ")) };
            Flaw::at(text, error.location(text), format!("{}{details}", error.message()))
        })?;
        let info =
            Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP).validate(&module).map_err(|error| {
                // The outer error names the function; the innermost place is that of the expression.
                let place = error.spans().last().map(|(span, _)| span.location(text));
                let mut message = error.as_inner().to_string();
                let mut cause = error.as_inner().source();
                while let Some(inner) = cause {
                    message = format!("{message}: {inner}");
                    cause = inner.source();
                }
                Flaw::at(text, place, message)
            })?;
        Ok(Self { text: text.into(), module, info })
    }

    /// Extents of a workgroup of the entry point `name`.
    pub fn workgroup(&self, name: &str) -> Option<[u32; 3]> {
        self.module.entry_points.iter().find(|entry| entry.name == name).map(|entry| entry.workgroup_size)
    }

    /// Names of the members of the uniform block `name`, if each of them has four bytes.
    pub fn members(&self, name: &str) -> Option<Vec<&str>> {
        let global = self.module.global_variables.iter().find(|(_, global)| global.name.as_deref() == Some(name))?.1;
        let TypeInner::Struct { members, .. } = &self.module.types[global.ty].inner else { return None };
        let scalar = |ty| self.module.types[ty].inner.size(self.module.to_ctx()) == 4;
        let members = members.iter().enumerate();
        members.map(|(i, m)| m.name.as_deref().filter(|_| scalar(m.ty) && m.offset as usize == 4 * i)).collect()
    }

    /// The line of a place in the text.
    pub(super) fn line(&self, span: Span) -> u32 {
        span.location(&self.text).line_number
    }

    pub(super) fn flaw(&self, span: Span, message: String) -> Flaw {
        Flaw::at(&self.text, span.is_defined().then(|| span.location(&self.text)), message)
    }
}
