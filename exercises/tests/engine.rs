//! The engine's own kernels in the simulator: none of them accesses anything outside its array, reads workgroup memory that
//! nothing has written, or races, in any variant; and each computes what the f64 reference says.

use exercises::simulator::{Kernel, Launch, launch};
use ign::compile::{Lowered, lower};
use ign::gpu::{BindingKind, Caps, Command, ValueId};
use ign::ops::{self, Case, Norm};
use ign::tape::{Source, Tape, Var};
use std::collections::{BTreeMap, BTreeSet};

/// Adapters with different variants of the kernels.
fn adapters() -> [Caps; 5] {
    let gpu = |subgroup| Caps { subgroup, ..Caps::minimal() };
    let plain = Caps { subgroup: None, ..Caps::software(8) };
    [Caps::minimal(), gpu(Some(32)), Caps::software(8), Caps::software(16), plain]
}

/// The memory of all values, in words. It ends with a whole vector, as on the adapter.
type Memory = BTreeMap<ValueId, Vec<u32>>;

fn bits(data: &[f64]) -> Vec<u32> {
    let mut words: Vec<_> = data.iter().map(|&x| (x as f32).to_bits()).collect();
    words.resize(words.len().next_multiple_of(4), 0);
    words
}

/// What the simulator has seen.
#[derive(Default)]
struct Seen {
    kernels: BTreeSet<String>,
    /// Those with barriers, and those of them that race without.
    barriers: BTreeSet<String>,
    races: BTreeSet<String>,
}

/// Runs a dispatch.
fn run(command: &Command, caps: &Caps, memory: &mut Memory, seen: &mut Seen) {
    let dispatch = &command.dispatch;
    let what = format!("{} on {caps}", dispatch.kernel.describe());
    let wgsl = dispatch.kernel.wgsl();
    let parse = |wgsl: &str| Kernel::parse(wgsl).unwrap_or_else(|flaw| panic!("{what}: {flaw:?}"));
    seen.kernels.insert(dispatch.kernel.describe());
    let mut buffers: BTreeMap<String, Vec<u32>> =
        dispatch.bindings.iter().map(|(name, value)| (name.to_string(), memory[value].clone())).collect();
    let params = dispatch.params.bytes.chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
    let interface = dispatch.kernel.reflect().unwrap();
    for binding in &interface.bindings {
        if let BindingKind::Uniform(_) = binding.kind {
            buffers.insert(binding.name.clone(), Vec::clone(&params));
        }
    }
    let (entry, groups) = (dispatch.kernel.entry, dispatch.workgroups as u32);
    let start = |kernel: &Kernel, buffers: &mut BTreeMap<String, Vec<u32>>| {
        launch(&Launch { kernel, entry, groups, subgroup: caps.subgroup.unwrap_or(1), cleared: false }, buffers)
    };
    if interface.workgroup_bytes > 0 {
        seen.barriers.insert(dispatch.kernel.describe());
        if start(&parse(&wgsl.replace("workgroupBarrier();", "")), &mut buffers.clone()).is_err() {
            seen.races.insert(dispatch.kernel.describe());
        }
    }
    let (_, writers) =
        start(&parse(&wgsl), &mut buffers).unwrap_or_else(|flaw| panic!("{what}: {}\n{}", flaw.message, flaw.excerpt));
    for (name, value) in &dispatch.bindings {
        if !writers[*name].is_empty() {
            memory.insert(*value, buffers[*name].clone());
        }
    }
}

