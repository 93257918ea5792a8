use super::device::{Pipeline, padded};
use super::kernel::{BindingKind, Interface};
use super::plan::{Plan, plan};
use super::{Buffer, Commands, Cost, Gpu, GpuError, MemoryReport, Place, Result, Store, ValueId};
use std::sync::Arc;
use wgpu::BufferUsages;

/// A compiled list of dispatches: every buffer, pipeline and bind group made, ready to run any number of times.
/// Running makes no GPU object.
pub struct Program {
    gpu: Gpu,
    pub(super) steps: Vec<Step>,
    values: Vec<Option<Region>>,
    labels: Vec<String>,
    memory: MemoryReport,
}

/// One dispatch, ready to be encoded.
pub(super) struct Step {
    pub line: usize,
    pub op: &'static str,
    pub shape: String,
    pub kernel: String,
    pub cost: Cost,
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    grid: [u32; 3],
}

/// Where a value lies on the device.
struct Region {
    buffer: wgpu::Buffer,
    offset: u64,
    elements: usize,
}

/// Offsets of uniform bindings are multiples of this.
const ALIGNMENT: usize = 256;

impl Program {
    /// Compiles `commands`: pipelines in parallel, memory planned, bind groups made. State is taken from `store`.
    ///
    /// # Errors
    /// Where the store lacks a tensor, a dispatch does not fit its kernel, a limit is exceeded, or memory runs out.
    pub async fn new(gpu: &Gpu, commands: &Commands, store: &Store) -> Result<Self> {
        let kernels: Vec<_> = commands.list().iter().map(|c| &c.dispatch.kernel).collect();
        let pipelines = gpu.pipelines(&kernels).await?;
        let interfaces: Vec<&Interface> = pipelines.iter().map(|p| &p.interface).collect();
        for (command, interface) in commands.list().iter().zip(&interfaces) {
            command.dispatch.check(interface, gpu.caps())?;
            for (_, value) in &command.dispatch.bindings {
                gpu.check_binding(&command.what, padded(commands.get(*value).elements))?;
            }
        }
        let plan = plan(commands, &interfaces, gpu.caps().max_buffer);
        let values = make_buffers(gpu, commands, store, &plan).await?;
        let steps = gpu.scoped("bind groups", || make_steps(gpu, commands, &values, &pipelines)).await?;
        Ok(Self {
            gpu: gpu.clone(),
            steps,
            values,
            labels: commands.values.iter().map(|v| v.label.clone()).collect(),
            memory: plan.report,
        })
    }

    /// Submits one run. Returns before the adapter is done.
    pub fn run(&self) -> Result<()> {
        self.submit(&self.steps)
    }

    /// Submits the dispatches of one line of the tape only.
    pub fn run_line(&self, line: usize) -> Result<()> {
        self.submit(self.steps_of(line))
    }

    /// Whether a line of the tape has dispatches of its own.
    pub fn has_line(&self, line: usize) -> bool {
        !self.steps_of(line).is_empty()
    }

    fn steps_of(&self, line: usize) -> &[Step] {
        let first = self.steps.partition_point(|s| s.line < line);
        let last = self.steps.partition_point(|s| s.line <= line);
        &self.steps[first..last]
    }

    /// Replaces a value that the host may write.
    pub fn write(&self, value: ValueId, contents: &[f32]) -> Result<()> {
        self.gpu.healthy()?;
        let region = self.region(value)?;
        if contents.len() != region.elements {
            return Err(GpuError::Transfer {
                name: self.labels[value.0].clone(),
                reason: format!("{} elements expected, {} given", region.elements, contents.len()),
            });
        }
        self.gpu.queue().write_buffer(&region.buffer, region.offset, bytemuck::cast_slice(contents));
        Ok(())
    }

    /// The contents of values, in one wait. Values that share memory are whole only while they are alive.
    pub async fn read(&self, values: &[ValueId]) -> Result<Vec<Vec<f32>>> {
        let regions: Vec<_> = values.iter().map(|&v| self.region(v)).collect::<Result<_>>()?;
        let regions: Vec<_> = regions.iter().map(|r| (&r.buffer, r.offset, r.elements)).collect();
        self.gpu.read_regions(&regions).await
    }

    /// What the intermediate values cost.
    pub fn memory(&self) -> MemoryReport {
        self.memory
    }

    /// Dispatches of one run.
    pub fn dispatches(&self) -> usize {
        self.steps.len()
    }

    /// The device it runs on.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    fn region(&self, value: ValueId) -> Result<&Region> {
        self.values[value.0].as_ref().ok_or_else(|| GpuError::Transfer {
            name: self.labels[value.0].clone(),
            reason: "no dispatch of this program uses the value".into(),
        })
    }

    pub(super) fn submit(&self, steps: &[Step]) -> Result<()> {
        self.gpu.healthy()?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for step in steps {
            step.encode(&mut pass);
        }
        drop(pass);
        self.gpu.queue().submit([encoder.finish()]);
        Ok(())
    }
}

impl Step {
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline.raw);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(self.grid[0], self.grid[1], self.grid[2]);
    }
}

async fn make_buffers(gpu: &Gpu, commands: &Commands, store: &Store, plan: &Plan) -> Result<Vec<Option<Region>>> {
    let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    let shared = gpu
        .scoped("the memory of intermediate values", || {
            plan.buffers.iter().map(|&bytes| gpu.raw_buffer("shared", bytes, usage)).collect::<Vec<_>>()
        })
        .await?;
    let mut regions = vec![];
    for (value, planned) in commands.values.iter().zip(&plan.regions) {
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

fn make_steps(gpu: &Gpu, commands: &Commands, values: &[Option<Region>], pipelines: &[Arc<Pipeline>]) -> Vec<Step> {
    let mut bytes = vec![];
    let mut blocks = vec![];
    for command in commands.list() {
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        blocks.push(bytes.len() as u64);
        bytes.extend(&command.dispatch.params.bytes);
    }
    bytes.resize(bytes.len().next_multiple_of(16).max(16), 0);
    let uniforms = gpu.uniforms(&bytes);
    gpu.count(commands.list().len());

    let make = |((command, pipeline), &block): ((&super::commands::Command, &Arc<Pipeline>), &u64)| {
        let dispatch = &command.dispatch;
        let resource = |binding: &super::Binding| {
            let (buffer, offset, size) = match binding.kind {
                BindingKind::Uniform(_) => (&uniforms, block, dispatch.params.bytes.len() as u64),
                _ => {
                    let (_, value) = dispatch.bindings.iter().find(|(name, _)| *name == binding.name)?;
                    let region = values[value.0].as_ref()?;
                    (&region.buffer, region.offset, padded(region.elements))
                }
            };
            Some(wgpu::BindGroupEntry {
                binding: binding.slot,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset,
                    size: std::num::NonZeroU64::new(size),
                }),
            })
        };
        let entries: Vec<_> = pipeline.interface.bindings.iter().filter_map(resource).collect();
        Step {
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
            grid: gpu.caps().fold(dispatch.workgroups).unwrap_or_default(),
        }
    };
    commands.list().iter().zip(pipelines).zip(&blocks).map(make).collect()
}
