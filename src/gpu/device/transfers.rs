//! Copies between the host and buffers of a device.

use super::{Buffer, Gpu, lock, sized};
use crate::gpu::{GpuError, Result};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use wgpu::BufferUsages;

/// A buffer, an offset in bytes and a number of f32 elements.
pub(in crate::gpu) type Region<'a> = (&'a wgpu::Buffer, u64, usize);

impl Gpu {
    /// Replaces the whole contents of a buffer. `what` names it in error messages.
    ///
    /// # Errors
    /// `contents` of another size, or an earlier failure of the device.
    pub fn write(&self, what: &str, buffer: &Buffer, contents: &[f32]) -> Result<()> {
        self.write_region(what, (&buffer.raw, 0, buffer.elements), contents)
    }

    /// Replaces the contents of a region.
    pub(in crate::gpu) fn write_region(&self, what: &str, region: Region<'_>, contents: &[f32]) -> Result<()> {
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
    pub(in crate::gpu) async fn read_regions(&self, regions: &[Region<'_>]) -> Result<Vec<Vec<f32>>> {
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
