//! Kernels: WGSL text with an entry point. The text is the source of truth for the bindings, which naga reads from it.

use super::unroll::unrolled;
use super::{Caps, GpuError};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Statement, StorageAccess, TypeInner};

/// A specialisation constant of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Specialisation {
    /// `const NAME: u32 = …;`
    U32(&'static str, u32),
    /// `const NAME: bool = …;`
    Bool(&'static str, bool),
}

/// A WGSL file embedded in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wgsl {
    /// Path of the file below `shaders/`.
    pub path: &'static str,
    /// Text of the file.
    pub text: &'static str,
}

/// Embeds `shaders/<path>` as a [`Wgsl`](crate::gpu::Wgsl).
#[macro_export]
macro_rules! shader {
    ($path:literal) => {
        $crate::gpu::Wgsl { path: $path, text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $path)) }
    };
}

/// A specialised entry point: its constants, followed by WGSL files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// The WGSL files, including shared ones, in any order. Messages name the last one.
    pub sources: Vec<Wgsl>,
    /// Name of the entry point.
    pub entry: &'static str,
    /// The specialisation constants.
    pub constants: Vec<Specialisation>,
    /// Whether the kernel is compiled with runtime checks; see `Commands::push_unchecked`.
    pub(super) checked: bool,
}

impl Kernel {
    /// The entry point `entry` of `sources`.
    pub fn new(sources: &[Wgsl], entry: &'static str, constants: &[Specialisation]) -> Self {
        Self { sources: sources.to_vec(), entry, constants: constants.to_vec(), checked: true }
    }

    /// The complete WGSL text: the constants and all files, whose loops are written out where `// unroll` asks for it.
    pub fn wgsl(&self) -> String {
        let constant = |c: &Specialisation| match c {
            Specialisation::U32(name, value) => format!("const {name}: u32 = {value}u;\n"),
            Specialisation::Bool(name, value) => format!("const {name}: bool = {value};\n"),
        };
        let source = |source: &Wgsl| format!("\n// shaders/{}\n{}\n", source.path, source.text);
        let text: String = self.constants.iter().map(constant).chain(self.sources.iter().map(source)).collect();
        unrolled(&text, &|name| self.constant(name).or_else(|| literal(&text, name)))
    }

    /// The value of the constant `name`, if it is a number.
    pub(super) fn constant(&self, name: &str) -> Option<u32> {
        self.constants.iter().find_map(|constant| match constant {
            Specialisation::U32(found, value) if *found == name => Some(*value),
            _ => None,
        })
    }

    /// File, entry point and constants, for messages and profiles.
    pub fn describe(&self) -> String {
        let constant = |c: &Specialisation| match c {
            Specialisation::U32(name, value) => format!("{name}={value}"),
            Specialisation::Bool(name, value) => format!("{name}={value}"),
        };
        let constants: Vec<_> = self.constants.iter().map(constant).collect();
        let file = self.sources.last().map_or("no source", |s| s.path);
        format!("{file}:{}[{}]", self.entry, constants.join(" "))
    }

    /// Parses and validates the WGSL and returns the interface of the entry point. Needs no device.
    ///
    /// # Errors
    /// Invalid WGSL, no such entry point, a binding outside group 0, or a global that is neither buffer nor workgroup
    /// memory.
    pub fn reflect(&self) -> Result<Interface, GpuError> {
        let invalid = |reason: String| GpuError::Validation { what: format!("shader {}", self.describe()), reason };
        let text = self.wgsl();
        let module = naga::front::wgsl::parse_str(&text).map_err(|e| invalid(e.emit_to_string(&text)))?;
        let info = Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP)
            .validate(&module)
            .map_err(|e| invalid(e.emit_to_string(&text)))?;
        let entry = module.entry_points.iter().position(|e| e.name == self.entry);
        let entry = entry.ok_or_else(|| invalid(format!("there is no entry point `{}`", self.entry)))?;
        let uses = info.get_entry_point(entry);

