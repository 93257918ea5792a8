//! The reference interpreter: runs the tape in f64 on the CPU, line by line. Its code is slow and plain. It is the
//! reference for every kernel and every gradient rule.

use super::{Result, Shape, Source, Tape, TapeError, Var};

/// A tensor of the interpreter.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// The extents.
    pub shape: &'a Shape,
    /// The elements in row-major order: the last extent varies fastest.
    pub data: &'a [f64],
}

/// The values of all lines after one run.
#[derive(Clone, Debug)]
pub struct Values<'t> {
    tape: &'t Tape,
    lines: Vec<Vec<f64>>,
}

impl Values<'_> {
    /// The value of a line. The value of a state is that after all updates.
    ///
    /// # Panics
    /// If the line belongs to another tape, or was recorded after the run.
    pub fn get(&self, var: Var<'_>) -> &[f64] {
        let own = std::ptr::eq(var.tape, self.tape) && var.id < self.lines.len();
        assert!(own, "`{var:?}` was not on the tape that was interpreted");
        &self.lines[var.id]
    }
}

impl Tape {
    /// Runs the whole tape in f64. `feeds` holds the elements of each input and each state.
    ///
    /// # Errors
    /// The first misfit on the tape; a variable of `feeds` that belongs to another tape or is computed; an input or a
    /// state that is missing or has the wrong number of elements.
    pub fn interpret(&self, feeds: &[(Var<'_>, &[f64])]) -> Result<Values<'_>> {
        self.check_own(feeds.iter().map(|(var, _)| var))?;
        let nodes = self.nodes();
        let fed = |id: usize| matches!(nodes[id].source, Source::Input(_) | Source::State(_));
        if let Some((var, _)) = feeds.iter().find(|(var, _)| !fed(var.id)) {
            return Err(TapeError::Computed(format!("{var:?}")));
        }
        let mut values: Vec<Vec<f64>> = Vec::with_capacity(nodes.len());
        for (id, node) in nodes.iter().enumerate() {
            let elements = node.shape.elements();
            let value = match &node.source {
                Source::Constant(value) => vec![f64::from(*value); elements],
                Source::Input(name) | Source::State(name) => {
                    let fed = feeds.iter().find(|(var, _)| var.id == id).map_or(&[][..], |(_, data)| data);
                    if fed.len() != elements {
                        let (name, shape, found) = (name.clone(), node.shape.clone(), fed.len());
                        return Err(TapeError::Feed { name, shape, found });
                    }
                    fed.to_vec()
                }
                Source::Op(op) => {
                    let operand = |&i: &usize| Tensor { shape: &nodes[i].shape, data: &values[i] };
                    let operands: Vec<_> = node.inputs.iter().map(operand).collect();
                    let mut result = op.reference(&operands, &node.shape);
                    for &i in op.writes() {
                        let state = node.inputs[i];
                        let rest = result.split_off(values[state].len());
                        values[state] = std::mem::replace(&mut result, rest);
                    }
                    result
                }
            };
            values.push(value);
        }
        Ok(Values { tape: self, lines: values })
    }
}
