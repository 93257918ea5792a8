//! Compiled kernels, of which a device keeps each once.

use super::{Gpu, lock};
use crate::gpu::Result;
use crate::gpu::kernel::{Binding, BindingKind, Interface, Kernel};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A compiled kernel.
pub(in crate::gpu) struct Pipeline {
    pub raw: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
    pub interface: Interface,
}

impl Gpu {
    /// Pipelines of `kernels`. Missing pipelines are compiled in parallel: by threads, or by the browser.
    pub(in crate::gpu) async fn pipelines(&self, kernels: &[&Kernel]) -> Result<Vec<Arc<Pipeline>>> {
        let mut missing: Vec<&Kernel> = vec![];
        for kernel in kernels {
            if !lock(&self.inner.pipelines).contains_key(*kernel) && !missing.contains(kernel) {
                missing.push(kernel);
            }
        }
        self.inner.wanted.fetch_add(missing.len() as u64, Ordering::Relaxed);
        for (kernel, made) in missing.iter().zip(self.compile(&missing).await) {
            lock(&self.inner.pipelines).insert((*kernel).clone(), Arc::new(made?));
        }
        let cache = lock(&self.inner.pipelines);
        Ok(kernels.iter().map(|k| cache[*k].clone()).collect())
    }

    #[cfg(not(target_arch = "wasm32"))]
    async fn compile(&self, kernels: &[&Kernel]) -> Vec<Result<Pipeline>> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let share = kernels.len().div_ceil(workers).max(1);
        std::thread::scope(|scope| {
            let work = |part: &[&Kernel]| part.iter().map(|k| pollster::block_on(self.pipeline(k))).collect::<Vec<_>>();
            let handles: Vec<_> = kernels.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
            let joined = handles.into_iter().zip(kernels.chunks(share)).map(|(handle, part)| {
                handle.join().unwrap_or_else(|_| {
                    let died = |k: &&Kernel| crate::gpu::GpuError::Validation {
                        what: k.describe(),
                        reason: "the shader compiler panicked".into(),
                    };
                    part.iter().map(|k| Err(died(k))).collect()
                })
            });
            joined.flatten().collect()
        })
    }

    #[cfg(target_arch = "wasm32")]
    async fn compile(&self, kernels: &[&Kernel]) -> Vec<Result<Pipeline>> {
        // All are handed to the browser before it is waited for any.
        futures_util::future::join_all(kernels.iter().map(|kernel| self.pipeline(kernel))).await
    }

    async fn pipeline(&self, kernel: &Kernel) -> Result<Pipeline> {
        let pipeline = self.compile_one(kernel).await;
        self.inner.compiled.fetch_add(1, Ordering::Relaxed);
        pipeline
    }

    async fn compile_one(&self, kernel: &Kernel) -> Result<Pipeline> {
        let interface = kernel.reflect()?;
        let what = format!("pipeline {} on {}", kernel.describe(), self.caps);
        let (layout, raw) = self
            .scoped(&what, || {
                let entries: Vec<_> = interface.bindings.iter().map(layout_entry).collect();
                let layout = self
                    .device()
                    .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
                let pipeline_layout = self.device().create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                    label: None,
                    bind_group_layouts: &[Some(&layout)],
                    immediate_size: 0,
                });
                let module = self.module(kernel, &interface);
                let raw = self.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(&what),
                    layout: Some(&pipeline_layout),
                    module: &module,
                    entry_point: Some(kernel.entry),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        zero_initialize_workgroup_memory: kernel.checked,
                        ..Default::default()
                    },
                    cache: None,
                });
                (layout, raw)
            })
            .await?;
        self.count(1);
        Ok(Pipeline { raw, layout, interface })
    }

    fn module(&self, kernel: &Kernel, interface: &Interface) -> wgpu::ShaderModule {
        let mut wgsl = kernel.wgsl();
        // Browsers ask for a directive that naga does not know.
        if cfg!(target_arch = "wasm32") && interface.subgroups {
            wgsl.insert_str(0, "enable subgroups;\n");
        }
        let descriptor =
            wgpu::ShaderModuleDescriptor { label: Some(kernel.entry), source: wgpu::ShaderSource::Wgsl(wgsl.into()) };
        if kernel.checked {
            return self.device().create_shader_module(descriptor);
        }
        // SAFETY: only `Commands::push_unchecked` makes kernels unchecked, and its caller guarantees that they need no
        // checks.
        unsafe { self.device().create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
    }
}

fn layout_entry(binding: &Binding) -> wgpu::BindGroupLayoutEntry {
    let ty = match binding.kind {
        BindingKind::Read => wgpu::BufferBindingType::Storage { read_only: true },
        BindingKind::Write => wgpu::BufferBindingType::Storage { read_only: false },
        BindingKind::Uniform(_) => wgpu::BufferBindingType::Uniform,
    };
    wgpu::BindGroupLayoutEntry {
        binding: binding.slot,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}
