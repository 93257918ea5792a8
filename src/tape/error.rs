use super::Shape;
use std::panic::Location;
use thiserror::Error;

/// Error of recording, differentiating or interpreting a tape. Lines of the tape appear as [`describe`](super::Tape::describe)
/// prints them; `at` is the line of the program that recorded the misfit.
#[derive(Clone, Debug, Error, PartialEq)]
#[allow(missing_docs)]
pub enum TapeError {
    /// The operands of an operation do not fit together.
    #[error("{at}: {op}{}: {message}", shapes_in_words(.shapes))]
    Shape { op: &'static str, shapes: Vec<Shape>, message: String, at: &'static Location<'static> },
    /// Two states of different shapes have the same name.
    #[error("{at}: state `{name}` has shape {first}, and is requested again with shape {second}")]
    StateShape { name: String, first: Shape, second: Shape, at: &'static Location<'static> },
    /// An input, a state or a constant has no elements.
    #[error("{at}: `{name}` of shape {shape} has no elements; every extent must be at least 1")]
    Empty { name: String, shape: Shape, at: &'static Location<'static> },
    /// A variable belongs to another tape.
    #[error("`{0}` belongs to another tape")]
    Foreign(String),
    /// The gradient of more than one element was requested. `vjp` differentiates tensors.
    #[error("only a single number has a gradient; reduce `{0}` with mean or sum, or use vjp")]
    NotScalar(String),
    /// The derivative would be zero everywhere, which is rarely intended.
    #[error("`{of}` does not influence `{on}`, or only through another variable of the list")]
    NoInfluence { of: String, on: String },
    /// The gradient leads through a line that reads a state, and the state was updated after that line. The gradient would read
    /// the new contents.
    #[error(
        "the gradient leads through `{line}`, and `{update}` changes what it reads; record the gradient before the update"
    )]
    Updated { line: String, update: String },
    /// The operation cannot be differentiated, or not a second time.
    #[error("{op} has no gradient rule, and the gradient leads through `{line}`")]
    NoGradientRule { op: &'static str, line: String },
    /// The gradient rule of an operation does not give one gradient per input, of the shape of the input.
    #[error("the gradient rule of `{line}` gives {gradients}")]
    GradientRule { line: String, gradients: String },
    /// A line that is neither an input nor a state was given values.
    #[error("`{0}` is computed, and cannot be given values")]
    Computed(String),
    /// An input or a state is missing, or has the wrong number of elements.
    #[error("`{name}` of shape {shape} needs {} values, and was given {found}", shape.elements())]
    Feed { name: String, shape: Shape, found: usize },
}

fn shapes_in_words(shapes: &[Shape]) -> String {
    let words: Vec<_> = shapes.iter().map(Shape::to_string).collect();
    if words.is_empty() { String::new() } else { format!(" of {}", words.join(" and ")) }
}
