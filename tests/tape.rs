//! The tape: what it records, what it refuses, and what the reverse walk leaves out.

use ign::gpu::Store;
use ign::native::{open, wait};
use ign::ops::{Norm, add, batch_norm, batch_statistics, compile, conv2d, mse, mul, scale, sub, sum, tanh};
use ign::tape::{Tape, TapeError, Var};

fn value(tape: &Tape, feeds: &[(Var<'_>, &[f64])], of: Var<'_>) -> Vec<f64> {
    tape.interpret(feeds).unwrap().get(of).to_vec()
}

#[test]
fn several_uses_of_a_value_add_up() {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    // y = x³ + x² + x
    let square = mul(x, x).unwrap();
    let y = add(add(mul(square, x).unwrap(), square).unwrap(), x).unwrap();
    let dy = tape.gradient(y, &[x]).unwrap()[0];
    assert_eq!(value(&tape, &[(x, &[2.0])], dy), [3.0 * 4.0 + 2.0 * 2.0 + 1.0]);
}

#[test]
fn the_walk_stops_at_what_was_asked_for() {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = mul(x, x).unwrap();
    let z = mul(y, x).unwrap();
    let [dx, dy] = tape.gradient(z, &[x, y]).unwrap()[..] else { panic!() };
    let feeds: [(Var<'_>, &[f64]); 1] = [(x, &[3.0])];
    // y is held constant, so ∂z/∂x = y and not 3x².
    assert_eq!((value(&tape, &feeds, dx), value(&tape, &feeds, dy)), (vec![9.0], vec![3.0]));
}

#[test]
fn the_walks_compose() {
    // A gradient taken in two walks, through an intermediate and its cotangent, is the gradient.
    let tape = Tape::new();
    let x = tape.input("x", [4]);
    let y = tanh(x).unwrap();
    let loss = sum(mul(y, y).unwrap()).unwrap();
    let whole = tape.gradient(loss, &[x]).unwrap()[0];
    let outer = tape.gradient(loss, &[y]).unwrap()[0];
    let both = tape.vjp(y, outer, &[x]).unwrap()[0];
    let feeds: [(Var<'_>, &[f64]); 1] = [(x, &[0.1, -0.5, 2.0, 0.0])];
    assert_eq!(value(&tape, &feeds, whole), value(&tape, &feeds, both));
}

#[test]
fn only_what_was_asked_for_is_recorded() {
    let record = |with_input: bool| {
        let tape = Tape::new();
        let x = tape.input("x", [2, 3, 8, 8]);
        let w = tape.state("w", [4, 3, 3, 3]).unwrap();
        let loss = sum(tanh(conv2d(x, w, None, 1, 1).unwrap()).unwrap()).unwrap();
        let wrt: Vec<_> = [w].into_iter().chain(with_input.then_some(x)).collect();
        tape.gradient(loss, &wrt).unwrap();
        let names: Vec<_> = tape.nodes().iter().filter(|n| n.backward).map(|n| n.name().to_string()).collect();
        names
    };
    let (one, both) = (record(false), record(true));
    assert!(both.len() == one.len() + 1, "{one:?} {both:?}");
    let transposed = |names: &[String]| names.contains(&"transposed_convolution".to_string());
    assert!(!transposed(&one) && transposed(&both), "{one:?} {both:?}");
}

#[test]
fn no_influence_is_an_error_that_names_both() {
    let tape = Tape::new();
    let (x, other) = (tape.input("x", [3]), tape.input("other", [3]));
    let loss = sum(x).unwrap();
    let error = tape.gradient(loss, &[x, other]).unwrap_err();
    assert!(matches!(error, TapeError::NoInfluence { .. }));
    let text = error.to_string();
    assert!(text.contains("%1 = other [3]") && text.contains("sum"), "{text}");
    // Neither does what comes later, nor what lies behind a variable that was asked for.
    let late = scale(2.0, x).unwrap();
    assert!(matches!(tape.gradient(loss, &[late]), Err(TapeError::NoInfluence { .. })));
    let y = scale(3.0, other).unwrap();
    let loss = sum(y).unwrap();
    assert!(matches!(tape.gradient(loss, &[y, other]), Err(TapeError::NoInfluence { .. })));
}

#[test]
fn errors_speak_of_operations_and_shapes() {
    let tape = Tape::new();
    let x = tape.input("x", [64, 16, 14, 14]);
    let w = tape.state("w", [32, 8, 4, 4]).unwrap();
    let text = conv2d(x, w, None, 2, 1).unwrap_err().to_string();
    for part in ["convolution of", "[64, 16, 14, 14]", "[32, 8, 4, 4]", "16 channels", "expects 8"] {
        assert!(text.contains(part), "{text}");
    }
    let text = sub(x, w).unwrap_err().to_string();
    assert!(text.contains("[64, 16, 14, 14]") && text.contains("[32, 8, 4, 4]"), "{text}");
    assert!(tape.gradient(x, &[x]).unwrap_err().to_string().contains("vjp"));
    assert!(tape.vjp(x, w, &[x]).is_err());
    let text = tape.state("w", [1]).unwrap_err().to_string();
    assert!(text.contains("`w`") && text.contains("[32, 8, 4, 4]"), "{text}");
    let text = tape.interpret(&[]).unwrap_err().to_string();
    assert!(text.contains("`x`") && text.contains("200704"), "{text}");
    let foreign = Tape::new();
    let y = foreign.input("y", [1]);
    assert!(tape.record(ign::tape::Sum, &[x, y]).unwrap_err().to_string().contains("another tape"));
}

#[test]
fn the_drawing_keeps_forward_and_backward_apart() {
    let tape = Tape::new();
    let (x, target) = (tape.input("x", [2, 3]), tape.input("a \"target\"", [2, 3]));
    let loss = mse(tanh(x).unwrap(), target).unwrap();
    tape.gradient(loss, &[x]).unwrap();
    let dot = tape.to_dot();
    let (forward, rest) = dot.split_once("cluster_backward").unwrap();
    let backward = rest.split_once("->").unwrap().0;
    assert!(forward.contains("tanh") && forward.contains("a \\\"target\\\"") && !forward.contains("gradient"));
    assert!(backward.contains("gradient"), "{backward}");
    let arrows = tape.nodes().iter().map(|n| n.inputs.len()).sum::<usize>();
    assert_eq!(dot.matches("->").count(), arrows);
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
}

#[test]
fn a_compiled_tape_makes_no_objects_while_it_runs_and_updates_its_state() {
    let gpu = open(None).unwrap();
    let tape = Tape::new();
    let x = tape.input("x", [4, 2, 3, 3]);
    let [gamma, beta] = ["gamma", "beta"].map(|name| tape.state(name, [2]).unwrap());
    let y = sum(batch_norm(x, batch_statistics(x).unwrap(), gamma, beta, Norm { epsilon: 1e-5, slope: 1.0 }).unwrap())
        .unwrap();
    let missing = wait(&gpu, compile(&gpu, &Store::new(), &tape, &[("y", y)])).err().unwrap().to_string();
    assert!(missing.contains("`gamma` of 2 elements"), "{missing}");

    let mut store = Store::new();
    wait(&gpu, store.set(&gpu, "gamma", &[1.0, 1.0])).unwrap();
    wait(&gpu, store.set(&gpu, "beta", &[0.5, 0.25, 3.0])).unwrap();
    let wrong = wait(&gpu, compile(&gpu, &store, &tape, &[("y", y)])).err().unwrap().to_string();
    assert!(wrong.contains("`beta` of 2 elements") && wrong.contains('3'), "{wrong}");

    let mut store = Store::new();
    wait(&gpu, store.set(&gpu, "gamma", &[1.0, 1.0])).unwrap();
    wait(&gpu, store.set(&gpu, "beta", &[0.5, 0.25])).unwrap();
    let program = wait(&gpu, compile(&gpu, &store, &tape, &[("y", y)])).unwrap();
    let wrong = program.write("x", &[0.0; 3]).unwrap_err().to_string();
    assert!(wrong.contains("72 elements expected, 3 given"), "{wrong}");
    assert!(wait(&gpu, program.read(&["z"])).unwrap_err().to_string().contains("z"));
    let x: Vec<f32> = (0..72).map(|i| (i as f32).sin()).collect();
    program.write("x", &x).unwrap();
    let once = || {
        program.run().unwrap();
        wait(&gpu, program.read(&["y"])).unwrap()[0][0]
    };
    assert!((once() - 36.0 * 0.75).abs() < 1e-3);
    let before = gpu.objects_made();
    (0..10).for_each(|_| _ = once());
    assert_eq!(gpu.objects_made(), before);
}

#[test]
fn what_is_too_large_for_the_adapter_is_refused_by_name() {
    let gpu = open(None).unwrap();
    let tape = Tape::new();
    let x = tape.input("x", [1 << 13, 1 << 13]);
    let y = tanh(x).unwrap();
    let loss = sum(y).unwrap();
    let error = wait(&gpu, compile(&gpu, &Store::new(), &tape, &[("loss", loss)])).err().unwrap().to_string();
    for part in ["tanh", "[8192, 8192]", "268435456", "134217728", "maxStorageBufferBindingSize"] {
        assert!(error.contains(part), "{error}");
    }
}
