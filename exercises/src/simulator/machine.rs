//! The simulated adapter: memory, workgroups and what is counted.

use super::kernel::{Flaw, Kernel};
use super::layout::{path, words};
use super::memory::{Access, Kind, Memory, Trace};
use naga::{AddressSpace, BuiltIn, Span, StorageAccess};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most loop turns of a workgroup's loops together.
const MAX_TURNS: u64 = ign::gpu::Dispatch::MAX_TURNS;
/// Bytes of a line of memory in [`Counts::lines`].
const LINE: usize = 64;
/// Number of invocations whose accesses are gathered in [`Counts::lines`].
const GATHERED: usize = 32;

/// What to run.
pub struct Launch<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// The entry point.
    pub entry: &'a str,
    /// Number of workgroups.
    pub groups: u32,
    /// Number of invocations of a subgroup.
    pub subgroup: u32,
    /// Whether workgroup memory is zero at first, as WGSL says. Else reading what nothing has written is a flaw: the engine's
    /// kernels are compiled without runtime checks.
    pub cleared: bool,
}

/// What a kernel did, summed over its invocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Workgroups.
    pub groups: u64,
    /// Invocations.
    pub invocations: u64,
    /// Executed loads from storage buffers. A vector counts once.
    pub loads: u64,
    /// Executed stores to storage buffers. A vector counts once.
    pub stores: u64,
    /// Executed loads from workgroup memory.
    pub workgroup_loads: u64,
    /// Executed barriers, once for each workgroup.
    pub barriers: u64,
    /// Executed subgroup operations.
    pub shuffles: u64,
    /// Lines of 64 bytes that the loads and stores of storage buffers touch, where 32 neighbouring invocations access memory
    /// together.
    pub lines: u64,
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            groups: self.groups + more.groups,
            invocations: self.invocations + more.invocations,
            loads: self.loads + more.loads,
            stores: self.stores + more.stores,
            workgroup_loads: self.workgroup_loads + more.workgroup_loads,
            barriers: self.barriers + more.barriers,
            shuffles: self.shuffles + more.shuffles,
            lines: self.lines + more.lines,
        }
    }
}

/// Who wrote a word of a buffer last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Workgroup.
    pub group: u32,
    /// Index of the invocation in its workgroup.
    pub invocation: u32,
    /// Line of the store.
    pub line: u32,
}

/// Who wrote each word last of each buffer that a kernel may write, by the names of the buffers.
pub type Writers = BTreeMap<String, Vec<Option<Writer>>>;

/// Runs an entry point over `buffers`, storage and uniform buffers by the names of their variables, in words. Returns what it
/// did, and who wrote each word of each buffer that the kernel may write.
///
/// # Errors
/// The first flaw.
pub fn launch(launch: &Launch<'_>, buffers: &mut BTreeMap<String, Vec<u32>>) -> Result<(Counts, Writers), Flaw> {
    let mut machine = Machine::new(launch, buffers)?;
    let done = (0..launch.groups).try_for_each(|group| machine.run_group(group));
    let mut writers = BTreeMap::new();
    for memory in machine.memories {
        if matches!(memory.kind, Kind::Storage | Kind::Uniform) {
            let writer = |trace: &Trace| {
                trace.written.map(|access| Writer {
                    group: access.group,
                    invocation: access.lane,
                    line: launch.kernel.line(access.span),
                })
            };
            writers.insert(memory.name.clone(), memory.traces.iter().map(writer).collect());
            buffers.insert(memory.name, memory.words);
        }
    }
    done.map(|()| (machine.counts, writers))
}

pub(super) struct Machine<'a> {
    pub kernel: &'a Kernel,
    entry: usize,
    /// Number of invocations of a workgroup.
    pub lanes: usize,
    size: [u32; 3],
    group: u32,
    groups: u32,
    pub subgroup: u32,
    cleared: bool,
    /// The variables of the module by their index, then those of the functions that are running.
    pub memories: Vec<Memory>,
    /// Number of barriers that the workgroup has passed, for workgroup memory and for storage.
    pub epochs: [u32; 2],
    pub counts: Counts,
    turns: u64,
    /// The loops that are running, outer ones first, with their turns so far.
    pub loops: Vec<(Span, u64)>,
}

