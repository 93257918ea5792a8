//! A kernel: WGSL text and the entry point in it. The text is the source of truth for the bindings, which are read
//! off it with naga.

use super::{Caps, GpuError};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess, TypeInner};
use std::fmt::Write;

/// A constant that a kernel is specialised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// `const NAME: u32 = …;`
    U32(&'static str, u32),
    /// `const NAME: bool = …;`
    Bool(&'static str, bool),
}

/// A WGSL file that was compiled into the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its path below `shaders/`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Embeds `shaders/<path>`.
#[macro_export]
macro_rules! shader {
    ($path:literal) => {
        $crate::gpu::Source { path: $path, text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $path)) }
    };
}

/// One specialised entry point: pieces of WGSL put together behind their constants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// The pieces, shared ones included, in any order.
    pub sources: Vec<Source>,
    /// The entry point.
    pub entry: &'static str,
    /// What it is specialised for.
    pub constants: Vec<Constant>,
}

impl Kernel {
    /// The entry point `entry` of `sources`.
    pub fn new(sources: &[Source], entry: &'static str, constants: &[Constant]) -> Self {
        Self { sources: sources.to_vec(), entry, constants: constants.to_vec() }
    }

    /// The complete WGSL.
    pub fn wgsl(&self) -> String {
        let mut text = String::new();
        for constant in &self.constants {
            match constant {
                Constant::U32(name, value) => writeln!(text, "const {name}: u32 = {value}u;"),
                Constant::Bool(name, value) => writeln!(text, "const {name}: bool = {value};"),
            }
            .ok();
        }
        for source in &self.sources {
            writeln!(text, "\n// shaders/{}\n{}", source.path, source.text).ok();
        }
        text
    }

    /// File and entry point with constants, for messages and profiles.
    pub fn describe(&self) -> String {
        let constant = |c: &Constant| match c {
            Constant::U32(name, value) => format!("{name}={value}"),
            Constant::Bool(name, value) => format!("{name}={value}"),
        };
        let constants: Vec<_> = self.constants.iter().map(constant).collect();
        let file = self.sources.last().map_or("", |s| s.path);
        format!("{file}:{}[{}]", self.entry, constants.join(" "))
    }

    /// Parses and validates the WGSL and reads off what the entry point binds. Needs no device.
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
                _ => return Err(invalid(format!("global {handle:?} is neither buffer nor workgroup memory"))),
            };
            let name = global.name.clone().unwrap_or_default();
            let slot = global.binding.as_ref().filter(|b| b.group == 0);
            let slot = slot.ok_or_else(|| invalid(format!("`{name}` must be bound in group 0")))?.binding;
            bindings.push(Binding { name, slot, kind });
        }
        bindings.sort_by_key(|b| b.slot);
        Ok(Interface { bindings, workgroup_size: module.entry_points[entry].workgroup_size, workgroup_bytes })
    }
}

fn members(module: &naga::Module, ty: naga::Handle<naga::Type>) -> Vec<Field> {
    let TypeInner::Struct { members, .. } = &module.types[ty].inner else {
        return vec![];
    };
    let field = |m: &naga::StructMember| Field {
        name: m.name.clone().unwrap_or_default().into(),
        offset: m.offset,
        bytes: module.types[m.ty].inner.size(module.to_ctx()),
    };
    members.iter().map(field).collect()
}

/// What an entry point binds, as its WGSL says.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// Its bindings in order of their slots.
    pub bindings: Vec<Binding>,
    /// Invocations of a workgroup on each axis.
    pub workgroup_size: [u32; 3],
    /// Workgroup memory, bytes.
    pub workgroup_bytes: u32,
}

impl Interface {
    /// Whether WebGPU's default limits allow it: 8 storage buffers, 16 KiB of workgroup memory, 256 invocations.
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
    /// The WGSL variable.
    pub name: String,
    /// `@binding(…)`
    pub slot: u32,
    /// How the entry point uses it.
    pub kind: BindingKind,
}

/// How an entry point uses a binding.
#[derive(Clone, Debug, PartialEq)]
pub enum BindingKind {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    Write,
    /// `var<uniform>`, a struct of these members.
    Uniform(Vec<Field>),
}

/// A member of a parameter block, on either side.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: std::borrow::Cow<'static, str>,
    /// Bytes from the start of the block.
    pub offset: u32,
    /// Its size in bytes.
    pub bytes: u32,
}

/// A parameter block ready for a uniform buffer, with the layout that Rust gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Names and offsets, to be checked against the WGSL struct.
    pub fields: Vec<Field>,
}

/// Declares a `#[repr(C)]` parameter block of 4-byte scalars that turns into [`Params`].
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
    /// What runs.
    pub kernel: Kernel,
    /// A value for each storage variable, by its WGSL name.
    pub bindings: Vec<(&'static str, super::ValueId)>,
    /// The uniform block; empty where the kernel has none.
    pub params: Params,
    /// How many workgroups.
    pub workgroups: u64,
    /// The arithmetic and the traffic that the operation cannot do without.
    pub cost: Cost,
}

/// What an operation costs at least.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating point operations, a multiply-add counting two.
    pub flops: u64,
    /// Bytes read and written.
    pub bytes: u64,
}

impl Dispatch {
    /// Compares the dispatch with the kernel's WGSL: every binding named, none too many, the parameter block equal in
    /// names, offsets and sizes, the grid within what `caps` can fold.
    pub fn check(&self, interface: &Interface, caps: &Caps) -> Result<(), GpuError> {
        let invalid = |reason: String| {
            Err(GpuError::Validation { what: format!("dispatch of {}", self.kernel.describe()), reason })
        };
        let mut bound = 0;
        for binding in &interface.bindings {
            match &binding.kind {
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
