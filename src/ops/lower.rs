//! Lowering of operations to dispatches, without a device.

use crate::gpu::{Caps, Command, Commands, Cost, Dispatch, Kernel, Params, Place, Specialisation, ValueId, Wgsl};
use crate::tape::{Shape, operands};
use crate::{params, shader};

/// An operation that lowers to dispatches.
pub trait Lower {
    /// Adds the dispatches that compute the output from the inputs.
    fn lower(&self, at: &mut Lowering<'_>);

    /// The index of the input whose memory the output shares, for operations that only change the shape.
    fn alias(&self) -> Option<usize> {
        None
    }
}

/// The context of lowering one operation.
pub struct Lowering<'a> {
    /// The capabilities of the adapter.
    pub caps: &'a Caps,
    /// The memory of each input.
    pub inputs: Vec<ValueId>,
    /// The shape of each input.
    pub shapes: Vec<Shape>,
    /// The memory of the output.
    pub output: ValueId,
    /// The shape of the output.
    pub shape: Shape,
    pub(crate) commands: &'a mut Commands,
    /// The memory of the inputs that are updated in place.
    pub(crate) updated: Vec<ValueId>,
    /// The index of the operation's line on the tape.
    pub(crate) line: usize,
    /// The name of the operation.
    pub(crate) op: &'static str,
    /// The description of the line.
    pub(crate) what: String,
}

/// Index arithmetic of the dispatch grid, part of every kernel.
pub(crate) const GRID: Wgsl = shader!("shared/grid.wgsl");

/// Workgroup size of elementwise kernels.
pub(crate) const WORKGROUP: u32 = 64;

/// Elements per page of memory (4 KiB). Processors prefetch one stream per page. On software adapters each lane of a
/// subgroup reads a separate stream, so the streams should be at least a page apart.
pub(crate) const PAGE: usize = 1024;

/// Workgroup size of software kernels with few, long invocations: one subgroup, so that the load per core is even.
pub(crate) const LANES: u32 = 8;

/// A kernel with linearly indexed invocations, of workgroup size [`WORKGROUP`].
pub(crate) fn element_kernel(sources: &[Wgsl], entry: &'static str, constants: &[Specialisation]) -> Kernel {
    let shared = [GRID, shader!("shared/element.wgsl"), shader!("shared/divide.wgsl")];
    let constants = [&[Specialisation::U32("WORKGROUP", WORKGROUP)], constants].concat();
    Kernel::new(&[&shared, sources].concat(), entry, &constants)
}

/// Sources and entry points of elementwise kernels, by number of operands.
const ELEMENTWISE: [(Wgsl, &str); 4] = [
    (shader!("shared/elementwise_1.wgsl"), "elementwise_1"),
    (shader!("shared/elementwise_2.wgsl"), "elementwise_2"),
    (shader!("shared/elementwise_3.wgsl"), "elementwise_3"),
    (shader!("shared/elementwise_4.wgsl"), "elementwise_4"),
];
/// Binding names of the operands of elementwise kernels.
const OPERANDS: [&str; 4] = ["x0", "x1", "x2", "x3"];

params! {
    struct SumParams { elements: u32, parts: u32 }
}

params! {
    struct ElementwiseParams { quads: u32, c0: f32, c1: f32, c2: f32, c3: f32 }
}

