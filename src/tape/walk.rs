//! The reverse walk. It stands on one observation: the derivative of a list of operations is another list of
//! operations, so differentiating only ever *records*.

use super::{Call, Result, Source, Sum, Tape, TapeError, Var};

impl Tape {
    /// ∂`loss`/∂v for each v of `wrt`, recorded on this tape. `loss` has one element.
    ///
    /// Being listed in `wrt` makes a variable an independent one: the walk stops there. With an intermediate `y` in
    /// the list, the others' gradients hold `y` constant.
    ///
    /// # Errors
    /// Where `loss` has more than one element, where a variable of `wrt` does not influence it, or where the way to
    /// it leads through an operation without a gradient rule.
    pub fn gradient<'t>(&'t self, loss: Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        if loss.shape().elements() != 1 {
            return Err(TapeError::NotScalar { line: self.describe(loss.id), shape: loss.shape() });
        }
        self.walk_back(loss, || Ok(self.constant(1.0, loss.shape())), wrt)
    }

    /// The vector-Jacobian product gᵀ·∂`y`/∂v for each v of `wrt`, with `g` of `y`'s shape. Stops and fails as
    /// [`gradient`](Tape::gradient) does.
    pub fn vjp<'t>(&'t self, y: Var<'t>, g: Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        if y.shape() != g.shape() {
            return Err(TapeError::Shape {
                op: "vjp",
                shapes: vec![y.shape(), g.shape()],
                message: "the vector must have the shape of what is differentiated".into(),
            });
        }
        self.walk_back(y, || Ok(g), wrt)
    }

    fn walk_back<'t>(
        &'t self,
        y: Var<'t>,
        seed: impl FnOnce() -> Result<Var<'t>>,
        wrt: &[Var<'t>],
    ) -> Result<Vec<Var<'t>>> {
        let outer = self.backward.replace(true);
        let gradients = seed().and_then(|seed| self.accumulate(y, seed, wrt));
        self.backward.set(outer);
        gradients
    }

    fn accumulate<'t>(&'t self, y: Var<'t>, seed: Var<'t>, wrt: &[Var<'t>]) -> Result<Vec<Var<'t>>> {
        let stops = |id: usize| wrt.iter().any(|v| v.id == id);

        // Which lines lead from `wrt` to `y`? Inputs come before what reads them, so one pass decides.
        let mut leads = vec![false; y.id + 1];
        for id in 0..=y.id {
            leads[id] = stops(id) || self.nodes()[id].inputs.iter().any(|&i| leads[i]);
        }

        // Several uses of a value each contribute to its gradient.
        let mut parts: Vec<Vec<Var<'t>>> = vec![vec![]; y.id + 1];
        parts[y.id].push(seed);
        for id in (0..=y.id).rev() {
            if stops(id) || !leads[id] || parts[id].is_empty() {
                continue;
            }
            let node = self.nodes()[id].clone();
            let Source::Op(op) = &node.source else { continue };
            let gradient = self.total(std::mem::take(&mut parts[id]))?;
            let inputs: Vec<_> = node.inputs.iter().map(|&id| Var { tape: self, id }).collect();
            let wanted: Vec<_> = node.inputs.iter().map(|&i| leads[i]).collect();
            let call = Call { inputs: &inputs, output: Var { tape: self, id }, wanted: &wanted };
            for (input, part) in inputs.iter().zip(op.vjp(&call, gradient)?) {
                if let (true, Some(part)) = (leads[input.id], part) {
                    parts[input.id].push(part);
                }
            }
        }

        let gradient = |v: &Var<'t>| match parts.get(v.id) {
            Some(found) if !found.is_empty() => self.total(found.clone()),
            _ => Err(TapeError::NoInfluence { of: self.describe(v.id), on: self.describe(y.id) }),
        };
        wrt.iter().map(gradient).collect()
    }

    fn total<'t>(&'t self, mut parts: Vec<Var<'t>>) -> Result<Var<'t>> {
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => self.record(Sum, &parts),
        }
    }
}
