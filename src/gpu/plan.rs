//! The memory plan: which values share which memory.
//!
//! A value is alive from the first dispatch that touches it to the last; two values may share bytes unless they are
//! alive together. WebGPU adds a rule: within one dispatch a buffer is either read-only or writable as a whole, so
//! what a dispatch reads must lie in another buffer than what it writes. The plan therefore places every value in one
//! of a few buffers at an offset.

use super::kernel::{BindingKind, Interface};
use super::{Commands, Place};
use std::fmt;

/// Where a planned value lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Region {
    pub buffer: usize,
    pub offset: u64,
}

/// The plan and what it costs.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// A region for each planned value.
    pub regions: Vec<Option<Region>>,
    /// Bytes of each shared buffer.
    pub buffers: Vec<u64>,
    pub report: MemoryReport,
}

/// What a program's intermediate values cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryReport {
    /// Bytes of the shared buffers.
    pub planned: u64,
    /// The least possible: the most bytes that are alive at any moment.
    pub lower_bound: u64,
    /// What it would take if nothing were shared.
    pub unshared: u64,
}

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{:.1} MiB planned, {:.1} MiB at the least ({:.3}), {:.1} MiB unshared",
            mib(self.planned),
            mib(self.lower_bound),
            self.planned as f64 / self.lower_bound.max(1) as f64,
            mib(self.unshared)
        )
    }
}

/// Offsets of storage bindings are multiples of this.
const ALIGNMENT: u64 = 256;

struct Item {
    value: usize,
    bytes: u64,
    first: usize,
    last: usize,
    /// Values that some dispatch reads while it writes this one, or the other way round.
    apart: Vec<usize>,
}

/// Plans `commands`, whose kernels have `interfaces`. Values in `kept` stay alive to the end.
pub(super) fn plan(commands: &Commands, interfaces: &[&Interface], max_buffer: u64) -> Plan {
    let items = lifetimes(commands, interfaces);
    let lower_bound = peak(&items, commands.list().len());
    let unshared = items.iter().map(|i| i.bytes).sum();

    // First fit depends on the order; several are cheap to try, and the best is kept.
    let area = |i: &Item| i.bytes * (i.last - i.first + 1) as u64;
    let mut by_size: Vec<&Item> = items.iter().collect();
    by_size.sort_by_key(|i| (std::cmp::Reverse(i.bytes), i.first));
    let mut by_area = by_size.clone();
    by_area.sort_by_key(|i| std::cmp::Reverse(area(i)));
    let mut by_span = by_size.clone();
    by_span.sort_by_key(|i| std::cmp::Reverse((i.last - i.first, i.bytes)));
    let by_time: Vec<&Item> = items.iter().collect();
    let plans = [by_size, by_area, by_span, by_time].map(|order| place(&order, commands.values.len(), max_buffer));
    let total = |buffers: &[u64]| buffers.iter().sum::<u64>();
    let best = plans.into_iter().min_by_key(|(_, buffers)| total(buffers));
    let (regions, buffers) = best.unwrap_or_default();
    let report = MemoryReport { planned: total(&buffers), lower_bound, unshared };
    Plan { regions, buffers, report }
}

fn lifetimes(commands: &Commands, interfaces: &[&Interface]) -> Vec<Item> {
    let mut items: Vec<Option<Item>> = commands.values.iter().map(|_| None).collect();
    for (at, (command, interface)) in commands.list().iter().zip(interfaces).enumerate() {
        let planned = command.dispatch.bindings.iter().filter(|(_, v)| commands.get(*v).place == Place::Planned);
        let (mut reads, mut writes) = (vec![], vec![]);
        for (name, value) in planned {
            let writable = interface.bindings.iter().any(|b| b.name == *name && b.kind == BindingKind::Write);
            if writable { &mut writes } else { &mut reads }.push(value.0);
        }
        for &value in reads.iter().chain(&writes) {
            let item = items[value].get_or_insert_with(|| Item {
                value,
                bytes: (4 * commands.values[value].elements as u64).next_multiple_of(ALIGNMENT),
                first: at,
                last: at,
                apart: vec![],
            });
            item.last = at;
            item.apart.extend(if writes.contains(&value) { &reads } else { &writes });
        }
    }
    let mut items: Vec<Item> = items.into_iter().flatten().collect();
    items.sort_by_key(|i| i.first);
    items
}

fn peak(items: &[Item], dispatches: usize) -> u64 {
    let alive = |at: usize| items.iter().filter(|i| i.first <= at && at <= i.last).map(|i| i.bytes).sum();
    (0..dispatches).map(alive).max().unwrap_or(0)
}

