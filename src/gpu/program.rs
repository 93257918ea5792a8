use super::caps::padded;
use super::device::{Pipeline, sized};
use super::kernel::{BindingKind, Interface};
use super::plan::{Plan, plan};
use super::{Buffer, Commands, Cost, Gpu, GpuError, MemoryReport, Place, Result, Store, ValueId};
use std::sync::Arc;
use wgpu::BufferUsages;

/// A compiled list of dispatches with its buffers, pipelines and bind groups. It can run any number of times, and a run
/// creates no GPU objects.
pub struct Program {
    gpu: Gpu,
    pub(super) bound: Vec<BoundDispatch>,
    values: Vec<Option<Region>>,
    labels: Vec<String>,
    memory: MemoryReport,
}

/// A dispatch with its pipeline and its bind group.
pub(super) struct BoundDispatch {
    pub line: usize,
    pub op: &'static str,
    pub shape: String,
    pub kernel: String,
    pub cost: Cost,
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    pub grid: [u32; 3],
}

/// Memory of a value on the device. The offset is in bytes.
struct Region {
    buffer: wgpu::Buffer,
    offset: u64,
    elements: usize,
}

/// Required alignment of the offsets of uniform bindings, in bytes.
const ALIGNMENT: usize = 256;

impl Program {
    /// Compiles `commands`: compiles the pipelines, plans the memory, and creates the buffers and bind groups. State is
    /// that of `store`.
    ///
    /// # Errors
    /// A tensor that is missing from the store or has another size there; a dispatch that does not match its kernel; a
    /// size beyond the limits; no memory.
    pub async fn new(gpu: &Gpu, commands: &Commands, store: &Store) -> Result<Self> {
        let kernels: Vec<_> = commands.list().iter().map(|c| &c.dispatch.kernel).collect();
        let pipelines = gpu.pipelines(&kernels).await?;
        let interfaces: Vec<&Interface> = pipelines.iter().map(|p| &p.interface).collect();
        for (command, interface) in commands.list().iter().zip(&interfaces) {
            command.dispatch.check(interface, gpu.caps())?;
            for (_, value) in &command.dispatch.bindings {
                gpu.caps().check_binding(&command.what, commands.get(*value).elements)?;
            }
        }
        let plan = plan(commands, &interfaces, gpu.caps().max_buffer);
        let values = make_buffers(gpu, commands, store, &plan).await?;
        let bound = bind(gpu, commands, &values, &pipelines).await?;
        Ok(Self {
            gpu: gpu.clone(),
            bound,
            values,
            labels: commands.values.iter().map(|v| v.label.clone()).collect(),
            memory: plan.report,
        })
    }

    /// Submits one run, and returns without waiting for it.
    pub fn run(&self) -> Result<()> {
        self.submit(&self.bound, 1)
    }

    /// Submits dispatch number `dispatch` of a run `times` times in a row. A number beyond the last is no dispatch.
    pub(crate) fn repeat(&self, dispatch: usize, times: u32) -> Result<()> {
        /// Most repetitions of a submission, so that the adapter begins while the host goes on.
        const MOST: u32 = 256;
        let one = self.bound.get(dispatch..=dispatch).unwrap_or_default();
        (0..times).step_by(MOST as usize).try_for_each(|done| self.submit(one, MOST.min(times - done)))
    }

    /// Submits only the dispatches of one line of the tape.
    pub(crate) fn run_line(&self, line: usize) -> Result<()> {
        self.submit(self.dispatches_of(line), 1)
    }

    /// Whether a line of the tape has dispatches.
    pub(crate) fn has_line(&self, line: usize) -> bool {
        !self.dispatches_of(line).is_empty()
    }

    fn dispatches_of(&self, line: usize) -> &[BoundDispatch] {
        let first = self.bound.partition_point(|s| s.line < line);
        let last = self.bound.partition_point(|s| s.line <= line);
        &self.bound[first..last]
    }

    /// Replaces the contents of a value that the host may write.
    ///
    /// # Errors
    /// Another number of elements; a value that the program does not use; an earlier failure of the device.
    pub fn write(&self, value: ValueId, contents: &[f32]) -> Result<()> {
        let region = self.region(value)?;
        self.gpu.write_region(&self.labels[value.0], (&region.buffer, region.offset, region.elements), contents)
    }

    /// Reads values. The contents of a [planned](Place::Planned) value may be overwritten by later
    /// dispatches of the run.
    ///
    /// # Errors
    /// A value that the program does not use; more bytes than the maximum size of a buffer; a lost adapter.
    pub async fn read(&self, values: &[ValueId]) -> Result<Vec<Vec<f32>>> {
        let regions: Vec<_> = values.iter().map(|&v| self.region(v)).collect::<Result<_>>()?;
        let regions: Vec<_> = regions.iter().map(|r| (&r.buffer, r.offset, r.elements)).collect();
        self.gpu.read_regions(&regions).await
    }

    /// Memory of the intermediate values.
    pub fn memory(&self) -> MemoryReport {
        self.memory
    }

    /// Number of dispatches per run.
    pub fn dispatches(&self) -> usize {
        self.bound.len()
    }