/// Runs a tape whose inputs and states are numbers of a `domain`, and compares all lines with the reference.
fn check(what: &str, tape: &Tape, caps: &Caps, domain: fn(&str, f64) -> f64, seen: &mut Seen) {
    let lines = tape.all(|_| true);
    let names: Vec<_> = lines.iter().map(|line| line.line().to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(lines.iter().copied()).collect();
    let Lowered { commands, lines: places, .. } = lower(tape, caps, &outputs).unwrap();

    let fed = tape.all(|node| matches!(node.source, Source::Input(_) | Source::State(_)));
    let number = |i: usize| f64::from(((i * 7919 + 13) % 2003) as f32 / 1001.5 - 1.0);
    let feeds: Vec<(Var<'_>, Vec<f64>)> = fed
        .into_iter()
        .map(|var| {
            let data = (0..var.shape().elements()).map(|i| domain(&var.name(), number(i + 31 * var.line())) as f32);
            (var, data.map(f64::from).collect())
        })
        .collect();
    let slices: Vec<_> = feeds.iter().map(|(var, data)| (*var, data.as_slice())).collect();
    let expected = tape.interpret(&slices).unwrap();

    let mut memory = Memory::new();
    for command in commands.list() {
        for (_, value) in &command.dispatch.bindings {
            let elements = commands.get(*value).elements;
            memory.entry(*value).or_insert_with(|| bits(&vec![f64::NAN; elements]));
        }
    }
    for (line, node) in lines.iter().zip(tape.nodes().iter()) {
        let (Some(place), data) = (places[line.line()], feeds.iter().find(|(var, _)| var.line() == line.line())) else {
            continue;
        };
        match (&node.source, data) {
            (Source::Constant(value), _) => {
                _ = memory.insert(place, bits(&vec![f64::from(*value); node.shape.elements()]))
            }
            (_, Some((_, data))) => _ = memory.insert(place, bits(data)),
            _ => {}
        }
    }
    commands.list().iter().for_each(|command| run(command, caps, &mut memory, seen));

    for (line, node) in lines.iter().zip(tape.nodes().iter()) {
        let Some(found) = places[line.line()].and_then(|place| memory.get(&place)) else { continue };
        if matches!(&node.source, Source::Op(op) if !op.writes().is_empty()) {
            continue;
        }
        let expected = expected.get(*line);
        let scale = expected.iter().fold(1.0f64, |most, x| most.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let found = f64::from(f32::from_bits(*found));
            assert!(
                (found - expected).abs() <= 1e-4 * scale,
                "{what} on {caps}: {line:?}[{i}] is {found}, expected {expected}"
            );
        }
    }
}

/// Shapes that are large enough for the kernels that share sums and large tiles between invocations.
fn larger(tape: &Tape) {
    let x = tape.input("x", [2, 3, 24, 23]);
    let weight = tape.input("weight", [5, 3, 3, 3]);
    let [gamma, beta] = ["gamma", "beta"].map(|name| tape.input(name, [5]));
    let y = x.conv2d(weight, None, 1, 1).batch_norm(gamma, beta, Norm { epsilon: 1e-2, slope: 0.2 }).y;
    let loss = y.mse(tape.input("target", y.shape()));
    tape.gradient(loss.mean(), &[x, weight, gamma, beta]).unwrap();
}

/// A product large enough for the largest tiles of GPUs.
fn product(tape: &Tape) {
    tape.input("a", [768, 5]).matmul(tape.input("b", [5, 704]));
}

#[test]
fn no_kernel_of_any_operation_has_a_flaw_and_each_agrees_with_its_reference() {
    let mut seen = Seen::default();
    for caps in adapters() {
        for (module, example) in ops::examples() {
            let tape = Tape::new();
            let Case { y, wrt } = (example.record)(&tape);
            if !wrt.is_empty() {
                tape.vjp(y, tape.input("g", y.shape()), &wrt).unwrap();
            }
            check(&format!("{module}: {}", example.usage), &tape, &caps, example.domain, &mut seen);
        }
        let tape = Tape::new();
        larger(&tape);
        if caps == Caps::minimal() {
            product(&tape);
        }
        check("larger shapes", &tape, &caps, |_, number| number, &mut seen);
    }
    assert!(seen.kernels.len() > 60, "{:?}", seen.kernels);
    // The simulator would find a barrier that is missing in any of them.
    assert!(seen.barriers.len() > 10, "{:?}", seen.barriers);
    assert_eq!(seen.barriers, seen.races);
}
