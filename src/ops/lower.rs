//! From the tape to a list of dispatches, without a device.

use crate::gpu::{Caps, Command, Commands, Constant, Cost, Dispatch, Kernel, Params, Place, Source, ValueId};
use crate::shader;
use crate::tape::{self, Op, Shape, Tape, Var};
use std::collections::BTreeMap;

/// How an operation becomes dispatches.
pub trait Lower {
    /// Adds the dispatches that compute the output from the inputs.
    fn lower(&self, at: &mut Lowering<'_>);

    /// The input whose memory the output simply is, for operations that only rename elements.
    fn alias(&self) -> Option<usize> {
        None
    }
}

/// What an operation's lowering works with.
pub struct Lowering<'a> {
    /// The adapter.
    pub caps: &'a Caps,
    /// The inputs' memory.
    pub inputs: Vec<ValueId>,
    /// The inputs' shapes.
    pub shapes: Vec<Shape>,
    /// The output's memory.
    pub output: ValueId,
    /// The output's shape.
    pub shape: Shape,
    commands: &'a mut Commands,
    updated: Vec<ValueId>,
    line: usize,
    op: &'static str,
    what: String,
}

/// Index arithmetic of the grid, part of every kernel.
pub(crate) const GRID: Source = shader!("shared/grid.wgsl");

/// Invocations of a workgroup of an elementwise kernel.
pub(crate) const WORKGROUP: u32 = 64;

/// Elements of a page of memory. Processors fetch ahead for one stream a page, so that on software adapters the lanes of a
/// subgroup, each of which reads a stream of its own, should be so far apart.
pub(crate) const PAGE: usize = 1024;

/// Those of a kernel whose invocations are few and long, on software adapters: a subgroup, so that cores share them evenly.
pub(crate) const LANES: u32 = 8;

/// A kernel of which each invocation has a number of its own.
pub(crate) fn element_kernel(source: Source, entry: &'static str, constants: &[Constant]) -> Kernel {
    let shared = [GRID, shader!("shared/element.wgsl"), shader!("shared/divide.wgsl"), source];
    Kernel::new(&shared, entry, &[&[Constant::U32("WORKGROUP", WORKGROUP)], constants].concat())
}

impl Lowering<'_> {
    /// Memory that only this operation sees.
    pub fn scratch(&mut self, elements: usize) -> ValueId {
        self.commands.value(format!("scratch of {}", self.what), elements, Place::Planned)
    }

    /// Adds a dispatch. `flops` counts the arithmetic the operation cannot do without; its traffic is that of the
    /// bound values, each moved once, or twice where it is updated in place.
    pub fn run(
        &mut self,
        kernel: Kernel,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
        workgroups: usize,
        flops: usize,
    ) {
        let moves = |v: &ValueId| if self.updated.contains(v) { 2 } else { 1 };
        let mut values: Vec<ValueId> = bindings.iter().map(|(_, v)| *v).collect();
        values.sort();
        values.dedup();
        let bytes = values.iter().map(|v| 4 * moves(v) * self.commands.get(*v).elements as u64).sum();
        let dispatch = Dispatch {
            kernel,
            bindings: bindings.to_vec(),
            params: params.into(),
            workgroups: workgroups as u64,
            cost: Cost { flops: flops as u64, bytes },
        };
        let (shape, what) = (self.shape.to_string(), self.what.clone());
        self.commands.push(Command { line: self.line, op: self.op, shape, what, dispatch });
    }

    /// Fours of elements of the output, the last of which may be incomplete.
    pub fn quads(&self) -> u32 {
        self.shape.elements().div_ceil(4) as u32
    }

    /// Adds a dispatch with one invocation for each four elements of the output, the last of which may lie beyond it: the
    /// memory of every value is a whole number of fours.
    pub fn by_quads(
        &mut self,
        source: Source,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) {
        self.over(self.quads() as usize, self.shape.elements(), source, entry, bindings, params);
    }

    /// Adds a dispatch with one invocation for each element of the output.
    pub fn elementwise(
        &mut self,
        source: Source,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) {
        let elements = self.shape.elements();
        self.over(elements, elements, source, entry, bindings, params);
    }

    /// Adds a dispatch with one invocation for each of `invocations`, `flops` being done together.
    pub fn over(
        &mut self,
        invocations: usize,
        flops: usize,
        source: Source,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) {
        let kernel = element_kernel(source, entry, &[]);
        self.run(kernel, bindings, params, invocations.div_ceil(WORKGROUP as usize), flops);
    }
}