    /// The device of the program.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    fn region(&self, value: ValueId) -> Result<&Region> {
        self.values.get(value.0).and_then(Option::as_ref).ok_or_else(|| GpuError::Transfer {
            name: self.labels.get(value.0).cloned().unwrap_or_else(|| format!("value {}", value.0)),
            reason: "no dispatch of this program uses the value".into(),
        })
    }

    /// Submits `dispatches`, `times` times in a row. Drivers and browsers end a submission that runs for seconds, so that much work
    /// is several submissions.
    pub(super) fn submit(&self, dispatches: &[BoundDispatch], times: u32) -> Result<()> {
        let mut all = (0..times).flat_map(|_| dispatches).peekable();
        while all.peek().is_some() {
            self.gpu.submit(
                || format!("commands for {} dispatches", dispatches.len() * times as usize),
                |encoder| {
                    let mut pass = encoder.begin_compute_pass(&Default::default());
                    let mut work = 0.0;
                    while let Some(dispatch) = all.next_if(|_| work < 1.0) {
                        dispatch.encode(&mut pass);
                        work += dispatch.cost.flops as f64 / SUBMITTED.flops as f64;
                        work += dispatch.cost.bytes as f64 / SUBMITTED.bytes as f64;
                    }
                },
            )?;
        }
        Ok(())
    }
}

/// The work after which a submission ends: a second of an adapter that does 20 GFLOP/s or moves 4 GB/s.
const SUBMITTED: Cost = Cost { flops: 20_000_000_000, bytes: 4_000_000_000 };

impl BoundDispatch {
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline.raw);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(self.grid[0], self.grid[1], self.grid[2]);
    }
}

async fn make_buffers(gpu: &Gpu, commands: &Commands, store: &Store, plan: &Plan) -> Result<Vec<Option<Region>>> {
    let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    let mut shared = vec![];
    for &bytes in &plan.buffers {
        let what = sized("a buffer of intermediate values", bytes);
        shared.push(gpu.scoped(&what, || gpu.raw_buffer("shared", bytes, usage)).await?);
    }
    let mut regions = vec![];
    for (value, planned) in commands.values.iter().zip(&plan.placements) {
        let own = |buffer: Buffer| Some((buffer.raw, 0));
        let place = match &value.place {
            Place::Planned => planned.map(|r| (shared[r.buffer].clone(), r.offset)),
            Place::Host => own(gpu.buffer(&value.label, value.elements, None).await?),
            Place::State(name) => own(store.get(name, value.elements)?.clone()),
            Place::Constant(fill) => {
                let contents = vec![*fill; value.elements];
                own(gpu.buffer(&value.label, value.elements, Some(&contents)).await?)
            }
        };
        regions.push(place.map(|(buffer, offset)| Region { buffer, offset, elements: value.elements }));
    }
    Ok(regions)
}

async fn bind(
    gpu: &Gpu,
    commands: &Commands,
    values: &[Option<Region>],
    pipelines: &[Arc<Pipeline>],
) -> Result<Vec<BoundDispatch>> {
    let mut bytes = vec![];
    let mut blocks = vec![];
    for command in commands.list() {
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        blocks.push(bytes.len() as u64);
        bytes.extend(&command.dispatch.params.bytes);
    }
    bytes.resize(bytes.len().next_multiple_of(16).max(16), 0);
    let uniforms = gpu.uniforms(&bytes).await?;
    gpu.count(commands.list().len());

    let make = |((command, pipeline), &block): ((&super::commands::Command, &Arc<Pipeline>), &u64)| {
        let dispatch = &command.dispatch;
        let resource = |binding: &super::Binding| {
            let (buffer, offset, size) = match binding.kind {
                BindingKind::Uniform(_) => (&uniforms, block, dispatch.params.bytes.len() as u64),
                BindingKind::Read | BindingKind::Write => {
                    let named = dispatch.bindings.iter().find(|(name, _)| *name == binding.name);
                    let (_, value) = named.expect("the bindings of every dispatch are checked");
                    let region = values[value.0].as_ref().expect("every value of a dispatch has memory");
                    (&region.buffer, region.offset, padded(region.elements))
                }
            };
            wgpu::BindGroupEntry {
                binding: binding.slot,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset,
                    size: std::num::NonZeroU64::new(size),
                }),
            }
        };
        let entries: Vec<_> = pipeline.interface.bindings.iter().map(resource).collect();
        BoundDispatch {
            line: command.line,
            op: command.op,
            shape: command.shape.clone(),
            kernel: dispatch.kernel.describe(),
            cost: dispatch.cost,
            pipeline: pipeline.clone(),
            bind_group: gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&command.what),
                layout: &pipeline.layout,
                entries: &entries,
            }),
            grid: gpu
                .caps()
                .fold(dispatch.workgroups)
                .expect("the number of workgroups of every dispatch has been checked"),
        }
    };
    let what = format!("{} bind groups", commands.list().len());
    gpu.scoped(&what, || commands.list().iter().zip(pipelines).zip(&blocks).map(make).collect()).await
}
