use crate::simulator::{Flaw, Writer};
use ign::compile::CompileError;
use ign::gpu::GpuError;
use std::fmt;

/// Why a kernel did not pass.
#[derive(Clone, Debug)]
pub enum Failed {
    /// The WGSL is invalid, or it is no longer the puzzle's: an entry point, a buffer or the parameters are others.
    Wgsl {
        /// The learner's file.
        file: &'static str,
        /// What is wrong, and where.
        flaw: Flaw,
    },
    /// The simulator stopped: an access outside an array, accesses that no barrier orders, a barrier that not all invocations
    /// reach, or a loop without end.
    Flaw {
        /// The learner's file.
        file: &'static str,
        /// What is wrong, and where.
        flaw: Flaw,
        /// The shape of the problem, in words.
        shape: String,
    },
    /// An element is wrong.
    Wrong {
        /// The learner's file.
        file: &'static str,
        /// The first wrong element, as `y[2, 5]`.
        element: String,
        /// Its value; `None` if nothing was ever stored there.
        found: Option<f32>,
        /// Its value in the reference.
        expected: f64,
        /// The shape of the problem, in words.
        shape: String,
        /// Who stored it last, where the simulator knows.
        writer: Option<Writer>,
        /// Where the kernel ran: the simulator, or the adapter.
        on: String,
    },
    /// The results are right, and the kernel does too much for them.
    Costly {
        /// The learner's file.
        file: &'static str,
        /// What it does too often.
        what: &'static str,
        /// How often.
        found: u64,
        /// How often the reference solution does it.
        solution: u64,
        /// The shape of the problem, in words.
        shape: String,
    },
    /// The adapter failed, or the engine's own operation could not be compiled.
    Engine(CompileError),
}

impl From<GpuError> for Failed {
    fn from(error: GpuError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<CompileError> for Failed {
    fn from(error: CompileError) -> Self {
        Self::Engine(error)
    }
}

/// `file:line:column: message`, as compilers say it.
fn place(f: &mut fmt::Formatter<'_>, file: &str, flaw: &Flaw) -> fmt::Result {
    match flaw.line {
        0 => write!(f, "{file}: {}", flaw.message),
        line => write!(f, "{file}:{line}:{}: {}\n{}", flaw.column, flaw.message, flaw.excerpt),
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wgsl { file, flaw } => place(f, file, flaw),
            Self::Flaw { file, flaw, shape } => {
                place(f, file, flaw)?;
                write!(f, "\n  shape     {shape}")
            }
            Self::Wrong { file, element, found, expected, shape, writer, on } => {
                let line = writer.map_or(String::new(), |writer| format!(":{}", writer.line));
                match found {
                    Some(found) => write!(f, "{file}{line}: {element} is {found}, expected {expected}")?,
                    None => write!(f, "{file}: nothing is stored in {element}, expected {expected}")?,
                }
                write!(f, "\n  shape     {shape}")?;
                if let Some(Writer { group, invocation, line }) = writer {
                    write!(f, "\n  stored by invocation {invocation} of workgroup {group}, in line {line}")?;
                }
                write!(f, "\n  found on  {on}")
            }
            Self::Costly { file, what, found, solution, shape } => {
                write!(f, "{file}: every element is right, with {found} {what}; the solution has {solution}")?;
                write!(f, "\n  shape     {shape}")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failed {}
