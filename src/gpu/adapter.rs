use super::{Caps, GpuError, Result};
use wgpu::{Adapter, Backends, DeviceType, Features, Instance, InstanceDescriptor};

/// An adapter of this machine, for listings.
#[derive(Clone, Debug)]
pub struct AdapterSummary {
    /// Index of the adapter. [`Gpu::open`](super::Gpu::open) accepts the index or a part of the name.
    pub index: usize,
    /// Whether the adapter is the default.
    pub default: bool,
    /// Type of the adapter: discrete GPU, integrated GPU, virtual GPU, software, or other.
    pub kind: &'static str,
    /// Capabilities from which kernels choose their variant.
    pub caps: Caps,
    /// Supported features that the engine uses: `subgroups`, `timestamps`.
    pub features: Vec<&'static str>,
    /// Limits of the adapter. Of these the engine uses only the sizes of buffers.
    pub limits: wgpu::Limits,
}

/// The adapters of this machine, best first.
pub async fn adapters() -> Vec<AdapterSummary> {
    let (_, found) = ranked().await;
    let summary = |(index, adapter): (usize, &Adapter)| AdapterSummary {
        index,
        default: index == 0,
        kind: kind(adapter),
        caps: caps_of(adapter),
        limits: adapter.limits(),
        features: [(Features::SUBGROUP, "subgroups"), (Features::TIMESTAMP_QUERY, "timestamps")]
            .into_iter()
            .filter_map(|(feature, name)| adapter.features().contains(feature).then_some(name))
            .collect(),
    };
    found.iter().enumerate().map(summary).collect()
}

/// Chooses the adapter whose index is `wanted` or whose name contains it, in any case; by default the best adapter.
pub(super) async fn choose(wanted: Option<&str>) -> Result<(Instance, Adapter)> {
    let (instance, mut found) = ranked().await;
    let Some(wanted) = wanted else {
        return match found.is_empty() {
            true => Err(GpuError::NoAdapter(String::new())),
            false => Ok((instance, found.remove(0))),
        };
    };
    if found.is_empty() {
        return Err(GpuError::NoAdapter(format!(" (wanted: `{wanted}`)")));
    }
    let named = |a: &Adapter| a.get_info().name.to_lowercase().contains(&wanted.to_lowercase());
    // A number is an index only, however large: names contain numbers by chance.
    let position = match wanted.bytes().all(|b| b.is_ascii_digit()) && !wanted.is_empty() {
        true => wanted.parse().ok().filter(|&i: &usize| i < found.len()),
        false => found.iter().position(named),
    };
    let Some(position) = position else {
        let line = |(i, a): (usize, &Adapter)| format!("  {i}: {}", caps_of(a));
        return Err(GpuError::UnknownAdapter {
            wanted: wanted.into(),
            known: found.iter().enumerate().map(line).collect::<Vec<_>>().join("\n"),
        });
    };
    Ok((instance, found.remove(position)))
}

/// All adapters with compute shaders, best first. OpenGL reaches the same hardware as the primary backends, with fewer
/// features. It is used only if the primary backends find no adapter.
async fn ranked() -> (Instance, Vec<Adapter>) {
    let on = async |backends| {
        let instance =
            Instance::new(InstanceDescriptor { backends, ..InstanceDescriptor::new_without_display_handle() });
        let found = instance.enumerate_adapters(backends).await;
        (instance, found)
    };
    let (mut instance, mut found) = on(Backends::PRIMARY).await;
    if found.is_empty() {
        (instance, found) = on(Backends::SECONDARY).await;
    }
    found.retain(|a| a.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS));
    found.sort_by_key(|a| match a.get_info().device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    });
    (instance, found)
}

fn kind(adapter: &Adapter) -> &'static str {
    match adapter.get_info().device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    }
}

