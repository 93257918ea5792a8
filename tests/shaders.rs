//! All shaders in all variants, without a device: their WGSL is valid and within WebGPU's default limits, and every
//! dispatch matches the bindings and the uniform block.

use ign::compile::lower;
use ign::gpu::Caps;
use ign::method::{Clamp, Distance, Objective, PREFIXES};
use ign::model::Network;
use ign::nn::{Adam, Average};
use ign::ops;
use ign::roof;
use ign::tape::{Shape, Tape, Var};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Adapters with different kernel variants.
fn adapters() -> [Caps; 6] {
    let gpu = |subgroup| Caps { subgroup, ..Caps::minimal() };
    let plain = Caps { subgroup: None, ..Caps::software(8) };
    [Caps::minimal(), gpu(Some(32)), gpu(Some(64)), Caps::software(8), Caps::software(16), plain]
}

/// Training steps of both networks: small and published sizes, all clamps, both distances.
fn training() -> Vec<(String, Tape)> {
    let mut tapes = vec![];
    for (network, width, batch) in [(Network::MNIST, 4, 2), (Network::MNIST, 64, 256), (Network::FACES, 64, 64)] {
        for (distance, clamp) in
            [(Distance::Mse, Clamp::None), (Distance::L1, Clamp::Noise(1.5)), (Distance::Mse, Clamp::Data(1.1))]
        {
            let tape = Tape::new();
            let layers = network.layers(width);
            let step = Objective { distance, clamp, ..Objective::default() }
                .record(&tape, &layers, batch, network.image())
                .unwrap();
            let adam = Adam::default();
            adam.record(&tape, &step.parameters, &step.total);
            Average::record(&tape, &layers, &PREFIXES);
            tapes.push((format!("{network} {width} {batch} {distance:?} {clamp:?}"), tape));
        }
    }
    tapes
}

/// All operations, with their gradients.
fn operations() -> Vec<(String, Tape)> {
    let record = |(module, example): (&str, ops::Example)| {
        let tape = Tape::new();
        let ops::Case { y, wrt } = (example.record)(&tape);
        if !wrt.is_empty() {
            tape.vjp(y, tape.input("g", y.shape()), &wrt).unwrap();
        }
        (format!("{module}: {}", example.usage), tape)
    };
    ops::examples().into_iter().map(record).collect()
}

/// The dispatches of all lines of a tape.
fn lowered(tape: &Tape, caps: &Caps) -> ign::gpu::Commands {
    let lines: Vec<Var<'_>> = tape.all(|_| true);
    let names: Vec<String> = lines.iter().map(|v| v.line().to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(lines).collect();
    lower(tape, caps, &outputs).unwrap().commands
}

/// Files and entry points of all compute shaders below `shaders/`.
fn entry_points() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut found = BTreeSet::new();
    for folder in ["", "shared/"] {
        for entry in fs::read_dir(root.join(folder)).unwrap().map(Result::unwrap) {
            let file = format!("{folder}{}", entry.file_name().to_string_lossy());
            let Ok(text) = fs::read_to_string(entry.path()) else { continue };
            for after in text.split("@compute").skip(1) {
                let name = after.split("fn ").nth(1).unwrap().split('(').next().unwrap();
                found.insert((file.clone(), name.trim().to_string()));
            }
        }
    }
    found
}

/// Whether a shader stores to a component of a vector by a computed index, which FXC, a compiler of DirectX 12, cannot.
fn stores_by_index(wgsl: &str) -> bool {
    let module = naga::front::wgsl::parse_str(wgsl).unwrap();
    let (flags, capabilities) = (naga::valid::ValidationFlags::all(), naga::valid::Capabilities::all());
    let info = naga::valid::Validator::new(flags, capabilities).validate(&module).unwrap();
    let functions = module.functions.iter().map(|(handle, function)| (function, &info[handle]));
    let entries = module.entry_points.iter().enumerate().map(|(i, entry)| (&entry.function, info.get_entry_point(i)));
    functions.chain(entries).any(|(function, info)| {
        let by_index = |pointer: naga::Handle<naga::Expression>| match function.expressions[pointer] {
            naga::Expression::Access { base, .. } => match *info[base].ty.inner_with(&module.types) {
                naga::TypeInner::Pointer { base, .. } => {
                    matches!(module.types[base].inner, naga::TypeInner::Vector { .. })
                }
                naga::TypeInner::ValuePointer { size, .. } => size.is_some(),
                _ => false,
            },
            _ => false,
        };
        stores(&function.body).into_iter().any(by_index)
    })
}

/// The pointers to which a block stores.
fn stores(block: &naga::Block) -> Vec<naga::Handle<naga::Expression>> {
    use naga::Statement;
    let inner = |statement: &Statement| match statement {
        Statement::Store { pointer, .. } => vec![*pointer],
        Statement::Block(block) => stores(block),
        Statement::If { accept, reject, .. } => [stores(accept), stores(reject)].concat(),
        Statement::Switch { cases, .. } => cases.iter().flat_map(|case| stores(&case.body)).collect(),
        Statement::Loop { body, continuing, .. } => [stores(body), stores(continuing)].concat(),
        _ => vec![],
    };
    block.iter().flat_map(inner).collect()
}

