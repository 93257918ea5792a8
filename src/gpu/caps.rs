use std::fmt;

/// What kernels need to know of an adapter to choose their variant. Plain data, so that the choice can be tested
/// without a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Caps {
    /// The adapter's own name.
    pub name: String,
    /// Vulkan, Metal, Dx12, Gl or BrowserWebGpu.
    pub backend: String,
    /// Driver and version.
    pub driver: String,
    /// A software adapter runs on the CPU's vector units: loads and barriers are dear there, arithmetic is not.
    pub software: bool,
    /// Lanes of a subgroup, where the adapter has subgroup operations and one fixed size.
    pub subgroup: Option<u32>,
    /// Whether it can time single dispatches.
    pub timestamps: bool,
    /// Largest storage binding, bytes.
    pub max_binding: u64,
    /// Largest buffer, bytes.
    pub max_buffer: u64,
    /// Workgroups on one axis of a grid.
    pub max_workgroups: u32,
}

impl Caps {
    /// WebGPU's default limits on a GPU without subgroup operations: the least that kernels have to live with.
    pub fn minimal() -> Self {
        let limits = wgpu::Limits::default();
        Self {
            name: "minimal".into(),
            backend: "none".into(),
            driver: String::new(),
            software: false,
            subgroup: None,
            timestamps: false,
            max_binding: limits.max_storage_buffer_binding_size,
            max_buffer: limits.max_buffer_size,
            max_workgroups: limits.max_compute_workgroups_per_dimension,
        }
    }

    /// A software adapter with subgroups of `lanes`.
    pub fn software(lanes: u32) -> Self {
        Self { name: "software".into(), software: true, subgroup: Some(lanes), ..Self::minimal() }
    }

    /// Folds a number of workgroups into a grid of at most `max_workgroups` on each axis. Kernels recover the linear
    /// index with `linear_workgroup` of `shaders/shared/grid.wgsl` and skip the surplus.
    pub fn fold(&self, workgroups: u64) -> Option<[u32; 3]> {
        let limit = u64::from(self.max_workgroups);
        let y = workgroups.div_ceil(limit).max(1);
        let x = workgroups.div_ceil(y);
        (y <= limit).then_some([x as u32, y as u32, 1])
    }
}

impl fmt::Display for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.software { "software" } else { "GPU" };
        write!(f, "{} ({}, {kind}, {})", self.name, self.backend, self.driver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_folded_only_beyond_the_limit() {
        let caps = Caps::minimal();
        assert_eq!(caps.fold(0), Some([0, 1, 1]));
        assert_eq!(caps.fold(65_535), Some([65_535, 1, 1]));
        let [x, y, _] = caps.fold(65_536).unwrap();
        assert!(u64::from(x) * u64::from(y) >= 65_536 && y == 2);
        assert_eq!(caps.fold(65_535 * 65_535 + 1), None);
    }
}
