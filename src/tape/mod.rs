//! The tape: a flat list of operations with known shapes, recorded once.
//!
//! Recording computes nothing. [`Tape::gradient`] and [`Tape::vjp`] append the derivative to the same list as more
//! operations. [`interpret`](Tape::interpret) runs the list in f64 on the CPU, as a reference. [`to_dot`](Tape::to_dot)
//! draws the list. [`compile`](crate::compile) turns the list into GPU dispatches. The tape itself depends on no GPU
//! and on a single operation: [`Sum`], which adds up the gradients of a value with several uses.
//!
//! Recording does not fail. The tape keeps the first operation whose operands do not fit (a misfit), with the line of
//! the program that recorded it. `gradient`, `vjp`, `interpret`, `compile` and [`check`](Tape::check) return this
//! error. After a misfit no operation is recorded, so that one mistake gives one error.
//!
//! Errors name the line that recorded the operation. For a helper function that records operations, `#[track_caller]` makes
//! them name the line of its caller.
//!
//! ```
//! use ign::tape::Tape;
//! let tape = Tape::new();
//! let x = tape.input("x", [1]);
//! let y = x * x;
//! let dy = tape.gradient(y, &[x])?[0];
//! let values = tape.interpret(&[(x, &[3.0])])?;
//! assert_eq!((values.get(y), values.get(dy)), (&[9.0][..], &[6.0][..]));
//! # Ok::<(), ign::tape::TapeError>(())
//! ```

mod dot;
mod error;
mod interpret;
mod op;
mod shape;
mod sum;
mod walk;

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

pub use error::TapeError;
pub use interpret::{Tensor, Values};
pub use op::{Call, Gradients, Op, operands};
pub use shape::Shape;
pub use sum::Sum;

/// The result of an operation on a tape.
pub type Result<T> = std::result::Result<T, TapeError>;

/// The origin of a line's value.
#[derive(Clone, Debug)]
pub enum Source {
    /// Written by the host before each run.
    Input(String),
    /// Persistent and shared between programs by name: parameters, running averages, optimiser moments.
    State(String),
    /// The same number in every element.
    Constant(f32),
    /// Computed from earlier lines.
    Op(Rc<dyn Op>),
}

/// One line of the tape.
#[derive(Clone, Debug)]
pub struct Node {
    /// The origin of the value.
    pub source: Source,
    /// The indices of the lines that this line reads. All are earlier lines.
    pub inputs: Vec<usize>,
    /// The shape of the value.
    pub shape: Shape,
    /// Whether a reverse walk recorded the line.
    pub backward: bool,
}

impl Node {
    /// The name of the input, the state or the operation.
    pub fn name(&self) -> &str {
        match &self.source {
            Source::Input(name) | Source::State(name) => name,
            Source::Constant(_) => "constant",
            Source::Op(op) => op.name(),
        }
    }
}

/// A flat list of operations with known shapes. `Display` prints each line of the tape.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
    backward: Cell<bool>,
    /// The error of the first misfit, and the placeholder line for its result.
    misfit: RefCell<Option<(TapeError, usize)>>,
}

