use super::{GpuError, Result};
use std::fmt;

/// Capabilities of an adapter, from which kernels choose their variant. Plain data, so that the choice can be tested
/// without a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Caps {
    /// Name of the adapter, from its driver.
    pub name: String,
    /// Graphics API: Vulkan, Metal, Dx12, Gl or BrowserWebGpu.
    pub backend: String,
    /// Driver with its version.
    pub driver: String,
    /// Whether the adapter runs on the CPU's vector units. Loads and barriers are expensive there, arithmetic is cheap.
    pub software: bool,
    /// Number of lanes per subgroup. `None` without subgroup operations or without a fixed subgroup size.
    pub subgroup: Option<u32>,
    /// Whether the adapter has timestamp queries, which time single dispatches.
    pub timestamps: bool,
    /// Maximum size of a storage binding, in bytes.
    pub max_binding: u64,
    /// Maximum size of a buffer, in bytes.
    pub max_buffer: u64,
    /// Maximum number of workgroups along one axis of a dispatch.
    pub max_workgroups: u32,
}

impl Caps {
    /// A GPU with WebGPU's default limits and without optional features: the minimum that every kernel must support.
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

    /// The size in bytes of a buffer of `elements` f32, called `what`.
    ///
    /// # Errors
    /// If it exceeds the largest binding.
    pub(crate) fn check_binding(&self, what: &str, elements: usize) -> Result<u64> {
        let (bytes, limit) = (padded(elements), self.max_binding);
        match bytes > limit {
            true => Err(GpuError::TooLarge { what: what.into(), bytes, limit, name: "maxStorageBufferBindingSize" }),
            false => Ok(bytes),
        }
    }

    /// Folds a number of workgroups into a grid with at most `max_workgroups` along each axis. `None` if they do not
    /// fit into a grid of two axes. Kernels recover the linear index with `linear_workgroup` in
    /// `shaders/shared/grid.wgsl` and skip surplus workgroups.
    pub fn fold(&self, workgroups: u64) -> Option<[u32; 3]> {
        let limit = u64::from(self.max_workgroups);
        let y = workgroups.div_ceil(limit).max(1);
        let x = workgroups.div_ceil(y);
        (y <= limit).then_some([x as u32, y as u32, 1])
    }
}

/// Size of a buffer of `elements` f32, in bytes: a whole number of vec4, so that kernels can use vector loads and
/// stores.
pub(super) fn padded(elements: usize) -> u64 {
    4u64.saturating_mul(elements as u64).checked_next_multiple_of(16).unwrap_or(u64::MAX).max(16)
}

impl fmt::Display for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.software { "software" } else { "GPU" };
        // Browsers do not say the driver.
        let driver = if self.driver.is_empty() { String::new() } else { format!(", {}", self.driver) };
        write!(f, "{} ({}, {kind}{driver})", self.name, self.backend)
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
