//! The kernels of the tour, and what each asks of an adapter.

use ign::gpu::Source;

/// One kernel: a file, the tile that a workgroup computes, and its inner loop by the numbers.
pub struct Step {
    pub name: &'static str,
    pub source: Source,
    /// Rows and columns of a tile on an adapter with subgroups of so many lanes.
    pub tile: fn(u32) -> [u32; 2],
    /// Whether it needs subgroup operations.
    pub subgroup: bool,
    /// Whether A is packed first.
    pub packed: bool,
    /// What an invocation does for one step of the long axis, averaged.
    pub counts: fn(u32) -> Counts,
}

/// Operations of an invocation for one step of the long axis.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Loads from storage, a vector of four being one.
    pub loads: f64,
    /// Loads from workgroup memory.
    pub workgroup_loads: f64,
    /// Values handed round in a subgroup.
    pub shuffles: f64,
    /// Multiply-adds.
    pub multiply_adds: f64,
}

macro_rules! source {
    ($file:literal) => {
        Source { path: concat!("kernel_lab/", $file), text: include_str!($file) }
    };
}

pub const STEPS: [Step; 5] = [
    Step {
        name: "naive",
        source: source!("1_naive.wgsl"),
        tile: |_| [1, 64],
        subgroup: false,
        packed: false,
        counts: |_| Counts { loads: 2.0, multiply_adds: 1.0, ..Counts::default() },
    },
    Step {
        name: "registers",
        source: source!("2_registers.wgsl"),
        tile: |_| [8, 64],
        subgroup: false,
        packed: false,
        counts: |_| Counts { loads: 16.0, multiply_adds: 64.0, ..Counts::default() },
    },
    Step {
        name: "workgroup memory",
        source: source!("3_workgroup.wgsl"),
        tile: |_| [64, 64],
        subgroup: false,
        packed: false,
        counts: |_| Counts { loads: 2.0, workgroup_loads: 16.0, multiply_adds: 64.0, ..Counts::default() },
    },
    Step {
        name: "broadcast",
        source: source!("4_broadcast.wgsl"),
        tile: |lanes| [32, 4 * lanes],
        subgroup: true,
        packed: false,
        counts: |lanes| Counts {
            loads: 32.0 / f64::from(lanes) + 4.0,
            shuffles: 32.0,
            multiply_adds: 128.0,
            ..Counts::default()
        },
    },
    Step {
        name: "panels",
        source: source!("5_panels.wgsl"),
        tile: |lanes| [64, 8 * lanes],
        subgroup: true,
        packed: true,
        counts: |lanes| Counts {
            loads: f64::from(64u32.div_ceil(4 * lanes)) + 8.0,
            shuffles: 64.0,
            multiply_adds: 512.0,
            ..Counts::default()
        },
    },
];

impl Step {
    /// The paragraph at the head of the file.
    pub fn text(&self) -> String {
        let lines = self.source.text.lines().take_while(|l| l.starts_with("//"));
        lines.map(|l| l.trim_start_matches("//").trim_start()).collect::<Vec<_>>().join("\n")
    }
}