/// A tape as commands, and where to find what on it.
pub struct Lowered {
    /// The dispatches.
    pub commands: Commands,
    /// Each input that is used, by name.
    pub inputs: BTreeMap<String, ValueId>,
    /// Each output, by the name it was asked for under.
    pub outputs: BTreeMap<String, ValueId>,
    /// Each line that is computed.
    pub lines: Vec<Option<ValueId>>,
}

/// Lowers what `outputs` and the updates of state need of `tape`, for an adapter with `caps`.
///
/// # Errors
/// An operation that is not listed in `ops`, or two inputs of one name.
pub fn lower(tape: &Tape, caps: &Caps, outputs: &[(&str, Var<'_>)]) -> Result<Lowered, String> {
    let nodes = tape.nodes();
    let op_of = |id: usize| match &nodes[id].source {
        tape::Source::Op(op) => Some(op.as_ref()),
        _ => None,
    };
    let lowering = |op: &dyn Op| super::lowering(op).map(|l| l.alias());

    // Needed: outputs, updates of state, and what they read.
    let mut needed = vec![false; nodes.len()];
    for (_, var) in outputs {
        needed[var.line()] = true;
    }
    for id in (0..nodes.len()).rev() {
        needed[id] |= op_of(id).is_some_and(|op| !op.writes().is_empty());
        if needed[id] {
            nodes[id].inputs.iter().for_each(|&i| needed[i] = true);
        }
    }

    // Which line owns the memory a line lies in.
    let mut owner: Vec<usize> = (0..nodes.len()).collect();
    for id in 0..nodes.len() {
        if let Some(Some(input)) = op_of(id).and_then(lowering) {
            owner[id] = owner[nodes[id].inputs[input]];
        }
    }
    let asked: Vec<usize> = outputs.iter().map(|(_, var)| owner[var.line()]).collect();

    let mut commands = Commands::default();
    let mut lines: Vec<Option<ValueId>> = vec![None; nodes.len()];
    let mut inputs = BTreeMap::new();
    for id in (0..nodes.len()).filter(|&id| needed[id]) {
        let node = &nodes[id];
        if owner[id] != id {
            lines[id] = lines[owner[id]];
            continue;
        }
        let place = match &node.source {
            tape::Source::Input(_) => Place::Host,
            tape::Source::State(name) => Place::State(name.clone()),
            tape::Source::Constant(value) => Place::Constant(*value),
            tape::Source::Op(_) if asked.contains(&id) => Place::Host,
            tape::Source::Op(_) => Place::Planned,
        };
        let what = tape.describe(id);
        let value = commands.value(what.clone(), node.shape.elements(), place);
        lines[id] = Some(value);
        if let tape::Source::Input(name) = &node.source
            && inputs.insert(name.clone(), value).is_some()
        {
            return Err(format!("two inputs are called `{name}`; each needs a name of its own"));
        }
        let Some(op) = op_of(id) else { continue };
        let lower = super::lowering(op).ok_or_else(|| format!("{what}: the operation is not listed in `ops`"))?;
        let inputs: Vec<_> = node.inputs.iter().filter_map(|&i| lines[i]).collect();
        lower.lower(&mut Lowering {
            caps,
            updated: op.writes().iter().filter_map(|&i| inputs.get(i).copied()).collect(),
            inputs,
            shapes: node.inputs.iter().map(|&i| nodes[i].shape.clone()).collect(),
            output: value,
            shape: node.shape.clone(),
            commands: &mut commands,
            line: id,
            op: op.name(),
            what,
        });
    }
    let outputs = outputs.iter().filter_map(|(name, var)| Some((name.to_string(), lines[var.line()]?))).collect();
    Ok(Lowered { commands, inputs, outputs, lines })
}
