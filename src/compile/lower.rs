//! Lowering of a tape to a list of dispatches, without a device.

use super::CompileError;
use crate::gpu::{Caps, Commands, Place, ValueId};
use crate::ops::{self, Lowering};
use crate::tape::{self, Node, Tape, Var};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A tape lowered to commands, with the memory of its inputs, outputs and lines.
pub struct Lowered {
    /// The dispatches.
    pub commands: Commands,
    /// Each input of the tape by name. `None` if no needed line reads the input.
    pub inputs: BTreeMap<String, Option<ValueId>>,
    /// Each output by its requested name.
    pub outputs: BTreeMap<String, ValueId>,
    /// The memory of each line of the tape. `None` if the line is not needed.
    pub lines: Vec<Option<ValueId>>,
    /// The hash of the tape's lines.
    hash: u64,
}

impl Lowered {
    /// Whether this is `tape`, lowered. The tape may have more lines since.
    pub fn is_of(&self, tape: &Tape) -> bool {
        tape.nodes().len() >= self.lines.len() && hash(tape, self.lines.len()) == self.hash
    }
}

/// The hash of the first lines of a tape.
fn hash(tape: &Tape, lines: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (0..lines).for_each(|id| tape.describe(id).hash(&mut hasher));
    hasher.finish()
}

/// Lowers the lines of `tape` that `outputs` and the updates of state need, for an adapter with `caps`.
///
/// # Errors
/// The first misfit on the tape; an output of another tape; an operation that is not listed in `ops`; two inputs or two
/// outputs of one name; a value larger than a binding; a renamed state that is read after an update of the state.
pub fn lower(tape: &Tape, caps: &Caps, outputs: &[(&str, Var<'_>)]) -> Result<Lowered, CompileError> {
    tape.check_own(outputs.iter().map(|(_, var)| var))?;
    let nodes = tape.nodes();
    let op_of = |id: usize| match &nodes[id].source {
        tape::Source::Op(op) => Some(op.as_ref()),
        _ => None,
    };
    let needed = needed(&nodes, outputs);
    let owner = owners(&nodes);
    let asked: Vec<usize> = outputs.iter().map(|(_, var)| owner[var.line()]).collect();

    let mut commands = Commands::default();
    let mut lines: Vec<Option<ValueId>> = vec![None; nodes.len()];
    let mut inputs = BTreeMap::new();
    // The last update of each state, both as lines.
    let mut updated: BTreeMap<usize, usize> = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        let place = match &node.source {
            tape::Source::Input(_) => Place::Host,
            tape::Source::State(name) => Place::State(name.clone()),
            tape::Source::Constant(value) => Place::Constant(*value),
            tape::Source::Op(_) if asked.contains(&id) => Place::Host,
            tape::Source::Op(_) => Place::Planned,
        };
        let what = tape.describe(id);
        if needed[id] {
            caps.check_binding(&what, node.shape.elements())?;
            lines[id] = match owner[id] == id {
                true => Some(commands.value(what.clone(), node.shape.elements(), place)),
                false => lines[owner[id]],
            };
        }
        if let tape::Source::Input(name) = &node.source
            && inputs.insert(name.clone(), lines[id]).is_some()
        {
            return Err(CompileError::Name { what: "inputs", name: name.clone() });
        }
        let (Some(op), Some(output), true) = (op_of(id), lines[id], owner[id] == id) else { continue };
        let lowering = ops::lowering(op).ok_or_else(|| CompileError::Unlisted(what.clone()))?;
        // A renamed state shares the memory of the state, which an update in between has changed.
        let stale = |&&i: &&usize| owner[i] != i && updated.get(&owner[i]).is_some_and(|&update| update > i);
        if let Some(&i) = node.inputs.iter().find(stale) {
            return Err(CompileError::Stale { line: what, alias: tape.describe(i) });
        }
        updated.extend(op.writes().iter().map(|&i| (node.inputs[i], id)));
        let memory = |&i: &usize| lines[i].expect("the inputs of a needed line are needed too, and precede it");
        let operands: Vec<_> = node.inputs.iter().map(memory).collect();
        lowering.lower(&mut Lowering {
            caps,
            updated: op.writes().iter().map(|&i| operands[i]).collect(),
            inputs: operands,
            shapes: node.inputs.iter().map(|&i| nodes[i].shape.clone()).collect(),
            output,
            shape: node.shape.clone(),
            commands: &mut commands,
            line: id,
            op: op.name(),
            what,
        });
    }
    let mut named = BTreeMap::new();
    for (name, var) in outputs {
        let value = lines[var.line()].expect("outputs are needed");
        if named.insert(name.to_string(), value).is_some() {
            return Err(CompileError::Name { what: "outputs", name: name.to_string() });
        }
    }
    let hash = hash(tape, lines.len());
    Ok(Lowered { commands, inputs, outputs: named, lines, hash })
}

/// Whether each line is needed: outputs, updates of state, and all lines that these read.
fn needed(nodes: &[Node], outputs: &[(&str, Var<'_>)]) -> Vec<bool> {
    let mut needed = vec![false; nodes.len()];
    for (_, var) in outputs {
        needed[var.line()] = true;
    }
    for (id, node) in nodes.iter().enumerate().rev() {
        needed[id] |= matches!(&node.source, tape::Source::Op(op) if !op.writes().is_empty());
        if needed[id] {
            node.inputs.iter().for_each(|&i| needed[i] = true);
        }
    }
    needed
}

/// The owner of each line's memory: the line itself, or the line of which it is an alias.
fn owners(nodes: &[Node]) -> Vec<usize> {
    let mut owner: Vec<usize> = (0..nodes.len()).collect();
    for (id, node) in nodes.iter().enumerate() {
        if let tape::Source::Op(op) = &node.source
            && let Some(input) = ops::lowering(op.as_ref()).and_then(|lowering| lowering.alias())
        {
            owner[id] = owner[node.inputs[input]];
        }
    }
    owner
}
