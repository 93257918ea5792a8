use super::{Cost, Program};
use std::collections::BTreeMap;

/// The dispatches of a run that do the same work.
#[derive(Clone, Debug, PartialEq)]
pub struct Distinct {
    /// Number of the first of them in the run, from 0.
    pub first: usize,
    /// Name of the operation.
    pub op: &'static str,
    /// Shape of the operation's output.
    pub shape: String,
    /// Description of the kernel.
    pub kernel: String,
    /// Minimum arithmetic and memory traffic of each.
    pub cost: Cost,
    /// The line of the tape of each.
    pub lines: Vec<usize>,
}

impl Program {
    /// The dispatches of a run, those of one operation, shape, kernel, grid and cost together, in order of the first of them.
    pub fn distinct(&self) -> Vec<Distinct> {
        let mut found: BTreeMap<_, Distinct> = BTreeMap::new();
        for (first, dispatch) in self.bound.iter().enumerate() {
            let Cost { flops, bytes } = dispatch.cost;
            let key = (dispatch.op, &dispatch.shape, &dispatch.kernel, dispatch.grid, flops, bytes);
            let new = || Distinct {
                first,
                op: dispatch.op,
                shape: dispatch.shape.clone(),
                kernel: dispatch.kernel.clone(),
                cost: dispatch.cost,
                lines: vec![],
            };
            found.entry(key).or_insert_with(new).lines.push(dispatch.line);
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by_key(|distinct| distinct.first);
        found
    }
}
