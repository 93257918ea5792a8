use super::adapter::{caps_of, choose};
use super::kernel::{BindingKind, Interface, Kernel};
use super::panics::caught;
use super::{Caps, GpuError, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use wgpu::{BufferUsages, Features};

/// A device with its queue and its cache of pipelines. Cheap to clone; clones share the device.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
    caps: Caps,
}

struct Inner {
    adapter: wgpu::Adapter,
    /// The device of [`Gpu::without_subgroups`].
    plain: OnceLock<Gpu>,
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Mutex<HashMap<Kernel, Arc<Pipeline>>>,
    staging: Mutex<Vec<wgpu::Buffer>>,
    made: AtomicU64,
    failure: Arc<Mutex<Option<GpuError>>>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Drop for Inner {
    fn drop(&mut self) {
        // wgpu panics or crashes where it frees some devices that have failed. Such a device stays until the process ends.
        if lock(&self.failure).is_some() {
            std::mem::forget((self.queue.clone(), self.device.clone()));
        }
    }
}

/// A compiled kernel.
pub(super) struct Pipeline {
    pub raw: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
    pub interface: Interface,
}

/// A storage buffer of f32 elements. Cheap to clone; clones share the memory.
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
    /// Opens the adapter whose index is `wanted` or whose name contains it, in any case; by default the best adapter.
    ///
    /// # Errors
    /// No adapter (the message says what to install); no such adapter (the message lists all adapters); no device.
    pub async fn open(wanted: Option<&str>) -> Result<Self> {
        let (_instance, adapter) = choose(wanted).await?;
        let caps = caps_of(&adapter);
        Self::on(adapter, caps, Features::SUBGROUP | Features::TIMESTAMP_QUERY).await
    }