impl<'a> Machine<'a> {
    fn new(launch: &Launch<'a>, buffers: &mut BTreeMap<String, Vec<u32>>) -> Result<Self, Flaw> {
        let kernel = launch.kernel;
        let module = &kernel.module;
        let entry = module.entry_points.iter().position(|entry| entry.name == launch.entry);
        let entry = entry.ok_or_else(|| Flaw::anywhere(format!("there is no entry point `{}`", launch.entry)))?;
        let size = module.entry_points[entry].workgroup_size;
        let lanes = size.iter().product::<u32>() as usize;
        let uses = kernel.info.get_entry_point(entry);
        let mut memories = vec![];
        for (handle, global) in module.global_variables.iter() {
            if uses[handle].is_empty() {
                // Its place, so that variables have the indices of the module.
                let kind = Kind::Workgroup;
                memories.push(Memory { name: String::new(), ty: global.ty, kind, words: vec![], traces: vec![] });
                continue;
            }
            let span = module.global_variables.get_span(handle);
            let name = global.name.clone().unwrap_or_default();
            let size = words(module, &module.types[global.ty].inner);
            let (kind, traced) = match global.space {
                AddressSpace::WorkGroup => (Kind::Workgroup, true),
                AddressSpace::Uniform => (Kind::Uniform, false),
                AddressSpace::Storage { access } => (Kind::Storage, access.contains(StorageAccess::STORE)),
                _ => {
                    let message =
                        format!("`{name}` is neither a buffer nor workgroup memory; declare it in a function");
                    return Err(kernel.flaw(span, message));
                }
            };
            let words = match kind {
                Kind::Storage | Kind::Uniform => buffers.remove(&name).ok_or_else(|| {
                    let known = buffers.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                    kernel.flaw(span, format!("nothing is bound to `{name}`; the puzzle has {known}"))
                })?,
                _ => vec![0; size],
            };
            let traces = vec![Trace::default(); if traced { words.len() } else { 0 }];
            memories.push(Memory { name, ty: global.ty, kind, words, traces });
        }
        let counts = Counts::default();
        let Launch { groups, subgroup, cleared, .. } = *launch;
        Ok(Self {
            kernel,
            entry,
            lanes,
            size,
            group: 0,
            groups,
            subgroup,
            cleared,
            memories,
            epochs: [0; 2],
            counts,
            turns: 0,
            loops: vec![],
        })
    }

    fn run_group(&mut self, group: u32) -> Result<(), Flaw> {
        (self.group, self.epochs, self.turns) = (group, [0; 2], 0);
        self.counts.groups += 1;
        self.counts.invocations += self.lanes as u64;
        let module = &self.kernel.module;
        for memory in self.memories.iter_mut().filter(|memory| memory.kind == Kind::Workgroup) {
            memory.words.fill(0);
            memory.traces.fill(Trace::default());
        }
        let entry = &module.entry_points[self.entry];
        let arguments = entry.function.arguments.iter().map(|argument| {
            let builtin = |binding: &Option<naga::Binding>| match binding {
                Some(naga::Binding::BuiltIn(builtin)) => self.builtin(*builtin),
                _ => None,
            };
            let value = match &module.types[argument.ty].inner {
                naga::TypeInner::Struct { members, .. } => {
                    members.iter().map(|member| builtin(&member.binding)).collect::<Option<Vec<_>>>().map(joined)
                }
                _ => builtin(&argument.binding),
            };
            let missing = || {
                let name = argument.name.as_deref().unwrap_or_default();
                self.kernel.flaw(Span::UNDEFINED, format!("the checker does not know the built-in value `{name}`"))
            };
            value.map(Rc::new).ok_or_else(missing)
        });
        let arguments = arguments.collect::<Result<_, _>>()?;
        let everyone = (0..self.lanes as u32).collect();
        let info = self.kernel.info.get_entry_point(self.entry);
        self.call(&entry.function, info, arguments, everyone)?;
        Ok(())
    }

    fn builtin(&self, builtin: BuiltIn) -> Option<Column> {
        let local = |lane: u32| {
            let [x, y, _] = self.size;
            [lane % x, lane / x % y, lane / x / y]
        };
        let value = |lane: u32| -> Option<Vec<u32>> {
            Some(match builtin {
                BuiltIn::LocalInvocationIndex => vec![lane],
                BuiltIn::LocalInvocationId => local(lane).to_vec(),
                BuiltIn::GlobalInvocationId => {
                    let [x, y, z] = local(lane);
                    vec![self.group * self.size[0] + x, y, z]
                }
                BuiltIn::WorkGroupId => vec![self.group, 0, 0],
                BuiltIn::NumWorkGroups => vec![self.groups, 1, 1],
                BuiltIn::SubgroupSize => vec![self.subgroup],
                BuiltIn::SubgroupInvocationId => vec![lane % self.subgroup],
                BuiltIn::SubgroupId => vec![lane / self.subgroup],
                BuiltIn::NumSubgroups => vec![(self.lanes as u32).div_ceil(self.subgroup)],
                _ => return None,
            })
        };
        let values: Vec<_> = (0..self.lanes as u32).map(value).collect::<Option<_>>()?;
        let size = values.first().map_or(1, Vec::len);
        Some(Column::Words { size, data: values.concat() })
    }