/// Capabilities of `adapter`. Kernels are held to WebGPU's default limits on every adapter, but for the sizes of buffers: these are the adapter's on native targets, so that large batches and images fit.
pub(super) fn caps_of(adapter: &Adapter) -> Caps {
    let limits = limits_within(&adapter.limits());
    let info = adapter.get_info();
    let fixed = info.subgroup_min_size == info.subgroup_max_size && adapter.features().contains(Features::SUBGROUP);
    Caps {
        name: info.name,
        backend: format!("{:?}", info.backend),
        driver: [info.driver, info.driver_info].join(" ").trim().into(),
        software: info.device_type == DeviceType::Cpu,
        subgroup: fixed.then_some(info.subgroup_min_size),
        timestamps: adapter.features().contains(Features::TIMESTAMP_QUERY),
        max_binding: limits.max_storage_buffer_binding_size,
        max_buffer: limits.max_buffer_size,
        ..Caps::minimal()
    }
}

/// The largest binding: 2 GiB. Kernels index its elements in i32, with room for sums of indices.
const LARGEST: u64 = 1 << 31;

/// The limits of a device, on an adapter with the limits `own`: the defaults of WebGPU for what kernels use, and whatever there
/// is for textures, attachments and vertices, of which small GPUs have less.
pub(super) fn limits_within(own: &wgpu::Limits) -> wgpu::Limits {
    let default = wgpu::Limits::default();
    if cfg!(target_arch = "wasm32") {
        return default;
    }
    let binding = own.max_storage_buffer_binding_size.min(own.max_buffer_size);
    let binding = binding.clamp(default.max_storage_buffer_binding_size, LARGEST);
    let buffer = own.max_buffer_size.clamp(default.max_buffer_size, binding.max(default.max_buffer_size));
    wgpu::Limits {
        max_storage_buffer_binding_size: binding,
        max_buffer_size: buffer,
        max_bind_groups: default.max_bind_groups,
        max_bindings_per_bind_group: default.max_bindings_per_bind_group,
        max_storage_buffers_per_shader_stage: default.max_storage_buffers_per_shader_stage,
        max_uniform_buffers_per_shader_stage: default.max_uniform_buffers_per_shader_stage,
        max_uniform_buffer_binding_size: default.max_uniform_buffer_binding_size,
        min_uniform_buffer_offset_alignment: default.min_uniform_buffer_offset_alignment,
        min_storage_buffer_offset_alignment: default.min_storage_buffer_offset_alignment,
        max_compute_workgroup_storage_size: default.max_compute_workgroup_storage_size,
        max_compute_invocations_per_workgroup: default.max_compute_invocations_per_workgroup,
        max_compute_workgroup_size_x: default.max_compute_workgroup_size_x,
        max_compute_workgroup_size_y: default.max_compute_workgroup_size_y,
        max_compute_workgroup_size_z: default.max_compute_workgroup_size_z,
        max_compute_workgroups_per_dimension: default.max_compute_workgroups_per_dimension,
        ..default.or_worse_values_from(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_may_be_as_large_as_the_adapters_and_textures_smaller() {
        let default = wgpu::Limits::default();
        assert_eq!(limits_within(&default), default);
        let with = |binding: u64, buffer: u64| {
            let own =
                wgpu::Limits { max_storage_buffer_binding_size: binding, max_buffer_size: buffer, ..default.clone() };
            let found = limits_within(&own);
            (found.max_storage_buffer_binding_size, found.max_buffer_size)
        };
        // A GPU, one with bindings beyond 32-bit indices, and llvmpipe.
        assert_eq!(with(1 << 30, 1 << 40), (1 << 30, 1 << 30));
        assert_eq!(with(1 << 40, 1 << 40), (1 << 31, 1 << 31));
        assert_eq!(with(1 << 27, (1 << 31) - 1), (1 << 27, 1 << 28));
        // A binding is never larger than a buffer.
        assert_eq!(with(1 << 30, 1 << 28), (1 << 28, 1 << 28));
        // A Raspberry Pi has smaller textures. What kernels use is asked for everywhere.
        let own = wgpu::Limits {
            max_texture_dimension_2d: 4096,
            max_compute_invocations_per_workgroup: 128,
            min_storage_buffer_offset_alignment: 16,
            ..default.clone()
        };
        assert_eq!(limits_within(&own), wgpu::Limits { max_texture_dimension_2d: 4096, ..default });
    }
}
