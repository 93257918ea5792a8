//! The tiled product shared by matrix multiplication and the convolution kernels, and the choice of its variant.

use super::lower::{GRID, Lowering, WORKGROUP};
use crate::gpu::{Caps, Dispatch, Gpu, GpuError, Kernel, Params, Specialisation, ValueId, Wgsl};
use crate::shader;
use std::fmt;

/// Tiling of a matrix product: the kernel variant and the size of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiling {
    /// A subgroup computes a tile in registers. For software adapters with subgroup operations.
    Subgroup {
        /// Number of lanes per subgroup.
        lanes: u32,
        /// Rows of a tile.
        rows: u32,
        /// Number of columns per lane; a tile has `lanes` times as many.
        vectors: u32,
    },
    /// A workgroup computes a tile in registers. For software adapters without subgroup operations.
    Direct {
        /// Rows of a tile.
        rows: u32,
        /// Number of columns per invocation; a tile has 64 times as many.
        vectors: u32,
    },
    /// A workgroup of 64 invocations computes a tile through workgroup memory. For GPUs.
    Workgroup {
        /// Number of rows and of columns per invocation; a tile has 8 times as many of each.
        side: u32,
    },
}

impl Tiling {
    /// The tiling for `problems` products of `rows` × `columns` each, on an adapter with `caps`.
    pub fn choose(caps: &Caps, rows: usize, columns: usize, problems: usize) -> Self {
        let cover = |size: usize, most: u32| (size.clamp(1, most as usize) as u32).next_power_of_two();
        match (caps.software, caps.subgroup) {
            (true, Some(lanes)) => {
                // More sums per lane mean fewer loads per sum. 256 sums per lane take 8 KiB, so that two threads of a
                // core share its L1 cache. With fewer than 32 rows, more columns do not pay off. A lane loads four rows
                // at once, so a tile has at least four.
                let rows = cover(rows, 64).max(4);
                let most = if rows == 64 { 4 } else { 8 };
                Self::Subgroup { lanes, rows, vectors: cover(columns.div_ceil(lanes as usize), most) }
            }
            (true, None) => {
                Self::Direct { rows: cover(rows, 8), vectors: cover(columns.div_ceil(WORKGROUP as usize), 4) }
            }
            (false, _) => {
                // Large tiles need less memory traffic, but only a hundred workgroups or more keep a GPU busy.
                let large = rows.div_ceil(64) * columns.div_ceil(64) * problems;
                Self::Workgroup { side: if large >= 128 { 8 } else { 4 } }
            }
        }
    }

    /// Rows and columns of one tile.
    pub fn tile(self) -> [usize; 2] {
        let [rows, columns] = match self {
            Self::Subgroup { lanes, rows, vectors } => [rows, vectors * lanes],
            Self::Direct { rows, vectors } => [rows, vectors * WORKGROUP],
            Self::Workgroup { side } => [8 * side, 8 * side],
        };
        [rows as usize, columns as usize]
    }

    /// The number of steps of a tile that sums `steps`. A subgroup processes steps in groups of its lane count.
    fn padded(self, steps: usize) -> usize {
        match self {
            Self::Subgroup { lanes, .. } => steps.next_multiple_of(lanes as usize),
            _ => steps,
        }
    }

    /// Upper bound of the loop turns of an invocation that sums `steps` steps.
    fn turns(self, steps: usize) -> u64 {
        match self {
            // The stores take a turn per row and per four rows.
            Self::Subgroup { rows, .. } => 2 * steps as u64 + 2 * u64::from(rows),
            Self::Direct { .. } => steps as u64,
            // A block of 16 steps takes a turn itself, up to 16 each to load A and B, and 16 to multiply them.
            Self::Workgroup { .. } => 49 * steps.div_ceil(16) as u64,
        }
    }

