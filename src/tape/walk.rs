//! The reverse walk. The derivative of a list of operations is another list of operations, so differentiation only
//! *records*. For y = x·x, `gradient(y, &[x])` appends the last four lines:
//! ```text
//! %0 = input x [1]
//! %1 = multiply(x, x) [1]
//! %2 = constant 1 [1]
//! %3 = multiply(1, x) [1]
//! %4 = multiply(1, x) [1]
//! %5 = add(%3, %4) [1]
//! ```

use super::{Call, Node, Result, Source, Sum, Tape, TapeError, Var};
use std::panic::Location;

impl Tape {
    /// ∂`loss`/∂v for each v of `wrt`, recorded on this tape. `loss` has one element. Each gradient has the shape of
    /// its variable.
    ///
    /// The variables of `wrt` count as independent: the walk stops at each of them. If `wrt` lists an intermediate
    /// value `y`, the gradients of the other variables hold `y` constant.
    ///
    /// # Errors
    /// The first misfit on the tape; a `loss` that does not have exactly one element; a variable of another tape; a
    /// variable of `wrt` that does not influence `loss`; an operation without a gradient rule between `wrt` and `loss`, or
    /// one that reads a state which a later line updates.
    pub fn gradient<'t>(&'t self, loss: Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        self.check_own(wrt.iter().chain([&loss]))?;
        if loss.shape().elements() != 1 {
            return Err(TapeError::NotScalar(format!("{loss:?}")));
        }
        self.walk_back(loss, || self.constant(1.0, loss.shape()), wrt)
    }

    /// The vector-Jacobian product gᵀ·∂`y`/∂v for each v of `wrt`, with `g` of the shape of `y`. The walk stops at the
    /// variables of `wrt`, as in [`gradient`](Tape::gradient).
    ///
    /// # Errors
    /// As [`gradient`](Tape::gradient), but `y` may have any shape; a `g` that does not have the shape of `y`.
    #[track_caller]
    pub fn vjp<'t>(&'t self, y: Var<'t>, g: Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        self.check_own(wrt.iter().chain([&y, &g]))?;
        if y.shape() != g.shape() {
            let message = "the vector must have the shape of the differentiated variable".into();
            let shapes = vec![y.shape(), g.shape()];
            return Err(TapeError::Shape { op: "vjp", shapes, message, at: Location::caller() });
        }
        self.walk_back(y, || g, wrt)
    }

    /// Runs the walk with all recorded lines marked as backward.
    fn walk_back<'t>(&'t self, y: Var<'t>, seed: impl FnOnce() -> Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        let outer = self.backward.replace(true);
        let gradients = self.accumulate(y, seed(), wrt);
        self.backward.set(outer);
        self.check().and(gradients)
    }

    fn accumulate<'t>(&'t self, y: Var<'t>, seed: Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        let stops = |id: usize| wrt.iter().any(|v| v.id == id);

        // Lines that depend on `wrt`. Inputs precede the lines that read them, so one pass suffices.
        let mut leads = vec![false; y.id + 1];
        for id in 0..=y.id {
            leads[id] = stops(id) || self.nodes()[id].inputs.iter().any(|&i| leads[i]);
        }

        // The gradient of a value has one part per use.
        let mut parts: Vec<Vec<Var<'t>>> = vec![vec![]; y.id + 1];
        parts[y.id].push(seed);
        for id in (0..=y.id).rev() {
            if stops(id) || !leads[id] || parts[id].is_empty() {
                continue;
            }
            let node = self.nodes()[id].clone();
            let Source::Op(op) = &node.source else { continue };
            self.check_current(id, &node)?;
            let gradient = self.total(std::mem::take(&mut parts[id]));
            let inputs: Vec<_> = node.inputs.iter().map(|&id| Var { tape: self, id }).collect();
            let wanted: Vec<_> = node.inputs.iter().map(|&i| leads[i]).collect();
            let call = Call { inputs: &inputs, output: Var { tape: self, id }, wanted: &wanted };
            for (input, part) in inputs.iter().zip(call.differentiate(op.as_ref(), gradient)?) {
                if let (true, Some(part)) = (leads[input.id], part) {
                    parts[input.id].push(part);
                }
            }
        }

        let gradient = |v: &Var<'t>| match parts.get(v.id) {
            Some(found) if !found.is_empty() => Ok(self.total(found.clone())),
            _ => Err(TapeError::NoInfluence { of: self.describe(v.id), on: self.describe(y.id) }),
        };
        wrt.iter().map(gradient).collect()
    }

    /// Checks that no later line updates a state that line `id` reads: its gradient would read the new contents.
    fn check_current(&self, id: usize, node: &Node) -> Result<()> {
        let nodes = self.nodes();
        let updates = |later: &usize| match &nodes[*later].source {
            Source::Op(op) => op.writes().iter().any(|&i| node.inputs.contains(&nodes[*later].inputs[i])),
            _ => false,
        };
        match (id + 1..nodes.len()).find(updates) {
            Some(update) => Err(TapeError::Updated { line: self.describe(id), update: self.describe(update) }),
            None => Ok(()),
        }
    }

    fn total<'t>(&'t self, parts: Vec<Var<'t>>) -> Var<'t> {
        if let [one] = parts[..] { one } else { self.record(Sum, &parts) }
    }
}
