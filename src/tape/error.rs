use super::Shape;
use thiserror::Error;

/// Why something could not be recorded, differentiated or interpreted.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TapeError {
    /// The operands do not fit together.
    #[error("{op}{}: {message}", shapes_in_words(.shapes))]
    Shape {
        /// The operation.
        op: &'static str,
        /// Its operands' shapes.
        shapes: Vec<Shape>,
        /// What does not fit.
        message: String,
    },
    /// One name was given to state of two shapes.
    #[error("state `{name}` has shape {first}, and was asked for again with shape {second}")]
    StateShape {
        /// The state.
        name: String,
        /// Its shape.
        first: Shape,
        /// The other shape.
        second: Shape,
    },
    /// Only a single number has a gradient; for more there is `vjp`.
    #[error(
        "a gradient is taken of a single number, but `{line}` has shape {shape}; reduce it with mean or sum, or use vjp"
    )]
    NotScalar {
        /// The line that was to be differentiated.
        line: String,
        /// Its shape.
        shape: Shape,
    },
    /// Its derivative would be zero everywhere, which is rarely what was meant.
    #[error("`{of}` does not influence `{on}`, or only through another variable that was asked for")]
    NoInfluence {
        /// The variable that was asked for.
        of: String,
        /// What was differentiated.
        on: String,
    },
    /// The operation cannot be differentiated (again).
    #[error("%{line}: {op} has no gradient rule")]
    NoGradientRule {
        /// The operation.
        op: &'static str,
        /// Its line on the tape.
        line: usize,
    },
    /// The interpreter was not given what it needs.
    #[error("`{name}` needs {expected} values of shape {shape}, and was given {found}")]
    Feed {
        /// The input or state.
        name: String,
        /// Its shape.
        shape: Shape,
        /// How many elements that is.
        expected: usize,
        /// How many there were.
        found: usize,
    },
}

fn shapes_in_words(shapes: &[Shape]) -> String {
    let shapes: Vec<_> = shapes.iter().map(Shape::to_string).collect();
    format!(" of {}", shapes.join(" and "))
}