impl Lowering<'_> {
    /// Allocates memory for intermediate values of this operation.
    pub fn scratch(&mut self, elements: usize) -> ValueId {
        self.commands.value(format!("scratch of {}", self.what), elements, Place::Planned)
    }

    /// Number of elements of a value.
    pub fn elements(&self, value: ValueId) -> usize {
        self.commands.get(value).elements
    }

    /// Adds a dispatch, and returns it so that the turns of its loops can be stated. `flops` is the number of
    /// floating-point operations that the operation requires. The memory traffic in the dispatch's cost counts every
    /// bound value once, or twice if it is updated in place.
    pub fn run(
        &mut self,
        kernel: Kernel,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
        workgroups: usize,
        flops: usize,
    ) -> &mut Dispatch {
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
            turns: 0,
            cost: Cost { flops: flops as u64, bytes },
        };
        let (shape, what) = (self.shape.to_string(), self.what.clone());
        let command = Command { line: self.line, op: self.op, shape, what, dispatch };
        // SAFETY: the kernels of the operations guard every index by the extents in their uniform block, which lowering
        // derives from the sizes of the bound buffers. Their loops end. Their divisors are extents, which are zero only
        // for values without elements, and those get no workgroups. They write workgroup memory before they read it.
        // Tests run every kernel with odd shapes and compare the result with a reference.
        unsafe { self.commands.push_unchecked(command) }
    }

    /// Adds the dispatch of y\[i\] = Σ parts\[part, i\], where `parts` holds `count` parts of the size of `y`.
    pub(crate) fn sum_parts(&mut self, count: usize, parts: ValueId, y: ValueId) {
        let elements = self.elements(y);
        let params = SumParams { elements: elements as u32, parts: count as u32 };
        let bindings = [("parts", parts), ("y", y)];
        let source = [shader!("sum_parts.wgsl")];
        self.over(elements, count * elements, &source, "sum_parts", &bindings, params).turns = count as u64;
    }

    /// The memory of each input, for an operation with exactly `N` inputs.
    pub fn operands<const N: usize>(&self) -> [ValueId; N] {
        operands(&self.inputs)
    }

    /// Number of vectors of four elements that cover the output. The last vector may extend past the last element: the
    /// memory of every value is a whole number of vectors.
    pub fn quads(&self) -> u32 {
        self.shape.elements().div_ceil(4) as u32
    }

    /// Adds the dispatch of an elementwise operation: output = formula(operands), for one to four operands of the
    /// output's shape. `source` defines the formula as `fn formula_n` of n vectors of four elements. `constants`, at
    /// most four, are `params.c0` to `params.c3` in the formula.
    pub fn elementwise(&mut self, source: Wgsl, operands: &[ValueId], constants: &[f32]) {
        self.elementwise_into(self.output, source, operands, constants);
    }

    /// [`elementwise`](Self::elementwise), with the result in `output`.
    pub(crate) fn elementwise_into(&mut self, output: ValueId, source: Wgsl, operands: &[ValueId], constants: &[f32]) {
        let (entry_source, entry) = ELEMENTWISE[operands.len() - 1];
        let c = |i: usize| constants.get(i).copied().unwrap_or_default();
        let params = ElementwiseParams { quads: self.quads(), c0: c(0), c1: c(1), c2: c(2), c3: c(3) };
        let mut bindings: Vec<_> = OPERANDS.into_iter().zip(operands.iter().copied()).collect();
        bindings.push(("y", output));
        let elements = self.shape.elements();
        self.over(self.quads() as usize, elements, &[entry_source, source], entry, &bindings, params);
    }

    /// Adds a dispatch with one invocation per vector of four elements of the output; see [`quads`](Self::quads).
    pub fn by_quads(
        &mut self,
        source: Wgsl,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) -> &mut Dispatch {
        self.over(self.quads() as usize, self.shape.elements(), &[source], entry, bindings, params)
    }

    /// Adds a dispatch with one invocation per element of the output.
    pub fn by_elements(
        &mut self,
        source: Wgsl,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) -> &mut Dispatch {
        let elements = self.shape.elements();
        self.over(elements, elements, &[source], entry, bindings, params)
    }

    /// Adds a dispatch of `invocations` invocations, with `flops` floating-point operations in total.
    pub fn over(
        &mut self,
        invocations: usize,
        flops: usize,
        sources: &[Wgsl],
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) -> &mut Dispatch {
        let kernel = element_kernel(sources, entry, &[]);
        self.run(kernel, bindings, params, invocations.div_ceil(WORKGROUP as usize), flops)
    }
}