    fn kernel(self, index: &[Wgsl]) -> Kernel {
        let u32 = Specialisation::U32;
        let (source, entry, constants) = match self {
            Self::Subgroup { lanes, rows, vectors } => (
                shader!("shared/product_subgroup.wgsl"),
                "product_subgroup",
                vec![
                    u32(Dispatch::LANES, lanes),
                    u32("QUADS", rows / 4),
                    u32("LOADS", (rows / 4).div_ceil(lanes)),
                    u32("VECTORS", vectors),
                    u32("DEPTH", 2),
                ],
            ),
            Self::Direct { rows, vectors } => (
                shader!("shared/product_direct.wgsl"),
                "product_direct",
                vec![u32("WORKGROUP", WORKGROUP), u32("ROWS", rows), u32("VECTORS", vectors)],
            ),
            Self::Workgroup { side } => {
                (shader!("shared/product_workgroup.wgsl"), "product_workgroup", vec![u32("SIDE", side)])
            }
        };
        let shared = [GRID, shader!("shared/divide.wgsl"), shader!("shared/product.wgsl"), source];
        Kernel::new(&[&shared, index].concat(), entry, &constants)
    }
}

/// Most steps along the inner axis that one invocation sums, so that its loops stay below [`Dispatch::MAX_TURNS`].
const STEPS: usize = 1 << 14;
/// Quadruples of rows that an invocation of `product_pack` packs, at most.
const PACKED: u64 = 4;

/// The matrix products of one dispatch.
pub(super) struct Product<'a> {
    /// The WGSL that declares the bindings, `problem`, `column` and `slice`.
    pub index: &'a [Wgsl],
    /// Number of rows of C in the largest problem.
    pub rows: usize,
    /// Number of columns of C in the largest problem.
    pub columns: usize,
    /// Number of steps along the inner axis in the longest problem.
    pub steps: usize,
    /// Number of problems.
    pub problems: usize,
    /// Least number of parts that the inner axis is divided into.
    pub parts: usize,
    /// Number of multiply-adds of all problems together.
    pub macs: usize,
    pub a: ValueId,
    pub b: ValueId,
    pub c: ValueId,
    /// One number per row, added to all elements of the row.
    pub bias: Option<ValueId>,
}

/// The last fields of every product's uniform block.
pub(super) struct Tiles {
    pub tile_rows: u32,
    pub tile_columns: u32,
    pub problems: u32,
    pub parts: u32,
    pub steps: u32,
    pub elements: u32,
    pub biased: u32,
}

impl Product<'_> {
    /// Adds the dispatches. `params` makes the uniform block from the tile counts.
    pub fn run<P: Into<Params>>(&self, at: &mut Lowering<'_>, params: impl FnOnce(Tiles) -> P) {
        let parts = self.parts.max(self.steps.div_ceil(STEPS)).max(1);
        let steps = self.steps.div_ceil(parts);
        let mut tiling = Tiling::choose(at.caps, self.rows, self.columns, self.problems);
        if at.caps.check_binding("panels", self.panels(tiling, parts, steps)).is_err() {
            let plain = Caps { subgroup: None, ..at.caps.clone() };
            tiling = Tiling::choose(&plain, self.rows, self.columns, self.problems);
        }
        let [rows, columns] = tiling.tile();
        let (tile_rows, tile_columns) = (self.rows.div_ceil(rows), self.columns.div_ceil(columns));
        let steps = tiling.padded(steps);
        let elements = at.elements(self.c);
        let params: Params = params(Tiles {
            tile_rows: tile_rows as u32,
            tile_columns: tile_columns as u32,
            problems: self.problems as u32,
            parts: parts as u32,
            steps: steps as u32,
            elements: elements as u32,
            biased: self.bias.is_some().into(),
        })
        .into();
        let a = match tiling {
            Tiling::Subgroup { rows, .. } => {
                let size = self.panels(tiling, parts, steps);
                let panels = at.scratch(size);
                self.pack(at, rows, panels, size / rows as usize, params.clone());
                ("panels", panels)
            }
            _ => ("a", self.a),
        };
        // Without a bias the kernel never reads its binding, but the binding must exist.
        let c = if parts == 1 { self.c } else { at.scratch(parts * elements) };
        let bindings = [a, ("b", self.b), ("bias", self.bias.unwrap_or(self.b)), ("c", c)];
        let workgroups = tile_rows * tile_columns * self.problems * parts;
        at.run(tiling.kernel(self.index), &bindings, params, workgroups, 2 * self.macs).turns = tiling.turns(steps);
        if parts > 1 {
            at.sum_parts(parts, c, self.c);
        }
    }

    /// Number of elements of the panels into which A is packed, or 0 where the tiling reads A itself.
    fn panels(&self, tiling: Tiling, parts: usize, steps: usize) -> usize {
        match tiling {
            Tiling::Subgroup { rows, .. } => {
                self.problems * parts * self.rows.next_multiple_of(rows as usize) * tiling.padded(steps)
            }
            _ => 0,
        }
    }

    /// Adds the dispatch that packs A into panels of `rows` rows, with `steps` steps over all panels.
    fn pack(&self, at: &mut Lowering<'_>, rows: u32, panels: ValueId, steps: usize, params: Params) {
        let [divide, product] = [shader!("shared/divide.wgsl"), shader!("shared/product.wgsl")];
        let shared = [GRID, shader!("shared/element.wgsl"), divide, product, shader!("shared/product_pack.wgsl")];
        let constants = [Specialisation::U32("ROWS", rows), Specialisation::U32("WORKGROUP", WORKGROUP)];
        let kernel = Kernel::new(&[&shared, self.index].concat(), "product_pack", &constants);
        let invocations = steps * (rows as usize / 4).div_ceil(PACKED as usize);
        let workgroups = invocations.div_ceil(WORKGROUP as usize);
        at.run(kernel, &[("a", self.a), ("panels", panels)], params, workgroups, 0).turns = PACKED;
    }
}