/// Gives each item, in this order, the place that makes the buffers grow least.
fn place(order: &[&Item], values: usize, max_buffer: u64) -> (Vec<Option<Region>>, Vec<u64>) {
    let mut regions: Vec<Option<Region>> = vec![None; values];
    let mut buffers: Vec<u64> = vec![];
    for (done, item) in order.iter().enumerate() {
        let forbidden = |b: usize| item.apart.iter().any(|&v| regions[v].is_some_and(|r| r.buffer == b));
        let fit = |b: usize| {
            let mut taken: Vec<(u64, u64)> = order[..done]
                .iter()
                .filter(|other| other.first <= item.last && item.first <= other.last)
                .filter_map(|other| regions[other.value].filter(|r| r.buffer == b).map(|r| (r.offset, other.bytes)))
                .collect();
            taken.sort_unstable();
            let mut offset = 0;
            for (start, bytes) in taken {
                if offset + item.bytes <= start {
                    break;
                }
                offset = offset.max(start + bytes);
            }
            offset
        };
        let candidates = (0..buffers.len()).filter(|&b| !forbidden(b)).map(|b| (b, fit(b)));
        let growth = |&(b, offset): &(usize, u64)| (offset + item.bytes).saturating_sub(buffers[b]);
        let best = candidates
            .filter(|(_, offset)| offset + item.bytes <= max_buffer)
            .min_by_key(|c| (growth(c), c.1))
            .unwrap_or((buffers.len(), 0));
        let (buffer, offset) = best;
        if buffer == buffers.len() {
            buffers.push(0);
        }
        buffers[buffer] = buffers[buffer].max(offset + item.bytes);
        regions[item.value] = Some(Region { buffer, offset });
    }
    (regions, buffers)
}

#[cfg(test)]
mod tests {
    use super::super::{Binding, Command, Cost, Dispatch, Kernel, Params, ValueId};
    use super::*;
    use proptest::prelude::*;

    /// Dispatches that read `x` (and `x1`) and write `y`.
    fn interface(reads: usize) -> Interface {
        let binding = |name: &str, kind| Binding { name: name.into(), slot: 0, kind };
        let mut bindings: Vec<_> = ["x", "x1"][..reads].iter().map(|n| binding(n, BindingKind::Read)).collect();
        bindings.push(binding("y", BindingKind::Write));
        Interface { bindings, workgroup_size: [1; 3], workgroup_bytes: 0 }
    }

    fn commands(steps: &[(Vec<usize>, usize)]) -> (Commands, Vec<Interface>) {
        let mut commands = Commands::default();
        let mut values: Vec<ValueId> = vec![];
        let mut interfaces = vec![];
        for (reads, elements) in steps {
            let y = commands.value("y", *elements, Place::Planned);
            let mut reads: Vec<_> = reads.iter().filter_map(|&i| values.get(i).copied()).collect();
            reads.dedup();
            let bindings = ["x", "x1"].into_iter().zip(reads.iter().copied()).chain([("y", y)]).collect();
            let kernel = Kernel::new(&[], "none", &[]);
            let dispatch =
                Dispatch { kernel, bindings, params: Params::default(), workgroups: 1, cost: Cost::default() };
            let line = interfaces.len();
            commands.push(Command { line, op: "none", shape: String::new(), what: String::new(), dispatch });
            interfaces.push(interface(reads.len().min(2)));
            values.push(y);
        }
        (commands, interfaces)
    }

    proptest! {
        #[test]
        fn values_alive_together_do_not_overlap(
            steps in prop::collection::vec((prop::collection::vec(0usize..30, 0..2), 1usize..5000), 1..30)
        ) {
            let (commands, interfaces) = commands(&steps);
            let interfaces: Vec<_> = interfaces.iter().collect();
            let plan = plan(&commands, &interfaces, 1 << 30);
            let items = lifetimes(&commands, &interfaces);
            for (i, a) in items.iter().enumerate() {
                let at = plan.regions[a.value].unwrap();
                prop_assert!(at.offset.is_multiple_of(ALIGNMENT) && at.offset + a.bytes <= plan.buffers[at.buffer]);
                for b in &items[i + 1..] {
                    let other = plan.regions[b.value].unwrap();
                    let together = a.first <= b.last && b.first <= a.last;
                    let overlap = at.buffer == other.buffer
                        && at.offset < other.offset + b.bytes
                        && other.offset < at.offset + a.bytes;
                    prop_assert!(!(together && overlap), "{:?} and {:?}", a.value, b.value);
                    prop_assert!(!a.apart.contains(&b.value) || at.buffer != other.buffer);
                }
            }
            prop_assert!(plan.report.lower_bound <= plan.report.planned);
            prop_assert!(plan.report.planned <= plan.report.unshared);
        }
    }

    #[test]
    fn a_chain_needs_memory_for_two() {
        let chain: Vec<_> = (0..20).map(|i: usize| (vec![i.wrapping_sub(1)], 64)).collect();
        let (commands, interfaces) = commands(&chain);
        let report = plan(&commands, &interfaces.iter().collect::<Vec<_>>(), 1 << 30).report;
        assert_eq!(report, MemoryReport { planned: 512, lower_bound: 512, unshared: 20 * 256 });
    }
}
