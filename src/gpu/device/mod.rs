mod pipelines;
mod transfers;

use super::adapter::{caps_of, choose, limits_within};
use super::kernel::Kernel;
use super::{Caps, GpuError, Result};
use crate::panics::caught;
pub(super) use pipelines::Pipeline;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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
    /// Whether timestamp queries give the time, once that is known.
    clock: OnceLock<bool>,
    wanted: AtomicU64,
    compiled: AtomicU64,
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
            required_limits: limits_within(&adapter.limits()),
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
            clock: OnceLock::new(),
            wanted: AtomicU64::new(0),
            compiled: AtomicU64::new(0),
            failure,
        };
        Ok(Self { inner: Arc::new(inner), caps })
    }

    /// Whether timestamp queries give the time, once that is known.
    pub(super) fn clock(&self) -> &OnceLock<bool> {
        &self.inner.clock
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

    /// The same device, with what a browser knows of its adapter and wgpu does not: its name, whether it runs on the CPU, and
    /// the number of lanes per subgroup, if that is fixed and the device was requested with subgroups.
    #[cfg(target_arch = "wasm32")]
    pub fn described(&self, name: String, software: bool, subgroup: Option<u32>) -> Self {
        self.with_caps(Caps { name, software, subgroup, ..self.caps.clone() })
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

    /// Number of kernels whose compilation has ended, well or not, and of those whose compilation has begun. They differ
    /// while programs are compiled, and show how far that is.
    pub fn compiled(&self) -> (u64, u64) {
        let [compiled, wanted] = [&self.inner.compiled, &self.inner.wanted].map(|count| count.load(Ordering::Relaxed));
        (compiled, wanted)
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

const TRANSFER: BufferUsages = BufferUsages::COPY_SRC.union(BufferUsages::COPY_DST);

/// Locks `mutex`. A panic leaves the tables of a device valid, so a poisoned lock is no error.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