        let mut bindings = vec![];
        let mut workgroup_bytes = 0;
        for (handle, global) in module.global_variables.iter().filter(|(h, _)| !uses[*h].is_empty()) {
            let kind = match global.space {
                AddressSpace::WorkGroup => {
                    workgroup_bytes += module.types[global.ty].inner.size(module.to_ctx());
                    continue;
                }
                AddressSpace::Uniform => BindingKind::Uniform(members(&module, global.ty)),
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => BindingKind::Write,
                AddressSpace::Storage { .. } => BindingKind::Read,
                _ => return Err(invalid(format!("global {handle:?} is neither a buffer nor workgroup memory"))),
            };
            let name = global.name.clone().expect("a variable of WGSL has a name");
            let slot = global.binding.as_ref().filter(|b| b.group == 0);
            let slot = slot.ok_or_else(|| invalid(format!("`{name}` must be bound in group 0")))?.binding;
            bindings.push(Binding { name, slot, kind });
        }
        bindings.sort_by_key(|b| b.slot);
        let entry = &module.entry_points[entry];
        let loops = has_loop(&module, &entry.function.body);
        let subgroups = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).is_err();
        Ok(Interface { bindings, workgroup_size: entry.workgroup_size, workgroup_bytes, loops, subgroups })
    }
}

/// The value of `const NAME = 8u;` in WGSL.
fn literal(text: &str, name: &str) -> Option<u32> {
    text.split_once(&format!("const {name} = "))?.1.split_once("u;")?.0.parse().ok()
}

fn has_loop(module: &naga::Module, block: &naga::Block) -> bool {
    block.iter().any(|statement| match statement {
        Statement::Loop { .. } => true,
        Statement::Block(block) => has_loop(module, block),
        Statement::If { accept, reject, .. } => [accept, reject].into_iter().any(|block| has_loop(module, block)),
        Statement::Switch { cases, .. } => cases.iter().any(|case| has_loop(module, &case.body)),
        Statement::Call { function, .. } => has_loop(module, &module.functions[*function].body),
        _ => false,
    })
}

fn members(module: &naga::Module, ty: naga::Handle<naga::Type>) -> Vec<Field> {
    let TypeInner::Struct { members, .. } = &module.types[ty].inner else {
        return vec![];
    };
    let field = |m: &naga::StructMember| Field {
        name: m.name.clone().expect("a member of a WGSL struct has a name").into(),
        offset: m.offset,
        bytes: module.types[m.ty].inner.size(module.to_ctx()),
    };
    members.iter().map(field).collect()
}

/// Interface of an entry point, from its WGSL.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// The bindings that the entry point uses, in order of their slots.
    pub bindings: Vec<Binding>,
    /// Number of invocations per workgroup along each axis.
    pub workgroup_size: [u32; 3],
    /// Size of the workgroup memory, in bytes.
    pub workgroup_bytes: u32,
    /// Whether the entry point or a function that it calls has a loop.
    pub loops: bool,
    /// Whether any entry point of the file uses subgroup operations.
    pub subgroups: bool,
}

impl Interface {
    /// Whether the interface is within WebGPU's default limits: 8 storage buffers, 16 KiB of workgroup memory, and 256
    /// invocations per workgroup.
    pub fn within_default_limits(&self) -> bool {
        let limits = wgpu::Limits::default();
        let storage = self.bindings.iter().filter(|b| !matches!(b.kind, BindingKind::Uniform(_))).count();
        storage as u32 <= limits.max_storage_buffers_per_shader_stage
            && self.workgroup_bytes <= limits.max_compute_workgroup_storage_size
            && self.workgroup_size.iter().product::<u32>() <= limits.max_compute_invocations_per_workgroup
    }
}

/// One binding of group 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Name of the WGSL variable.
    pub name: String,
    /// Slot in `@binding(…)`.
    pub slot: u32,
    /// Kind of the binding.
    pub kind: BindingKind,
}

/// Kind of a binding.
#[derive(Clone, Debug, PartialEq)]
pub enum BindingKind {
    /// Read-only storage buffer: `var<storage, read>`.
    Read,
    /// Writable storage buffer: `var<storage, read_write>`.
    Write,
    /// Uniform block: `var<uniform>`, a struct with these members.
    Uniform(Vec<Field>),
}

/// A member of a uniform block, in Rust or in WGSL.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name of the member.
    pub name: std::borrow::Cow<'static, str>,
    /// Offset from the start of the block, in bytes.
    pub offset: u32,
    /// Size of the member, in bytes.
    pub bytes: u32,
}

/// Contents of a uniform block, with the layout of the Rust struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    /// The contents.
    pub bytes: Vec<u8>,
    /// The members, for comparison with the WGSL struct.
    pub fields: Vec<Field>,
}

