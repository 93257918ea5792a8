//! Every shader, in every variant, without a device: valid WGSL, within WebGPU's default limits, and dispatched as its
//! bindings and its parameter block say.

use ign::gpu::Caps;
use ign::ign::{Clamp, Distance, Network, Objective, PREFIXES};
use ign::nn::{Adam, Average};
use ign::tape::{Shape, Tape, TapeError, Var};
use ign::{ops, roof};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Adapters that get different kernels.
fn adapters() -> [Caps; 6] {
    let gpu = |subgroup| Caps { subgroup, ..Caps::minimal() };
    let plain = Caps { subgroup: None, ..Caps::software(8) };
    [Caps::minimal(), gpu(Some(32)), gpu(Some(64)), Caps::software(8), Caps::software(16), plain]
}

/// Training steps of both networks, as small and as published, with every clamp and both distances.
fn training() -> Vec<(String, Tape)> {
    let mut tapes = vec![];
    for (network, width, batch) in [(Network::Mnist, 4, 2), (Network::Mnist, 64, 256), (Network::Faces, 64, 64)] {
        for (distance, clamp) in
            [(Distance::Mse, Clamp::None), (Distance::L1, Clamp::Noise(1.5)), (Distance::Mse, Clamp::Data(1.1))]
        {
            let tape = Tape::new();
            let layers = network.layers(width);
            let step =
                Objective { distance, clamp, dropout: 0.0 }.record(&tape, &layers, batch, network.image()).unwrap();
            let adam = Adam { learning_rate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
            adam.record(&tape, &step.parameters, &step.total).unwrap();
            Average::record(&tape, &layers, &PREFIXES).unwrap();
            tapes.push((format!("{network:?} {width} {batch} {distance:?} {clamp:?}"), tape));
        }
    }
    tapes
}

/// A classifier's step, and what else no training step of the networks uses.
fn others() -> Result<Tape, TapeError> {
    let tape = Tape::new();
    let x = tape.input("x", [6, 3, 5, 7]);
    let flat = ops::reshape(ops::mul(ops::relu(x)?, ops::sigmoid(x)?)?, [6, 105])?;
    let weight = tape.state("weight", [10, 105])?;
    let logits = ops::linear(flat, weight, Some(tape.state("bias", [10])?))?;
    let labels = tape.input("labels", [6, 10]);
    let loss = ops::softmax_cross_entropy(logits, labels)?;
    let parts = ops::concat(&[ops::slice(flat, 0, 2)?, ops::slice(flat, 3, 3)?])?;
    let gram = ops::exp(ops::matmul(parts, ops::reshape(weight, [105, 10])?)?)?;
    let ratio = ops::div(gram, ops::scale(2.0, gram)?)?;
    let spread = ops::mean_per_sample(ops::sub(ratio, gram)?)?;
    let far = [ops::l1(x, ops::tanh(x)?)?, ops::mse(x, ops::tanh(x)?)?, ops::mean(ops::sum_channels(x)?)?];
    let spread = ops::dropout(spread, tape.input("step", [1]), 0.5, 0)?;
    let total = [loss, ops::sum(spread)?].into_iter().chain(far).try_fold(loss, ops::add)?;
    tape.gradient(total, &[x, weight])?;
    Ok(tape)
}

fn lowered(tape: &Tape, caps: &Caps) -> ign::gpu::Commands {
    let lines: Vec<Var<'_>> = tape.all(|_| true);
    let names: Vec<String> = lines.iter().map(|v| v.line().to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(lines).collect();
    ops::lower(tape, caps, &outputs).unwrap().commands
}

/// File and entry point of every compute shader below `shaders/`.
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

#[test]
fn every_kernel_is_valid_and_fits_its_dispatches_within_webgpus_limits() {
    let mut tapes = training();
    tapes.push(("others".into(), others().unwrap()));
    let mut used = BTreeSet::new();
    for caps in adapters() {
        let mut lists: Vec<_> = tapes.iter().map(|(name, tape)| (name.clone(), lowered(tape, &caps))).collect();
        lists.extend(roof::commands(&caps).map(|commands| ("roof".into(), commands)));
        for (name, commands) in lists {
            commands.check(&caps).unwrap_or_else(|e| panic!("{name} on {caps:?}: {e}"));
            for kernel in commands.kernels() {
                let interface = kernel.reflect().unwrap();
                assert!(interface.within_default_limits(), "{} has {interface:?}", kernel.describe());
                let file = kernel.sources.iter().find(|s| s.text.contains(&format!("fn {}(", kernel.entry)));
                used.insert((file.unwrap().path.to_string(), kernel.entry.to_string()));
            }
        }
    }
    let unused: Vec<_> = entry_points().difference(&used).cloned().collect();
    assert!(unused.is_empty(), "no operation leads to {unused:?}");
}

#[test]
fn invalid_wgsl_is_refused_with_its_kernel_and_its_line() {
    // Without the pieces that it stands on.
    let kernel = ign::gpu::Kernel::new(&[ign::shader!("adam.wgsl")], "adam", &[]);
    let error = kernel.reflect().unwrap_err().to_string();
    assert!(error.contains("adam.wgsl:adam") && error.contains("wgsl:18"), "{error}");
}

#[test]
fn a_dispatch_that_does_not_fit_its_kernel_is_refused() {
    use ign::gpu::{Constant, Cost, Dispatch, Kernel, Params};
    let shape: Shape = [8].into();
    let tape = Tape::new();
    let x = tape.input("x", shape);
    ops::relu(x).unwrap();
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
    let huge = Dispatch { workgroups: u64::MAX, cost: Cost::default(), ..good.clone() };
    assert!(refused(huge).contains("workgroups"));
    let unknown = Kernel::new(&good.kernel.sources, "nowhere", &[Constant::U32("WORKGROUP", 64)]);
    assert!(unknown.reflect().unwrap_err().to_string().contains("no entry point `nowhere`"));
}
