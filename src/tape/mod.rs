//! The tape: a flat list of operations with known shapes, recorded once.
//!
//! Recording computes nothing. [`Tape::gradient`] and [`Tape::vjp`] append the derivative to the same list as more
//! operations; [`interpret`](Tape::interpret) runs the list slowly and obviously in f64; [`to_dot`](Tape::to_dot)
//! draws it; `ops::compile` turns it into GPU dispatches. The tape itself knows no GPU and no particular operation
//! but [`Sum`], which fan-out needs.
//!
//! ```
//! use ign::{ops, tape::Tape};
//! let tape = Tape::new();
//! let x = tape.input("x", [1]);
//! let y = ops::mul(x, x)?;
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
use std::rc::Rc;

pub use error::TapeError;
pub use interpret::{Tensor, Values};
pub use op::{Call, Op};
pub use shape::Shape;
pub use sum::Sum;

/// The result of recording.
pub type Result<T> = std::result::Result<T, TapeError>;

/// Where a line's value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Written by the host before each run.
    Input(String),
    /// Persistent and shared between programs by name: parameters, running averages, optimiser moments.
    State(String),
    /// The same number everywhere.
    Constant(f32),
    /// Computed from earlier lines.
    Op(Rc<dyn Op>),
}

/// One line of the tape.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value comes from.
    pub source: Source,
    /// The lines it reads; all earlier than itself.
    pub inputs: Vec<usize>,
    /// The shape of the value.
    pub shape: Shape,
    /// Whether a reverse walk recorded it.
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

/// A flat list of operations with known shapes.
#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
    backward: Cell<bool>,
}

/// A line of a tape: what an operation takes and gives. Free to copy.
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

    /// A tensor that the host writes before each run.
    pub fn input(&self, name: &str, shape: impl Into<Shape>) -> Var<'_> {
        self.push(Source::Input(name.into()), vec![], shape.into())
    }

    /// A persistent tensor. The same name gives the same line, so that a network applied twice shares its parameters.
    pub fn state(&self, name: &str, shape: impl Into<Shape>) -> Result<Var<'_>> {
        let shape = shape.into();
        let known = self.find(|node| matches!(&node.source, Source::State(n) if n == name));
        match known {
            Some(var) if var.shape() == shape => Ok(var),
            Some(var) => Err(TapeError::StateShape { name: name.into(), first: var.shape(), second: shape }),
            None => Ok(self.push(Source::State(name.into()), vec![], shape)),
        }
    }

    /// `value` in every element.
    pub fn constant(&self, value: f32, shape: impl Into<Shape>) -> Var<'_> {
        self.push(Source::Constant(value), vec![], shape.into())
    }

    /// Appends `op` applied to `inputs`.
    pub fn record<'t>(&'t self, op: impl Op, inputs: &[Var<'t>]) -> Result<Var<'t>> {
        let shapes: Vec<Shape> = inputs.iter().map(|v| v.shape()).collect();
        let fail = |message: String| TapeError::Shape { op: op.name(), shapes: shapes.clone(), message };
        if inputs.iter().any(|v| !std::ptr::eq(v.tape, self)) {
            return Err(fail("an input belongs to another tape".into()));
        }
        if let Some(&i) = op.writes().iter().find(|&&i| !inputs[i].is_state()) {
            return Err(fail(format!("input {i} is updated in place and must be state of the tape")));
        }
        let shape = op.shape(&shapes.iter().collect::<Vec<_>>()).map_err(fail)?;
        Ok(self.push(Source::Op(Rc::new(op)), inputs.iter().map(|v| v.id).collect(), shape))
    }

    /// The lines, for whoever compiles, draws or interprets them.
    pub fn nodes(&self) -> Ref<'_, [Node]> {
        Ref::map(self.nodes.borrow(), Vec::as_slice)
    }

    /// The first line that satisfies `test`.
    pub fn find(&self, test: impl Fn(&Node) -> bool) -> Option<Var<'_>> {
        let id = self.nodes().iter().position(test)?;
        Some(Var { tape: self, id })
    }

    /// Every line that satisfies `test`, in order.
    pub fn all(&self, test: impl Fn(&Node) -> bool) -> Vec<Var<'_>> {
        let nodes = self.nodes();
        let ids = (0..nodes.len()).filter(|&id| test(&nodes[id]));
        ids.map(|id| Var { tape: self, id }).collect()
    }

    /// `%7 = convolution(%2, 0.weight) [64, 32, 14, 14]`: a line in words.
    pub fn describe(&self, id: usize) -> String {
        let nodes = self.nodes();
        let node = &nodes[id];
        let Source::Op(op) = &node.source else {
            return format!("%{id} = {} {}", node.name(), node.shape);
        };
        let operand = |&i: &usize| match &nodes[i].source {
            Source::Op(_) => format!("%{i}"),
            _ => nodes[i].name().to_string(),
        };
        let operands: Vec<_> = node.inputs.iter().map(operand).collect();
        format!("%{id} = {}({}) {}", op.name(), operands.join(", "), node.shape)
    }

    fn push(&self, source: Source, inputs: Vec<usize>, shape: Shape) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { source, inputs, shape, backward: self.backward.get() });
        Var { tape: self, id: nodes.len() - 1 }
    }
}

impl<'t> Var<'t> {
    /// The tape it was recorded on.
    pub fn tape(self) -> &'t Tape {
        self.tape
    }

    /// Its line on the tape.
    pub fn line(self) -> usize {
        self.id
    }

    /// Its shape.
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