/// A line of a tape: an operand or a result of an operation. `Copy`, so that expressions can reuse it.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: &'t Tape,
    id: usize,
}

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tensor that the host writes before each run. A shape without elements is a misfit.
    #[track_caller]
    pub fn input(&self, name: &str, shape: impl Into<Shape>) -> Var<'_> {
        self.leaf(Source::Input(name.into()), shape.into())
    }

    /// A persistent tensor. The same name gives the same line, so that a network applied twice shares its parameters.
    /// A second shape under the same name is a misfit, and so is a shape without elements.
    #[track_caller]
    pub fn state(&self, name: &str, shape: impl Into<Shape>) -> Var<'_> {
        let shape = shape.into();
        let known = self.all(|node| matches!(&node.source, Source::State(n) if n == name)).first().copied();
        match known.map(|var| (var, var.shape())) {
            Some((var, first)) if first == shape => var,
            Some((_, first)) => {
                self.refuse(TapeError::StateShape { name: name.into(), first, second: shape, at: Location::caller() })
            }
            None => self.leaf(Source::State(name.into()), shape),
        }
    }

    /// A tensor with `value` in every element. A shape without elements is a misfit.
    #[track_caller]
    pub fn constant(&self, value: f32, shape: impl Into<Shape>) -> Var<'_> {
        self.leaf(Source::Constant(value), shape.into())
    }

    /// Appends a line that is not computed. No operation is defined without elements: means and statistics would divide
    /// by zero.
    #[track_caller]
    fn leaf(&self, source: Source, shape: Shape) -> Var<'_> {
        let node = Node { source, inputs: vec![], shape, backward: false };
        match node.shape.elements() {
            0 => {
                let (name, shape) = (node.name().into(), node.shape);
                self.refuse(TapeError::Empty { name, shape, at: Location::caller() })
            }
            _ => self.push(node.source, node.inputs, node.shape),
        }
    }

    /// Appends `op` applied to `inputs`. Records nothing after a misfit.
    #[track_caller]
    pub fn record<'t>(&'t self, op: impl Op, inputs: &[Var<'t>]) -> Var<'t> {
        if let Some((_, id)) = *self.misfit.borrow() {
            return Var { tape: self, id };
        }
        let shapes: Vec<Shape> = inputs.iter().map(|v| v.shape()).collect();
        let fits = if inputs.iter().any(|v| !std::ptr::eq(v.tape, self)) {
            Err("an input belongs to another tape".into())
        } else if let Some(&i) = op.writes().iter().find(|&&i| !inputs.get(i).is_some_and(|v| v.is_state())) {
            Err(format!("input {i} is updated in place and must be state of the tape"))
        } else {
            op.shape(&shapes.iter().collect::<Vec<_>>())
        };
        match fits {
            Ok(shape) => self.push(Source::Op(Rc::new(op)), inputs.iter().map(|v| v.id).collect(), shape),
            Err(message) => self.refuse(TapeError::Shape { op: op.name(), shapes, message, at: Location::caller() }),
        }
    }

    /// Fails if the tape has a misfit.
    ///
    /// # Errors
    /// The first misfit: the operation, the shapes that do not fit, and the file and line that recorded them.
    pub fn check(&self) -> Result<()> {
        self.misfit.borrow().as_ref().map_or(Ok(()), |(error, _)| Err(error.clone()))
    }

    /// Fails if the tape has a misfit, or if one of `vars` belongs to another tape.
    pub(crate) fn check_own<'a, 't: 'a>(&self, mut vars: impl Iterator<Item = &'a Var<'t>>) -> Result<()> {
        self.check()?;
        match vars.find(|v| !std::ptr::eq(v.tape, self)) {
            Some(foreign) => Err(TapeError::Foreign(format!("{foreign:?}"))),
            None => Ok(()),
        }
    }

    /// Keeps the first misfit. The placeholder for its result is a line without elements.
    pub(crate) fn refuse(&self, error: TapeError) -> Var<'_> {
        let (_, id) = *self.misfit.borrow_mut().get_or_insert_with(|| {
            let nothing = self.push(Source::Constant(f32::NAN), vec![], Shape::none());
            (error, nothing.id)
        });
        Var { tape: self, id }
    }

    /// The lines of the tape, in order.
    pub fn nodes(&self) -> Ref<'_, [Node]> {
        Ref::map(self.nodes.borrow(), Vec::as_slice)
    }

    /// All lines that satisfy `test`, in order.
    pub fn all(&self, test: impl Fn(&Node) -> bool) -> Vec<Var<'_>> {
        let nodes = self.nodes();
        let ids = (0..nodes.len()).filter(|&id| test(&nodes[id]));
        ids.map(|id| Var { tape: self, id }).collect()
    }

    /// The description of a line, such as `%7 = convolution(%2, 0.weight) [64, 32, 14, 14]`.
    pub fn describe(&self, id: usize) -> String {
        let nodes = self.nodes();
        let node = &nodes[id];
        let operand = |&i: &usize| match &nodes[i].source {
            Source::Op(_) => format!("%{i}"),
            Source::Constant(value) => value.to_string(),
            Source::Input(name) | Source::State(name) => name.clone(),
        };
        let value = match &node.source {
            Source::Input(name) => format!("input {name}"),
            Source::State(name) => format!("state {name}"),
            Source::Constant(value) => format!("constant {value}"),
            Source::Op(op) => {
                format!("{}({})", op.name(), node.inputs.iter().map(operand).collect::<Vec<_>>().join(", "))
            }
        };
        format!("%{id} = {value} {}", node.shape)
    }

    fn push(&self, source: Source, inputs: Vec<usize>, shape: Shape) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { source, inputs, shape, backward: self.backward.get() });
        Var { tape: self, id: nodes.len() - 1 }
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.nodes().len()).try_for_each(|id| writeln!(f, "{}", self.describe(id)))
    }
}

impl<'t> Var<'t> {
    /// The tape of this line.
    pub fn tape(self) -> &'t Tape {
        self.tape
    }

    /// The index of this line on the tape.
    pub fn line(self) -> usize {
        self.id
    }

    /// The shape of this line.
    pub fn shape(self) -> Shape {
        self.tape.nodes.borrow()[self.id].shape.clone()
    }

    /// The name of the input, the state or the operation.
    pub fn name(self) -> String {
        self.tape.nodes.borrow()[self.id].name().to_string()
    }

    fn is_state(self) -> bool {
        matches!(self.tape.nodes.borrow()[self.id].source, Source::State(_))
    }
}

impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tape.describe(self.id))
    }
}