    /// A device of `adapter` with those of the `features` that it has.
    async fn on(adapter: wgpu::Adapter, caps: Caps, features: Features) -> Result<Self> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("ign"),
            required_features: adapter.features() & features,
            required_limits: wgpu::Limits::default(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let failed = |reason| GpuError::NoDevice { adapter: caps.to_string(), reason };
        let request = || adapter.request_device(&descriptor);
        let (device, queue) = caught(request).map_err(failed)?.await.map_err(|e| failed(e.to_string()))?;

        let failure: Arc<Mutex<Option<GpuError>>> = Arc::default();
        let lost = failure.clone();
        device.set_device_lost_callback(move |reason, message| {
            let error = match GpuError::from_message(message, GpuError::UNNAMED) {
                GpuError::Validation { reason: message, .. } => GpuError::Lost(format!("{reason:?}: {message}")),
                error => error,
            };
            record(&lost, error);
        });
        let uncaptured = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            record(&uncaptured, GpuError::from_scope(error, GpuError::UNNAMED));
        }));
        let inner = Inner {
            adapter,
            plain: OnceLock::new(),
            device,
            queue,
            pipelines: Mutex::default(),
            staging: Mutex::default(),
            made: AtomicU64::new(0),
            failure,
        };
        Ok(Self { inner: Arc::new(inner), caps })
    }

    /// A device of the same adapter without subgroup operations, which refuses kernels with such operations. It is opened
    /// once and shares no memory with this device.
    ///
    /// # Errors
    /// No second device.
    pub async fn without_subgroups(&self) -> Result<Self> {
        if let Some(plain) = self.inner.plain.get() {
            return Ok(plain.clone());
        }
        let caps = Caps { subgroup: None, ..self.caps.clone() };
        let plain = Self::on(self.inner.adapter.clone(), caps, Features::TIMESTAMP_QUERY).await?;
        Ok(self.inner.plain.get_or_init(|| plain).clone())
    }

    /// The same device with other `caps`. Programs on it use the kernels for an adapter with these `caps`, which the
    /// device must be able to run.
    pub(crate) fn with_caps(&self, caps: Caps) -> Self {
        Self { inner: self.inner.clone(), caps }
    }

    /// Capabilities from which kernels choose their variant.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// Number of GPU objects (buffers, bind groups, pipelines, query sets) that this crate has created on the device.
    /// Running a compiled program creates none.
    pub fn objects_made(&self) -> u64 {
        self.inner.made.load(Ordering::Relaxed)
    }

    /// Number of live bind groups, compute pipelines and shader modules, and bytes of buffer memory, from wgpu's
    /// counters. Both are 0 in a browser, where wgpu does not count.
    pub fn objects_alive(&self) -> (isize, isize) {
        let hal = self.inner.device.get_internal_counters().hal;
        let objects = hal.bind_groups.read() + hal.compute_pipelines.read() + hal.shader_modules.read();
        (objects, hal.buffer_memory.read())
    }

    /// Creates a buffer of `elements` f32, with the given `contents` or else with zeros. `what` names it in error
    /// messages.
    ///
    /// # Errors
    /// A size beyond the maximum size of a binding; `contents` of another size; no memory.
    pub async fn buffer(&self, what: &str, elements: usize, contents: Option<&[f32]>) -> Result<Buffer> {
        let bytes = self.caps.check_binding(what, elements)?;
        if contents.is_some_and(|c| c.len() != elements) {
            return Err(GpuError::Transfer {
                name: what.into(),
                reason: format!("{elements} elements expected, {} given", contents.map_or(0, <[f32]>::len)),
            });
        }
        let raw = self
            .scoped(&sized(what, bytes), || {
                let raw = self.raw_buffer(what, bytes, BufferUsages::STORAGE | TRANSFER);
                if let Some(contents) = contents {
                    self.queue().write_buffer(&raw, 0, bytemuck::cast_slice(contents));
                }
                raw
            })
            .await?;
        Ok(Buffer { raw, elements })
    }

    /// Replaces the whole contents of a buffer. `what` names it in error messages.
    ///
    /// # Errors
    /// `contents` of another size, or an earlier failure of the device.
    pub fn write(&self, what: &str, buffer: &Buffer, contents: &[f32]) -> Result<()> {
        self.write_region(what, (&buffer.raw, 0, buffer.elements), contents)
    }

    /// Replaces the contents of a region.
    pub(super) fn write_region(&self, what: &str, region: Region<'_>, contents: &[f32]) -> Result<()> {
        self.healthy()?;
        let (buffer, offset, elements) = region;
        if contents.len() != elements {
            return Err(GpuError::Transfer {
                name: what.into(),
                reason: format!("{elements} elements expected, {} given", contents.len()),
            });
        }
        let what = || sized(&format!("a copy of {what}"), 4 * elements as u64);
        self.guarded(what, || self.queue().write_buffer(buffer, offset, bytemuck::cast_slice(contents)))
    }

    /// Reads several buffers, after all work submitted so far.
    ///
    /// # Errors
    /// No memory; a lost adapter; an earlier failure of the device.
    pub async fn read(&self, buffers: &[&Buffer]) -> Result<Vec<Vec<f32>>> {
        let regions: Vec<_> = buffers.iter().map(|b| (&b.raw, 0, b.elements)).collect();
        self.read_regions(&regions).await
    }

    /// Reads regions, in as many transfers as the maximum size of a buffer asks for. A region is a buffer, an offset in
    /// bytes and a number of f32 elements.
    pub(super) async fn read_regions(&self, regions: &[Region<'_>]) -> Result<Vec<Vec<f32>>> {
        let mut contents = Vec::with_capacity(regions.len());
        let mut rest = regions;
        loop {
            let mut bytes = 0;
            let fits = |r: &&Region<'_>| {
                bytes += 4 * r.2 as u64;
                bytes <= self.caps.max_buffer
            };
            // A region alone always fits: a binding is never larger than a buffer.
            let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
            let (part, later) = rest.split_at(count);
            contents.extend(self.read_part(part).await?);
            if later.is_empty() {
                return Ok(contents);
            }
            rest = later;
        }
    }

    async fn read_part(&self, regions: &[Region<'_>]) -> Result<Vec<Vec<f32>>> {
        self.healthy()?;
        let bytes: u64 = regions.iter().map(|r| 4 * r.2 as u64).sum();
        let staging = self.staging(bytes).await?;
        self.submit(
            || sized("commands for a readback", bytes),
            |encoder| {
                let mut at = 0;
                for &(buffer, offset, elements) in regions {
                    let size = 4 * elements as u64;
                    encoder.copy_buffer_to_buffer(buffer, offset, &staging, at, size);
                    at += size;
                }
            },
        )?;

        let (signal, mapped) = signal();
        staging.slice(..bytes.max(4)).map_async(wgpu::MapMode::Read, signal);
        let lost = |reason: String| self.healthy().err().unwrap_or(GpuError::Lost(reason));
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

    /// Resolves when all work submitted so far is done.
    pub async fn idle(&self) -> Result<()> {
        let (signal, done) = signal();
        self.queue().on_submitted_work_done(move || signal(()));
        done.await;
        self.healthy()
    }

    /// Returns the first failure that the driver reported outside a checked call, if any.
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

    pub(super) fn raw_buffer(&self, what: &str, bytes: u64, usage: BufferUsages) -> wgpu::Buffer {
        self.count(1);
        self.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(what),
            size: bytes.max(4),
            usage,
            mapped_at_creation: false,
        })
    }

    pub(super) async fn uniforms(&self, contents: &[u8]) -> Result<wgpu::Buffer> {
        let bytes = contents.len() as u64;
        self.scoped(&sized("a buffer of parameters", bytes), || {
            // Not `create_buffer_init`, which panics where mapping fails.
            let raw = self.raw_buffer("parameters", bytes, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
            self.queue().write_buffer(&raw, 0, contents);
            raw
        })
        .await
    }

    /// Records a failure, and returns the first cause of all so far.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn fail(&self, error: GpuError) -> GpuError {
        record(&self.inner.failure, error)
    }

    /// Submits the commands that `encode` records. `what` names them in error messages.
    pub(super) fn submit(
        &self,
        what: impl Fn() -> String,
        encode: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<()> {
        self.healthy()?;
        self.guarded(what, || {
            let mut encoder = self.device().create_command_encoder(&Default::default());
            encode(&mut encoder);
            self.queue().submit([encoder.finish()]);
        })
    }

    /// Runs a call for `what` that returns no error, and returns the failure that it left.
    fn guarded(&self, what: impl Fn() -> String, call: impl FnOnce()) -> Result<()> {
        if let Err(panic) = caught(call) {
            record(&self.inner.failure, GpuError::from_message(panic, &what()));
        }
        self.named(what)
    }

    /// As [`healthy`](Self::healthy), after work on `what`, which is named if the device ran out of memory in it.
    fn named(&self, what: impl FnOnce() -> String) -> Result<()> {
        match &mut *lock(&self.inner.failure) {
            Some(GpuError::OutOfMemory { what: unnamed }) if unnamed == GpuError::UNNAMED => *unnamed = what(),
            _ => {}
        }
        self.healthy()
    }

    /// Runs `make` and returns validation and out-of-memory errors within it as errors about `what`.
    pub(super) async fn scoped<T>(&self, what: &str, make: impl FnOnce() -> T) -> Result<T> {
        self.healthy()?;
        let memory = self.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let made = caught(make);
        let (validation, memory) = (validation.pop(), memory.pop());
        let (validation, memory) = (validation.await, memory.await);
        // An object that was not made for want of memory, or on a lost device, is invalid wherever it is used next:
        // the cause is reported before such validation errors.
        if let Some(error) = memory {
            return Err(GpuError::from_scope(error, what));
        }
        self.named(|| what.into())?;
        match (validation, made) {
            (Some(error), _) => Err(GpuError::from_scope(error, what)),
            (None, Ok(made)) => Ok(made),
            // The device may be half changed, and is not used again.
            (None, Err(panic)) => Err(record(&self.inner.failure, GpuError::from_message(panic, what))),
        }
    }

    /// Pipelines of `kernels`. Missing pipelines are compiled, in parallel on targets with threads.
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
        let mut made = vec![];
        for kernel in kernels {
            made.push(self.pipeline(kernel).await);
        }
        made
    }

    async fn pipeline(&self, kernel: &Kernel) -> Result<Pipeline> {
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
                let module = self.module(kernel);
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

    fn module(&self, kernel: &Kernel) -> wgpu::ShaderModule {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(kernel.entry),
            source: wgpu::ShaderSource::Wgsl(kernel.wgsl().into()),
        };
        if kernel.checked {
            return self.device().create_shader_module(descriptor);
        }
        // SAFETY: only `Commands::push_unchecked` makes kernels unchecked, and its caller guarantees that they need no
        // checks.
        unsafe { self.device().create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
    }

    /// A mappable buffer of at least `bytes`. Reads return it for reuse.
    async fn staging(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let reuse = |free: &mut Vec<wgpu::Buffer>| {
            let i = free.iter().position(|b| b.size() >= bytes)?;
            Some(free.swap_remove(i))
        };
        if let Some(buffer) = reuse(&mut lock(&self.inner.staging)) {
            return Ok(buffer);
        }
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        self.scoped(&sized("a buffer for a readback", bytes), || self.raw_buffer("staging", bytes, usage)).await
    }
}

/// `what` with its size, for messages.
pub(super) fn sized(what: &str, bytes: u64) -> String {
    format!("{what} of {bytes} bytes ({} MiB)", bytes.div_ceil(1 << 20))
}

/// Records a failure of the device, and returns the first cause of all so far.
fn record(failure: &Mutex<Option<GpuError>>, error: GpuError) -> GpuError {
    let mut failure = lock(failure);
    match (&*failure, &error) {
        // On a lost device every object is invalid, and the loss may be reported after such an error.
        (Some(GpuError::Validation { .. }), GpuError::Lost(_) | GpuError::OutOfMemory { .. }) | (None, _) => {
            failure.insert(error).clone()
        }
        (Some(first), _) => first.clone(),
    }
}

/// A buffer, an offset in bytes and a number of f32 elements.
type Region<'a> = (&'a wgpu::Buffer, u64, usize);

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

/// A callback, and a future that resolves to the callback's argument.
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

/// Locks `mutex`. A panic leaves the tables of this file valid, so a poisoned lock is no error.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