#[test]
fn a_store_by_an_index_is_found() {
    let shader = |index: &str| {
        format!(
            "@compute @workgroup_size(1) fn f(@builtin(local_invocation_index) l: u32) {{ var v: vec4<f32>; loop {{ if (l > 2u) {{ v[{index}] += 1.0; }} break; }} }}"
        )
    };
    assert!(stores_by_index(&shader("l")) && !stores_by_index(&shader("2u")));
}

#[test]
fn every_kernel_is_valid_and_fits_its_dispatches_within_webgpus_limits() {
    let mut tapes = training();
    tapes.extend(operations());
    let mut used = BTreeSet::new();
    for caps in adapters() {
        let mut lists: Vec<_> = tapes.iter().map(|(name, tape)| (name.clone(), lowered(tape, &caps))).collect();
        lists.extend(roof::commands(&caps).map(|commands| ("roof".into(), commands)));
        for (name, commands) in lists {
            commands.check(&caps).unwrap_or_else(|e| panic!("{name} on {caps:?}: {e}"));
            for kernel in commands.kernels() {
                let interface = kernel.reflect().unwrap();
                assert!(interface.within_default_limits(), "{} has {interface:?}", kernel.describe());
                assert!(!stores_by_index(&kernel.wgsl()), "{} stores to a component by an index", kernel.describe());
                assert!(!interface.subgroups || caps.subgroup.is_some(), "{} needs subgroups", kernel.describe());
                assert!(
                    !kernel.wgsl().contains("// unroll"),
                    "{} has a loop that is not written out",
                    kernel.describe()
                );
                let file = kernel.sources.iter().find(|s| s.text.contains(&format!("fn {}(", kernel.entry)));
                used.insert((file.unwrap().path.to_string(), kernel.entry.to_string()));
            }
        }
    }
    let unused: Vec<_> = entry_points().difference(&used).cloned().collect();
    assert!(unused.is_empty(), "no operation uses {unused:?}");
}

#[test]
fn invalid_wgsl_is_refused_with_its_kernel_and_its_line() {
    // The kernel lacks its shared files and constants.
    let kernel = ign::gpu::Kernel::new(&[ign::shader!("adam.wgsl")], "adam", &[]);
    let error = kernel.reflect().unwrap_err().to_string();
    assert!(error.contains("adam.wgsl:adam") && error.contains("wgsl:18"), "{error}");
}

#[test]
fn a_dispatch_that_does_not_fit_its_kernel_is_refused() {
    use ign::gpu::{Cost, Dispatch, Kernel, Params, Specialisation};
    let shape: Shape = [8].into();
    let tape = Tape::new();
    let x = tape.input("x", shape);
    x.relu();
    let commands = lowered(&tape, &Caps::minimal());
    let good = &commands.list()[0].dispatch;
    let interface = good.kernel.reflect().unwrap();
    let caps = Caps::minimal();
    good.check(&interface, &caps).unwrap();
    let refused = |bad: Dispatch| bad.check(&interface, &caps).unwrap_err().to_string();
    let none = Dispatch { bindings: vec![], ..good.clone() };
    assert!(refused(none).contains("nothing is bound to"));
    let other = Dispatch { params: Params::default(), ..good.clone() };
    assert!(refused(other).contains("Rust block"));
    let scalar = ign::gpu::Wgsl {
        path: "scalar.wgsl",
        text: "@group(0) @binding(0) var<uniform> scale: f32;
            @group(0) @binding(1) var<storage, read_write> y: array<f32>;
            @compute @workgroup_size(1) fn f() { y[0] = scale; }",
    };
    let kernel = Kernel::new(&[scalar], "f", &[]);
    let interface_of_scalar = kernel.reflect().unwrap();
    let bindings = vec![("y", good.bindings[0].1)];
    let scalar = Dispatch { kernel, bindings, params: Params::default(), ..good.clone() };
    let error = scalar.check(&interface_of_scalar, &caps).unwrap_err().to_string();
    assert!(error.contains("the uniform `scale` is no struct"), "{error}");
    let huge = Dispatch { workgroups: u64::MAX, cost: Cost::default(), ..good.clone() };
    assert!(refused(huge).contains("workgroups"));
    let subgroup = Kernel::new(&good.kernel.sources, good.kernel.entry, &[Specialisation::U32(Dispatch::LANES, 8)]);
    assert!(refused(Dispatch { kernel: subgroup, ..good.clone() }).contains("subgroups of 8 lanes"));
    let unknown = Kernel::new(&good.kernel.sources, "nowhere", &[Specialisation::U32("WORKGROUP", 64)]);
    assert!(unknown.reflect().unwrap_err().to_string().contains("no entry point `nowhere`"));
}