    /// Reads or writes words of a variable, which the caller has checked to be inside it.
    pub fn access(&mut self, at: (usize, usize), count: usize, lane: u32, write: bool, span: Span) -> Result<(), Flaw> {
        let (memory, offset) = at;
        let storage = usize::from(self.memories[memory].kind == Kind::Storage);
        let by = Access { group: self.group, lane, epoch: self.epochs[storage], span };
        let Some(traces) = self.memories[memory].traces.get_mut(offset..offset + count) else { return Ok(()) };
        let unwritten = traces.iter().position(|trace| trace.written.is_none());
        if let Some(word) = unwritten.filter(|_| !write && !self.cleared && storage == 0) {
            let message =
                format!("invocation {lane} reads {}, which nothing has written", self.name_of(memory, offset + word));
            return Err(self.kernel.flaw(span, message));
        }
        let conflict = traces.iter_mut().enumerate().find_map(|(word, trace)| {
            let found = if write { trace.write(by) } else { trace.read(by).map(|access| (access, true)) };
            found.map(|(other, wrote)| (word, other, wrote))
        });
        let Some((word, other, wrote)) = conflict else { return Ok(()) };
        let name = self.name_of(memory, offset + word);
        let verb = if write { "writes" } else { "reads" };
        let earlier = if wrote { "writes" } else { "reads" };
        let line = self.kernel.line(other.span);
        let message = if other.group == self.group {
            format!(
                "invocation {lane} {verb} {name}, which invocation {} {earlier} in line {line}, with no barrier in between",
                other.lane
            )
        } else {
            format!(
                "invocation {lane} of workgroup {} {verb} {name}, which invocation {} of workgroup {} {earlier} in line \
                 {line}; nothing orders workgroups",
                self.group, other.lane, other.group
            )
        };
        Err(self.kernel.flaw(span, message))
    }

    /// A word of a variable, as WGSL writes the element that it belongs to.
    fn name_of(&self, memory: usize, word: usize) -> String {
        let module = &self.kernel.module;
        let variable = &self.memories[memory];
        format!("{}{}", variable.name, path(module, &module.types[variable.ty].inner, word))
    }

    /// Counts an access of `lanes` at these words of `memory`, each of `size` words.
    pub fn count(&mut self, memory: usize, offsets: &[u32], lanes: &[u32], size: usize, write: bool) {
        match self.memories[memory].kind {
            Kind::Workgroup if !write => self.counts.workgroup_loads += lanes.len() as u64,
            Kind::Storage => {
                let count = if write { &mut self.counts.stores } else { &mut self.counts.loads };
                *count += lanes.len() as u64;
                for gathered in lanes.chunk_by(|a, b| *a as usize / GATHERED == *b as usize / GATHERED) {
                    let lines: BTreeSet<_> = gathered
                        .iter()
                        .flat_map(|&lane| [0, size - 1].map(|word| 4 * (offsets[lane as usize] as usize + word) / LINE))
                        .collect();
                    self.counts.lines += lines.len() as u64;
                }
            }
            _ => {}
        }
    }

    /// Takes a turn of the innermost loop.
    pub fn turn(&mut self, lanes: &[u32]) -> Result<(), Flaw> {
        self.turns += 1;
        if let Some((_, turns)) = self.loops.last_mut() {
            *turns += 1;
        }
        if self.turns <= MAX_TURNS {
            return Ok(());
        }
        // A loop within an endless one takes more turns, but begins anew each time.
        let endless = self.loops.iter().max_by_key(|(_, turns)| *turns).map_or(Span::UNDEFINED, |(span, _)| *span);
        let message = format!(
            "a loop does not end: after {MAX_TURNS} turns of all loops, invocation {} is still in it",
            lanes[0]
        );
        Err(self.kernel.flaw(endless, message))
    }

    /// "invocation 3 of workgroup 1"
    pub fn who(&self, lane: u32) -> String {
        format!("invocation {lane} of workgroup {}", self.group)
    }
}

/// The values of an expression in all invocations of a workgroup.
#[derive(Clone, Debug)]
pub(super) enum Column {
    /// `size` words for each invocation.
    Words { size: usize, data: Vec<u32> },
    /// Places in a variable, in words.
    Pointer { memory: usize, offsets: Vec<u32>, outside: Vec<Outside> },
}

/// An invocation's index that no element has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside {
    pub lane: u32,
    pub index: i64,
    pub length: usize,
}

/// The values of all columns one after the other.
pub(super) fn joined(columns: Vec<Column>) -> Column {
    let mut parts = vec![];
    for column in &columns {
        if let Column::Words { size, data } = column {
            parts.push((*size, data));
        }
    }
    let size = parts.iter().map(|(size, _)| size).sum();
    let lanes = parts.first().map_or(0, |(size, data)| data.len() / size);
    let data = (0..lanes).flat_map(|lane| parts.iter().flat_map(move |(n, data)| &data[lane * n..(lane + 1) * n]));
    Column::Words { size, data: data.copied().collect() }
}