impl fmt::Display for Tiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.tile();
        let how = match self {
            Self::Subgroup { lanes, .. } => format!("a subgroup of {lanes}, in registers"),
            Self::Direct { .. } => "a workgroup, in registers".into(),
            Self::Workgroup { .. } => "a workgroup, through workgroup memory".into(),
        };
        write!(f, "{rows} × {columns} by {how}")
    }
}

/// A description of the tiles of matrix products and convolutions on an adapter with `caps`.
pub fn kernels_for(caps: &Caps) -> String {
    let [large, small] = [2048, 128].map(|size| Tiling::choose(caps, size, size, 1));
    match large == small {
        true => format!("products: tiles of {large}"),
        false => format!("products: tiles of {large}; tiles of {small} for small products"),
    }
}

/// The kernel variants that the adapter of `gpu` can run: their names, and devices with facts that select them. `subgroup`
/// and `direct` are for software adapters with and without subgroup operations. `workgroup-subgroup` and `workgroup`
/// are for GPUs with and without subgroup operations. The devices of variants without subgroup operations lack them.
///
/// # Errors
/// No second device of the adapter.
pub async fn variants(gpu: &Gpu) -> Result<Vec<(&'static str, Gpu)>, GpuError> {
    let like = |gpu: &Gpu, software| gpu.with_caps(Caps { software, ..gpu.caps().clone() });
    let plain = gpu.without_subgroups().await?;
    let mut variants = vec![("direct", like(&plain, true)), ("workgroup", like(&plain, false))];
    if gpu.caps().subgroup.is_some() {
        variants.extend([("subgroup", like(gpu, true)), ("workgroup-subgroup", like(gpu, false))]);
    }
    Ok(variants)
}

/// Blocking form of [`variants`].
#[cfg(not(target_arch = "wasm32"))]
pub fn blocking_variants(gpu: &Gpu) -> Result<Vec<(&'static str, Gpu)>, GpuError> {
    gpu.wait(variants(gpu))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiling_follows_the_adapter_and_the_shape() {
        let subgroup = |rows, vectors| Tiling::Subgroup { lanes: 8, rows, vectors };
        let software = Caps::software(8);
        assert_eq!(Tiling::choose(&software, 512, 512, 1), subgroup(64, 4));
        assert_eq!(Tiling::choose(&software, 32, 512, 1), subgroup(32, 8));
        assert_eq!(Tiling::choose(&software, 1, 5, 1), subgroup(4, 1));
        assert_eq!(Tiling::choose(&software, 9, 17, 1), subgroup(16, 4));
        let plain = Caps { subgroup: None, ..software };
        assert_eq!(Tiling::choose(&plain, 512, 512, 1), Tiling::Direct { rows: 8, vectors: 4 });
        assert_eq!(Tiling::choose(&Caps::minimal(), 512, 512, 1), Tiling::Workgroup { side: 4 });
        assert_eq!(Tiling::choose(&Caps::minimal(), 1024, 1024, 1), Tiling::Workgroup { side: 8 });
    }
}