/// Declares a `#[repr(C)]` uniform block of 4-byte scalars that converts into [`Params`](crate::gpu::Params).
#[macro_export]
macro_rules! params {
    ($(#[$doc:meta])* struct $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        struct $name { $($field: $ty),* }

        impl From<$name> for $crate::gpu::Params {
            fn from(params: $name) -> Self {
                Self {
                    bytes: bytemuck::bytes_of(&params).to_vec(),
                    fields: vec![$($crate::gpu::Field {
                        name: stringify!($field).into(),
                        offset: std::mem::offset_of!($name, $field) as u32,
                        bytes: size_of::<$ty>() as u32,
                    }),*],
                }
            }
        }
    };
}

/// One dispatch of a kernel over values of a [`Commands`](super::Commands) list.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: Kernel,
    /// The values bound to the storage buffers, with the names of their WGSL variables.
    pub bindings: Vec<(&'static str, super::ValueId)>,
    /// The uniform block; empty if the kernel has none.
    pub params: Params,
    /// Number of workgroups.
    pub workgroups: u64,
    /// Upper bound of the loop turns of an invocation, all its loops together; 0 for a kernel without loops.
    pub turns: u64,
    /// Minimum arithmetic and memory traffic of the operation.
    pub cost: Cost,
}

/// Minimum cost of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Number of floating-point operations. A multiply-add counts as two.
    pub flops: u64,
    /// Number of bytes read and written.
    pub bytes: u64,
}

impl Dispatch {
    /// The specialisation constant by which a kernel states the subgroup size that it needs.
    pub const LANES: &'static str = "SUBGROUP";

    /// Most loop turns of an invocation. Mesa's software adapters end all loops of an invocation after 65,535 turns,
    /// without an error. GPUs are reset when an invocation runs for seconds.
    pub const MAX_TURNS: u64 = 65_535;

    /// Checks the dispatch against the kernel's `interface`.
    ///
    /// # Errors
    /// A storage buffer without a value; a value without a storage buffer; a uniform that is no struct, or with other names,
    /// offsets or sizes; loops without a bound of their turns, or with more than [`Self::MAX_TURNS`]; more workgroups than a grid on
    /// an adapter with `caps` can have.
    pub fn check(&self, interface: &Interface, caps: &Caps) -> Result<(), GpuError> {
        let invalid = |reason: String| {
            Err(GpuError::Validation { what: format!("dispatch of {}", self.kernel.describe()), reason })
        };
        let mut bound = 0;
        for binding in &interface.bindings {
            match &binding.kind {
                BindingKind::Uniform(fields) if fields.is_empty() => {
                    return invalid(format!("the uniform `{}` is no struct", binding.name));
                }
                BindingKind::Uniform(fields) if *fields == self.params.fields => {}
                BindingKind::Uniform(fields) => {
                    return invalid(format!(
                        "the WGSL struct is {fields:?}, the Rust block is {:?}",
                        self.params.fields
                    ));
                }
                _ if self.bindings.iter().any(|(name, _)| *name == binding.name) => bound += 1,
                _ => return invalid(format!("nothing is bound to `{}`", binding.name)),
            }
        }
        if bound != self.bindings.len() {
            return invalid(format!("{} buffers are bound, the shader uses {bound}", self.bindings.len()));
        }
        if let Some(lanes) = self.kernel.constant(Self::LANES).filter(|lanes| caps.subgroup != Some(*lanes)) {
            return invalid(format!(
                "the kernel is for subgroups of {lanes} lanes, and {caps} has {:?}",
                caps.subgroup
            ));
        }
        if interface.loops && self.turns == 0 {
            return invalid("the kernel has loops, and the dispatch states no bound of their turns".into());
        }
        if self.turns > Self::MAX_TURNS {
            let (turns, most) = (self.turns, Self::MAX_TURNS);
            return invalid(format!("the loops of an invocation may take {turns} turns, and the limit is {most}"));
        }
        if caps.fold(self.workgroups).is_none() {
            return Err(GpuError::TooManyWorkgroups {
                what: self.kernel.describe(),
                workgroups: self.workgroups,
                limit: u64::from(caps.max_workgroups).pow(2),
            });
        }
        Ok(())
    }
}
