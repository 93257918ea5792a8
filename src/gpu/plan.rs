//! The memory plan: a buffer and an offset for each planned value.
//!
//! A value is alive from the first dispatch that uses it to the last. Two values may share bytes if their lifetimes are
//! disjoint. In WebGPU, one dispatch uses a buffer either read-only or writable, as a whole. The inputs and the outputs
//! of a dispatch must therefore be in different buffers, so the plan needs several buffers.

use super::kernel::{BindingKind, Interface};
use super::{Commands, Place};
use std::cmp::Reverse;
use std::fmt;

/// Buffer and offset of a planned value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placement {
    pub buffer: usize,
    /// Offset in bytes.
    pub offset: u64,
}

/// The plan and its memory.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Placement of each value; `None` if the value is not planned.
    pub placements: Vec<Option<Placement>>,
    /// Size of each shared buffer, in bytes.
    pub buffers: Vec<u64>,
    pub report: MemoryReport,
}

/// Memory of a program's intermediate values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryReport {
    /// Total size of the shared buffers, in bytes.
    pub planned: u64,
    /// Lower bound of any plan, in bytes: the maximum over the dispatches of the memory that is alive.
    pub lower_bound: u64,
    /// Memory without sharing, in bytes.
    pub unshared: u64,
}

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |bytes: u64| match bytes < 1 << 20 {
            true => format!("{:.1} KiB", bytes as f64 / 1024.0),
            false => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        };
        write!(
            f,
            "{} planned, {} lower bound (ratio {:.3}), {} unshared",
            size(self.planned),
            size(self.lower_bound),
            self.planned as f64 / self.lower_bound.max(1) as f64,
            size(self.unshared)
        )
    }
}

/// Required alignment of the offsets of storage bindings, in bytes.
const ALIGNMENT: u64 = 256;

/// A planned value with its lifetime.
struct Item {
    value: usize,
    bytes: u64,
    /// Index of the first dispatch that uses the value.
    first: usize,
    /// Index of the last dispatch that uses the value.
    last: usize,
    /// Values that must be in another buffer: some dispatch reads them and writes this value, or the reverse.
    apart: Vec<usize>,
}

impl Item {
    /// Number of dispatches during which the value is alive.
    fn span(&self) -> u64 {
        (self.last - self.first + 1) as u64
    }
}

/// The sort key of an order of items.
type Order = fn(&Item) -> [Reverse<u64>; 2];

/// Sort keys of the orders of first fit. The items are in order of their first dispatches, and sorting is stable.
const ORDERS: [Order; 6] = [
    |i| [Reverse(i.bytes), Reverse(0)],
    |i| [Reverse(i.bytes), Reverse(i.span())],
    |i| [Reverse(i.bytes), Reverse(i.last as u64)],
    |i| [Reverse(i.bytes * i.span()), Reverse(i.bytes)],
    |i| [Reverse(i.span()), Reverse(i.bytes)],
    |_| [Reverse(0), Reverse(0)],
];

/// Plans the memory of `commands` in buffers of at most `max_buffer` bytes. `interfaces` are those of the dispatches'
/// kernels.
pub(super) fn plan(commands: &Commands, interfaces: &[&Interface], max_buffer: u64) -> Plan {
    let items = lifetimes(commands, interfaces);
    let lower_bound = peak(&items, commands.list().len());
    let unshared = items.iter().map(|i| i.bytes).sum();

    // The result of first fit depends on the order of the items. Several orders are tried, and the best plan is kept.
    let plans = ORDERS.map(|key| {
        let mut order: Vec<&Item> = items.iter().collect();
        order.sort_by_key(|item| key(item));
        place(&order, commands.values.len(), max_buffer)
    });
    let total = |buffers: &[u64]| buffers.iter().sum::<u64>();
    let best = plans.into_iter().min_by_key(|(_, buffers)| total(buffers));
    let (placements, buffers) = best.expect("one of several orders is the best");
    let report = MemoryReport { planned: total(&buffers), lower_bound, unshared };
    Plan { placements, buffers, report }
}

/// The planned values, in order of first use.
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

/// Maximum over the dispatches of the bytes that are alive.
fn peak(items: &[Item], dispatches: usize) -> u64 {
    let alive = |at: usize| items.iter().filter(|i| i.first <= at && at <= i.last).map(|i| i.bytes).sum();
    (0..dispatches).map(alive).max().unwrap_or(0)
}

/// Places the items in this `order`, each where the buffers grow least. Returns the placements and the buffer sizes.
fn place(order: &[&Item], values: usize, max_buffer: u64) -> (Vec<Option<Placement>>, Vec<u64>) {
    let mut placements: Vec<Option<Placement>> = vec![None; values];
    let mut buffers: Vec<u64> = vec![];
    for (done, item) in order.iter().enumerate() {
        let forbidden = |b: usize| item.apart.iter().any(|&v| placements[v].is_some_and(|r| r.buffer == b));
        let fit = |b: usize| {
            let mut taken: Vec<(u64, u64)> = order[..done]
                .iter()
                .filter(|other| other.first <= item.last && item.first <= other.last)
                .filter_map(|other| placements[other.value].filter(|r| r.buffer == b).map(|r| (r.offset, other.bytes)))
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
        placements[item.value] = Some(Placement { buffer, offset });
    }
    (placements, buffers)
}

#[cfg(test)]
mod tests {
    use super::super::{Binding, Command, Cost, Dispatch, Kernel, Params, ValueId};
    use super::*;
    use proptest::prelude::*;

    /// The interface of a dispatch that reads the first `reads` of `x` and `x1`, and writes `y`.
    fn interface(reads: usize) -> Interface {
        let binding = |name: &str, kind| Binding { name: name.into(), slot: 0, kind };
        let mut bindings: Vec<_> = ["x", "x1"][..reads].iter().map(|n| binding(n, BindingKind::Read)).collect();
        bindings.push(binding("y", BindingKind::Write));
        Interface { bindings, workgroup_size: [1; 3], workgroup_bytes: 0, loops: false, subgroups: false }
    }

    /// One dispatch per step, which reads the results of earlier steps and writes a value of some elements.
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
            let dispatch = Dispatch {
                kernel,
                bindings,
                params: Params::default(),
                workgroups: 1,
                turns: 0,
                cost: Cost::default(),
            };
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
                let at = plan.placements[a.value].unwrap();
                prop_assert!(at.offset.is_multiple_of(ALIGNMENT) && at.offset + a.bytes <= plan.buffers[at.buffer]);
                for b in &items[i + 1..] {
                    let other = plan.placements[b.value].unwrap();
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
