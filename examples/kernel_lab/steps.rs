//! The kernels of the tour, with their requirements and operation counts.

use ign::gpu::{Caps, Wgsl};

/// A step of the tour: a kernel, the tile of a workgroup, and the operation counts of the inner loop.
pub struct Step {
    pub name: &'static str,
    pub source: Wgsl,
    /// Rows and columns of a workgroup's tile, given the number of lanes per subgroup.
    pub tile: fn(u32) -> [u32; 2],
    /// Whether the kernel needs subgroup operations.
    pub subgroup: bool,
    /// Whether a first dispatch packs A.
    pub packed: bool,
    /// Operation counts, given the number of lanes per subgroup.
    pub counts: fn(u32) -> Counts,
}

/// Average number of operations per invocation and step of the inner axis.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Loads from storage. A vec4 counts as one load.
    pub loads: f64,
    /// Loads from workgroup memory.
    pub workgroup_loads: f64,
    /// Subgroup shuffles.
    pub shuffles: f64,
    /// Multiply-adds.
    pub multiply_adds: f64,
}

macro_rules! source {
    ($file:literal) => {
        Wgsl { path: concat!("kernel_lab/", $file), text: include_str!($file) }
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
        tile: |lanes| [64, 4 * lanes],
        subgroup: true,
        packed: true,
        counts: |lanes| Counts {
            loads: f64::from(64u32.div_ceil(4 * lanes)) + 4.0,
            shuffles: 64.0,
            multiply_adds: 256.0,
            ..Counts::default()
        },
    },
];

/// Why a step cannot run.
pub const NEEDS: &str = "needs subgroup operations with a fixed size";

impl Step {
    /// Whether an adapter with `caps` can run the step.
    pub fn runs(&self, caps: &Caps) -> bool {
        !self.subgroup || caps.subgroup.is_some()
    }

    /// The comment at the head of the file.
    pub fn text(&self) -> String {
        let lines = self.source.text.lines().take_while(|l| l.starts_with("//"));
        lines.map(|l| l.trim_start_matches("//").trim_start()).collect::<Vec<_>>().join("\n")
    }
}
