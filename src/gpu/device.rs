use super::adapter::{caps_of, choose};
use super::kernel::{BindingKind, Interface, Kernel};
use super::{Caps, GpuError, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use wgpu::util::DeviceExt;
use wgpu::{BufferUsages, Features};

/// A device of an adapter with its queue, and every pipeline made on it. Cheap to clone.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
    caps: Caps,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Mutex<HashMap<Kernel, Arc<Pipeline>>>,
    staging: Mutex<Vec<wgpu::Buffer>>,
    made: AtomicU64,
    failure: Arc<Mutex<Option<GpuError>>>,
}

/// A compiled kernel.
pub(super) struct Pipeline {
    pub raw: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
    pub interface: Interface,
}

/// Memory of the adapter, elements being f32. Cheap to clone; clones share the memory.
#[derive(Clone, Debug)]
pub struct Buffer {
    pub(super) raw: wgpu::Buffer,
    elements: usize,
}

impl Buffer {
    /// Number of f32 elements.
    pub fn elements(&self) -> usize {
        self.elements
    }
}

impl Gpu {
    /// Opens the best adapter, or the one whose index or part of whose name is `wanted`.
    ///
    /// # Errors
    /// No adapter (with what to install), no such adapter (with those there are), or no device.
    pub async fn open(wanted: Option<&str>) -> Result<Self> {
        let (_instance, adapter) = choose(wanted).await?;
        let caps = caps_of(&adapter);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("ign"),
            required_features: adapter.features() & (Features::SUBGROUP | Features::TIMESTAMP_QUERY),
            required_limits: wgpu::Limits::default(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|e| GpuError::NoDevice { adapter: caps.to_string(), reason: e.to_string() })?;

        let failure: Arc<Mutex<Option<GpuError>>> = Arc::default();
        let lost = failure.clone();
        device.set_device_lost_callback(move |reason, message| {
            lock(&lost).get_or_insert(GpuError::Lost(format!("{reason:?} {message}")));
        });
        let uncaptured = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&uncaptured).get_or_insert(GpuError::from_scope(error, "a command"));
        }));
        let inner = Inner {
            device,
            queue,
            pipelines: Mutex::default(),
            staging: Mutex::default(),
            made: AtomicU64::new(0),
            failure,
        };
        Ok(Self { inner: Arc::new(inner), caps })
    }

    /// The same device with other `caps`, for programs made of the kernels that such an adapter would get. The device
    /// must be able to run them.
    pub fn with_caps(&self, caps: Caps) -> Self {
        Self { inner: self.inner.clone(), caps }
    }

    /// What kernels may know of the adapter.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// How many GPU objects (buffers, bind groups, pipelines, query sets) this crate made on the device so far.
    /// A compiled program makes none while it runs.
    pub fn objects_made(&self) -> u64 {
        self.inner.made.load(Ordering::Relaxed)
    }

    /// Objects alive in the driver by wgpu's own count, and bytes of memory they hold.
    pub fn objects_alive(&self) -> (isize, isize) {
        let hal = self.inner.device.get_internal_counters().hal;
        let objects = hal.bind_groups.read() + hal.compute_pipelines.read() + hal.shader_modules.read();
        (objects, hal.buffer_memory.read())
    }

    /// A buffer of `elements` f32 zeros, or filled with `contents` where given.
    ///
    /// # Errors
    /// Where it is larger than a binding may be, or memory runs out.
    pub async fn buffer(&self, what: &str, elements: usize, contents: Option<&[f32]>) -> Result<Buffer> {
        let bytes = padded(elements);
        self.check_binding(what, bytes)?;
        if contents.is_some_and(|c| c.len() != elements) {
            return Err(GpuError::Transfer {
                name: what.into(),
                reason: format!("{elements} elements expected, {} given", contents.map_or(0, <[f32]>::len)),
            });
        }
        let raw = self
            .scoped(what, || {
                let raw = self.raw_buffer(what, bytes, BufferUsages::STORAGE | TRANSFER);
                if let Some(contents) = contents {
                    self.queue().write_buffer(&raw, 0, bytemuck::cast_slice(contents));
                }
                raw
            })
            .await?;
        Ok(Buffer { raw, elements })
    }

    /// Replaces the first elements of a buffer.
    pub fn write(&self, what: &str, buffer: &Buffer, contents: &[f32]) -> Result<()> {
        self.healthy()?;
        if contents.len() != buffer.elements {
            return Err(GpuError::Transfer {
                name: what.into(),
                reason: format!("{} elements expected, {} given", buffer.elements, contents.len()),
            });
        }
        self.queue().write_buffer(&buffer.raw, 0, bytemuck::cast_slice(contents));
        Ok(())
    }

    /// The contents of several buffers after everything submitted so far, in one wait.
    pub async fn read(&self, buffers: &[&Buffer]) -> Result<Vec<Vec<f32>>> {
        let regions: Vec<_> = buffers.iter().map(|b| (&b.raw, 0, b.elements)).collect();
        self.read_regions(&regions).await
    }

    /// Reads regions: buffer, byte offset, elements.
    pub(super) async fn read_regions(&self, regions: &[(&wgpu::Buffer, u64, usize)]) -> Result<Vec<Vec<f32>>> {
        let bytes: u64 = regions.iter().map(|r| 4 * r.2 as u64).sum();
        if bytes > self.caps.max_buffer {
            return Err(self.too_large("a readback", bytes, self.caps.max_buffer, "maxBufferSize"));
        }
        let staging = self.staging(bytes).await?;
        let mut encoder = self.device().create_command_encoder(&Default::default());
        let mut at = 0;
        for &(buffer, offset, elements) in regions {
            let size = 4 * elements as u64;
            encoder.copy_buffer_to_buffer(buffer, offset, &staging, at, size);
            at += size;
        }
        self.queue().submit([encoder.finish()]);

        let (signal, mapped) = signal();
        staging.slice(..bytes.max(4)).map_async(wgpu::MapMode::Read, signal);
        let lost = |reason: String| GpuError::Lost(reason);
        mapped.await.map_err(|e| lost(e.to_string()))?;
        let view = staging.slice(..bytes.max(4)).get_mapped_range().map_err(|e| lost(e.to_string()))?;
        let mut at = 0;
        let mut contents = Vec::with_capacity(regions.len());
        for &(_, _, elements) in regions {
            let end = at + 4 * elements;
            contents.push(bytemuck::pod_collect_to_vec(&view[at..end]));
            at = end;
        }
        drop(view);
        staging.unmap();
        lock(&self.inner.staging).push(staging);
        self.healthy()?;
        Ok(contents)
    }

    /// Resolves when everything submitted so far is done.
    pub async fn idle(&self) -> Result<()> {
        let (signal, done) = signal();
        self.queue().on_submitted_work_done(move || signal(()));
        done.await;
        self.healthy()
    }

    /// The first failure that the driver reported outside a call of ours, if any.
    pub fn healthy(&self) -> Result<()> {
        lock(&self.inner.failure).clone().map_or(Ok(()), Err)
    }

    pub(crate) fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    pub(super) fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    pub(super) fn count(&self, objects: usize) {
        self.inner.made.fetch_add(objects as u64, Ordering::Relaxed);
    }

    pub(super) fn check_binding(&self, what: &str, bytes: u64) -> Result<()> {
        let limit = self.caps.max_binding;
        match bytes > limit {
            true => Err(self.too_large(what, bytes, limit, "maxStorageBufferBindingSize")),
            false => Ok(()),
        }
    }

    fn too_large(&self, what: &str, bytes: u64, limit: u64, name: &'static str) -> GpuError {
        GpuError::TooLarge { what: what.into(), bytes, limit, name }
    }

    pub(super) fn raw_buffer(&self, what: &str, bytes: u64, usage: BufferUsages) -> wgpu::Buffer {
        self.count(1);
        self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(what),
            size: bytes.max(4),
            usage,
            mapped_at_creation: false,
        })
    }

    pub(super) fn uniforms(&self, contents: &[u8]) -> wgpu::Buffer {
        self.count(1);
        self.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("parameters"),
            contents,
            usage: BufferUsages::UNIFORM,
        })
    }

    /// Runs `make` and turns what goes wrong inside into an error about `what`.
    pub(super) async fn scoped<T>(&self, what: &str, make: impl FnOnce() -> T) -> Result<T> {
        let memory = self.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let made = make();
        let (validation, memory) = (validation.pop(), memory.pop());
        match (validation.await, memory.await) {
            (Some(error), _) | (_, Some(error)) => Err(GpuError::from_scope(error, what)),
            _ => Ok(made),
        }
    }

    /// Pipelines of `kernels`, those not yet made being made in parallel where there are threads.
    pub(super) async fn pipelines(&self, kernels: &[&Kernel]) -> Result<Vec<Arc<Pipeline>>> {
        let mut missing: Vec<&Kernel> = vec![];
        for kernel in kernels {
            if !lock(&self.inner.pipelines).contains_key(*kernel) && !missing.contains(kernel) {
                missing.push(kernel);
            }
        }
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
                    let died = |k: &&Kernel| GpuError::Validation {
                        what: k.describe(),
                        reason: "the shader compiler died".into(),
                    };
                    part.iter().map(|k| Err(died(k))).collect()
                })
            });
            joined.flatten().collect()
        })
    }

    #[cfg(target_arch = "wasm32")]
    async fn compile(&self, kernels: &[&Kernel]) -> Vec<Result<Pipeline>> {
        let mut made = vec![];
        for kernel in kernels {
            made.push(self.pipeline(kernel).await);
        }
        made
    }

    async fn pipeline(&self, kernel: &Kernel) -> Result<Pipeline> {
        let interface = kernel.reflect()?;
        let what = format!("pipeline {}", kernel.describe());
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
                let module = self.trusted_module(kernel);
                let raw = self.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(&what),
                    layout: Some(&pipeline_layout),
                    module: &module,
                    entry_point: Some(kernel.entry),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        zero_initialize_workgroup_memory: false,
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

    fn trusted_module(&self, kernel: &Kernel) -> wgpu::ShaderModule {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(kernel.entry),
            source: wgpu::ShaderSource::Wgsl(kernel.wgsl().into()),
        };
        // SAFETY: the kernels of this crate guard every index by the extents in their parameter block, which lowering
        // derives from the sizes of the bound buffers; their loops end; their divisors are extents, never zero. Tests
        // run each of them, over odd shapes, against a reference.
        unsafe { self.device().create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
    }

    /// A mappable buffer of at least `bytes`, reused between reads.
    async fn staging(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let reuse = |free: &mut Vec<wgpu::Buffer>| {
            let i = free.iter().position(|b| b.size() >= bytes)?;
            Some(free.swap_remove(i))
        };
        if let Some(buffer) = reuse(&mut lock(&self.inner.staging)) {
            return Ok(buffer);
        }
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        self.scoped("a staging buffer", || self.raw_buffer("staging", bytes, usage)).await
    }
}

/// Bytes of `elements` f32 in memory: a whole number of vectors of four, so that kernels may work on those.
pub(super) fn padded(elements: usize) -> u64 {
    (4 * elements as u64).next_multiple_of(16).max(16)
}

const TRANSFER: BufferUsages = BufferUsages::COPY_SRC.union(BufferUsages::COPY_DST);

fn layout_entry(binding: &super::Binding) -> wgpu::BindGroupLayoutEntry {
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

/// A callback, and a future that resolves to what the callback is called with.
fn signal<T: Send + 'static>() -> (impl FnOnce(T) + Send + 'static, impl Future<Output = T>) {
    let state = Arc::new(Mutex::new((None, None::<Waker>)));
    let sender = state.clone();
    let send = move |value| {
        let mut state = lock(&sender);
        state.0 = Some(value);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    };
    let receive = std::future::poll_fn(move |context| {
        let mut state = lock(&state);
        state.1 = Some(context.waker().clone());
        state.0.take().map_or(Poll::Pending, Poll::Ready)
    });
    (send, receive)
}

/// A panic elsewhere leaves these tables whole, so a poisoned lock is only a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
