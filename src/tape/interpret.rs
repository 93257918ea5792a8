//! The reference interpreter: the tape in f64 on the CPU, line by line. Slow and obvious, it is what every kernel and
//! every gradient rule is held against.

use super::{Result, Shape, Source, Tape, TapeError, Var};

/// A tensor of the interpreter.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Its extents.
    pub shape: &'a Shape,
    /// Its elements, the last extent running fastest.
    pub data: &'a [f64],
}

/// The value of every line after one run.
#[derive(Clone, Debug)]
pub struct Values(Vec<Vec<f64>>);

impl Values {
    /// The value of a line; for state, after all updates.
    pub fn get(&self, var: Var<'_>) -> &[f64] {
        &self.0[var.id]
    }
}

impl Tape {
    /// Runs the whole tape in f64. `feeds` gives each input and each state its elements.
    ///
    /// # Errors
    /// Where an input or a state is missing or has the wrong number of elements.
    pub fn interpret(&self, feeds: &[(Var<'_>, &[f64])]) -> Result<Values> {
        let nodes = self.nodes();
        let mut values: Vec<Vec<f64>> = Vec::with_capacity(nodes.len());
        for (id, node) in nodes.iter().enumerate() {
            let elements = node.shape.elements();
            let value = match &node.source {
                Source::Constant(value) => vec![f64::from(*value); elements],
                Source::Input(name) | Source::State(name) => {
                    let fed = feeds.iter().find(|(var, _)| var.id == id).map_or(&[][..], |(_, data)| data);
                    if fed.len() != elements {
                        return Err(TapeError::Feed {
                            name: name.clone(),
                            shape: node.shape.clone(),
                            expected: elements,
                            found: fed.len(),
                        });
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
        Ok(Values(values))
    }
}
