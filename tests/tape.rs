//! The tape: recording, errors, and the extent of the backward walk.

use ign::compile::blocking_compile;
use ign::gpu::Store;
use ign::native::open;
use ign::nn::Adam;
use ign::ops::{Norm, moving_average};
use ign::tape::{Call, Gradients, Op, Shape, Sum, Tape, TapeError, Tensor, Var};

fn value(tape: &Tape, feeds: &[(Var<'_>, &[f64])], of: Var<'_>) -> Vec<f64> {
    tape.interpret(feeds).unwrap().get(of).to_vec()
}

#[test]
fn several_uses_of_a_value_add_up() {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x * x * x + x * x + x;
    let dy = tape.gradient(y, &[x]).unwrap()[0];
    assert_eq!(value(&tape, &[(x, &[2.0])], dy), [3.0 * 4.0 + 2.0 * 2.0 + 1.0]);
}

#[test]
fn operators_are_those_of_arithmetic() {
    let tape = Tape::new();
    let (a, b) = (tape.input("a", [2]), tape.input("b", [2]));
    let feeds: [(Var<'_>, &[f64]); 2] = [(a, &[3.0, -1.0]), (b, &[2.0, 4.0])];
    let cases = [
        (a + b, [5.0, 3.0]),
        (a - b, [1.0, -5.0]),
        (a * b, [6.0, -4.0]),
        (a / b, [1.5, -0.25]),
        (-a, [-3.0, 1.0]),
        (a + 1.0, [4.0, 0.0]),
        (a - 1.0, [2.0, -2.0]),
        (1.0 - a, [-2.0, 2.0]),
        (2.0 * a, [6.0, -2.0]),
        (a * 2.0, [6.0, -2.0]),
        (a / 2.0, [1.5, -0.5]),
        (6.0 / a, [2.0, -6.0]),
    ];
    for (found, expected) in cases {
        assert_eq!(value(&tape, &feeds, found), expected, "{found:?}");
    }
}

#[test]
fn the_walk_stops_at_what_was_asked_for() {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x * x;
    let z = y * x;
    let [dx, dy] = tape.gradient(z, &[x, y]).unwrap()[..] else { panic!() };
    let feeds: [(Var<'_>, &[f64]); 1] = [(x, &[3.0])];
    // y is constant here, so ∂z/∂x = y and not 3x².
    assert_eq!((value(&tape, &feeds, dx), value(&tape, &feeds, dy)), (vec![9.0], vec![3.0]));
}

#[test]
fn the_walks_compose() {
    // The vector-Jacobian product of y with ∂loss/∂y is the gradient of the loss.
    let tape = Tape::new();
    let x = tape.input("x", [4]);
    let y = x.tanh();
    let loss = (y * y).sum();
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
        let w = tape.state("w", [4, 3, 3, 3]);
        let loss = x.conv2d(w, None, 1, 1).tanh().sum();
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
    let loss = x.sum();
    let error = tape.gradient(loss, &[x, other]).unwrap_err();
    assert!(matches!(error, TapeError::NoInfluence { .. }));
    let text = error.to_string();
    assert!(text.contains("%1 = input other [3]") && text.contains("sum"), "{text}");
    // A later line has no influence, and neither has an input that acts only through another requested variable.
    let late = 2.0 * x;
    assert!(matches!(tape.gradient(loss, &[late]), Err(TapeError::NoInfluence { .. })));
    let y = 3.0 * other;
    let loss = y.sum();
    assert!(matches!(tape.gradient(loss, &[y, other]), Err(TapeError::NoInfluence { .. })));
}

/// The error of a tape after `record`.
fn refused(record: impl for<'t> FnOnce(&'t Tape) -> Var<'t>) -> String {
    let tape = Tape::new();
    record(&tape);
    tape.check().unwrap_err().to_string()
}

#[test]
fn errors_speak_of_operations_and_shapes() {
    let text = refused(|tape| tape.input("x", [64, 16, 14, 14]).conv2d(tape.state("w", [32, 8, 4, 4]), None, 2, 1));
    for part in ["convolution of", "[64, 16, 14, 14]", "[32, 8, 4, 4]", "16 channels", "expects 8"] {
        assert!(text.contains(part), "{text}");
    }
    let text = refused(|tape| tape.input("x", [2, 3]) - tape.input("y", [3, 2]));
    assert!(text.contains("[2, 3]") && text.contains("[3, 2]"), "{text}");
    let text = refused(|tape| {
        tape.state("w", [2]);
        tape.state("w", [1])
    });
    assert!(text.contains("`w`") && text.contains("[2]") && text.contains("[1]"), "{text}");

    let tape = Tape::new();
    let x = tape.input("x", [64, 16]);
    assert!(tape.gradient(x, &[x]).unwrap_err().to_string().contains("vjp"));
    assert!(tape.vjp(x, tape.input("g", [3]), &[x]).unwrap_err().to_string().contains("vjp of [64, 16] and [3]"));
    let text = tape.interpret(&[]).unwrap_err().to_string();
    assert!(text.contains("`x`") && text.contains("1024"), "{text}");
}

#[test]
fn the_first_misfit_is_kept_with_the_line_that_recorded_it() {
    let tape = Tape::new();
    let (a, b) = (tape.input("a", [2, 3]), tape.input("b", [3, 2]));
    let first = line!() + 1;
    let wrong = a + b;
    // Consequences of the misfit and further mistakes are not reported.
    let loss = (wrong * a).conv2d(b, None, 1, 0).batch_norm(a, b, Norm { epsilon: 0.0, slope: 1.0 }).y.mean();
    let _ = a.matmul(a);
    let text = tape.check().unwrap_err().to_string();
    let expected = format!("{}:{first}:", file!());
    assert!(text.starts_with(&expected) && text.contains("add of [2, 3] and [3, 2]"), "{text} should be at {expected}");
    let same = |error: &dyn std::fmt::Display| assert_eq!(error.to_string(), text);
    same(&tape.gradient(loss, &[a]).unwrap_err());
    same(&tape.vjp(a, a, &[a]).unwrap_err());
    same(&tape.interpret(&[]).unwrap_err());
    let gpu = open(None).unwrap();
    same(&blocking_compile(&gpu, &Store::new(), &tape, &[("loss", loss)]).err().unwrap());
}

/// Layers and compound operations report the line of their caller.
#[test]
fn a_misfit_inside_an_operation_is_at_the_line_of_its_caller() {
    use ign::nn::{Layer, Mode, Sequential};
    let network = Sequential::new(vec![Layer::Linear { inputs: 3, outputs: 2 }, Layer::BatchNorm { channels: 2 }]);
    let texts = [
        (line!(), refused(|tape| tape.input("x", [4, 5]).linear(tape.input("w", [2, 3]), None))),
        (line!(), refused(|tape| network.apply(tape.input("x", [4, 5]), Mode::Batch))),
        (line!(), refused(|tape| tape.input("x", [0, 5]).mean())),
    ];
    for (line, text) in texts {
        assert!(text.starts_with(&format!("{}:{line}:", file!())), "line {line}: {text}");
    }
}

#[test]
fn variables_of_another_tape_are_refused() {
    let (tape, foreign) = (Tape::new(), Tape::new());
    let (x, y) = (tape.input("x", [1]), foreign.input("y", [1]));
    let foreign = |error: TapeError| assert_eq!(error, TapeError::Foreign("%0 = input y [1]".into()));
    foreign(tape.gradient(x, &[y]).unwrap_err());
    foreign(tape.vjp(y, y, &[x]).unwrap_err());
    foreign(tape.vjp(x, y, &[x]).unwrap_err());
    foreign(tape.interpret(&[(y, &[1.0])]).err().unwrap());
    let gpu = open(None).unwrap();
    let error = blocking_compile(&gpu, &Store::new(), &tape, &[("y", y)]).err().unwrap().to_string();
    assert!(error.contains("another tape"), "{error}");
    tape.record(Sum, &[x, y]);
    assert!(tape.check().unwrap_err().to_string().contains("another tape"));
}

/// The listing at the head of `src/tape/walk.rs` matches the output of a tape.
#[test]
fn the_listing_in_the_code_is_true() {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x * x;
    assert_eq!(tape.to_string(), "%0 = input x [1]\n%1 = multiply(x, x) [1]\n");
    tape.gradient(y, &[x]).unwrap();
    let listing = tape.to_string();
    assert_eq!(listing.lines().count(), 6);
    let code = include_str!("../src/tape/walk.rs");
    assert!(code.contains(&listing.lines().map(|line| format!("//! {line}\n")).collect::<String>()), "{listing}");
}

#[test]
fn second_derivatives_are_gradients_of_gradients() {
    // f(x) = Σ (w ∗ x)² is quadratic. Its Hessian times v is the gradient of ∇f·v.
    let tape = Tape::new();
    let (x, w, v) = (tape.input("x", [1, 1, 3, 3]), tape.input("w", [2, 1, 2, 2]), tape.input("v", [1, 1, 3, 3]));
    let y = x.conv2d(w, None, 1, 0);
    let dx = tape.gradient((y * y).sum(), &[x]).unwrap()[0];
    let along = tape.gradient((dx * v).sum(), &[x]).unwrap()[0];
    let twice = v.conv2d(w, None, 1, 0);
    let expected = tape.vjp(y, 2.0 * twice, &[x]).unwrap()[0];
    let data = |seed: f64, n: usize| (0..n).map(|i| (seed + 1.7 * i as f64).sin()).collect::<Vec<_>>();
    let (dx, dw, dv) = (data(0.1, 9), data(0.2, 8), data(0.3, 9));
    let values = tape.interpret(&[(x, &dx), (w, &dw), (v, &dv)]).unwrap();
    for (found, expected) in values.get(along).iter().zip(values.get(expected)) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn an_operation_without_a_second_derivative_says_so_by_name() {
    let tape = Tape::new();
    let (x, t) = (tape.input("x", [3, 4]), tape.input("t", [3, 4]));
    let dx = tape.gradient(x.softmax_cross_entropy(t), &[x]).unwrap()[0];
    let error = tape.gradient((dx * dx).sum(), &[x]).unwrap_err().to_string();
    assert!(error.contains("softmax_cross_entropy_gradient has no gradient rule"), "{error}");
}

#[test]
fn the_drawing_keeps_forward_and_backward_apart() {
    let tape = Tape::new();
    let (x, target) = (tape.input("x", [2, 3]), tape.input("a \"target\"", [2, 3]));
    let loss = x.tanh().mse(target);
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
    let [gamma, beta] = ["gamma", "beta"].map(|name| tape.state(name, [2]));
    tape.input("unread", [7]);
    let y = x.batch_norm(gamma, beta, Norm { epsilon: 1e-5, slope: 1.0 }).y.sum();
    let missing = blocking_compile(&gpu, &Store::new(), &tape, &[("y", y)]).err().unwrap().to_string();
    assert!(missing.contains("`gamma` of 2 elements"), "{missing}");

    let mut store = Store::new();
    store.blocking_set(&gpu, "gamma", &[1.0, 1.0]).unwrap();
    store.blocking_set(&gpu, "beta", &[0.5, 0.25, 3.0]).unwrap();
    let wrong = blocking_compile(&gpu, &store, &tape, &[("y", y)]).err().unwrap().to_string();
    assert!(wrong.contains("`beta` of 2 elements") && wrong.contains('3'), "{wrong}");

    let mut store = Store::new();
    store.blocking_set(&gpu, "gamma", &[1.0, 1.0]).unwrap();
    store.blocking_set(&gpu, "beta", &[0.5, 0.25]).unwrap();
    let program = blocking_compile(&gpu, &store, &tape, &[("y", y)]).unwrap();
    let (compiled, wanted) = gpu.compiled();
    assert!(compiled == wanted && wanted > 0, "{compiled} of {wanted}");
    let wrong = program.write("x", &[0.0; 3]).unwrap_err().to_string();
    assert!(wrong.contains("72 elements expected, 3 given"), "{wrong}");
    assert!(program.blocking_read(&["z"]).unwrap_err().to_string().contains("z"));
    let wrong = program.write("z", &[0.0]).unwrap_err().to_string();
    assert!(wrong.contains("no such input") && wrong.contains("`unread`, `x`"), "{wrong}");
    program.write("unread", &[]).unwrap();
    let x: Vec<f32> = (0..72).map(|i| (i as f32).sin()).collect();
    program.write("x", &x).unwrap();
    let once = || {
        program.run().unwrap();
        program.blocking_read(&["y"]).unwrap()[0][0]
    };
    assert!((once() - 36.0 * 0.75).abs() < 1e-3);
    let before = gpu.objects_made();
    (0..10).for_each(|_| _ = once());
    assert_eq!(gpu.objects_made(), before);
}

/// An operation of another crate: it can be recorded and interpreted, but has neither a gradient nor a lowering.
#[derive(Debug)]
struct Cube;

impl Op for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        inputs[0].data.iter().map(|x| x.powi(3)).collect()
    }
}

#[test]
fn an_operation_that_is_not_listed_is_interpreted_and_not_compiled() {
    let tape = Tape::new();
    let x = tape.input("x", [2]);
    let y = tape.record(Cube, &[x]);
    assert_eq!(value(&tape, &[(x, &[2.0, -1.0])], y), [8.0, -1.0]);
    let error = tape.gradient(y.sum(), &[x]).unwrap_err().to_string();
    assert!(error.contains("cube has no gradient rule"), "{error}");
    let error = blocking_compile(&open(None).unwrap(), &Store::new(), &tape, &[("y", y)]).err().unwrap().to_string();
    assert!(error.contains("cube(x) [2]") && error.contains("not listed"), "{error}");
}

/// Operations whose gradient rules give too few gradients, and one of another shape.
#[derive(Clone, Copy, Debug)]
enum Careless {
    NoGradient,
    OtherShape,
}

impl Op for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn shape(&self, _: &[&Shape]) -> Result<Shape, String> {
        Ok([1].into())
    }

    fn vjp<'t>(&self, _: &Call<'t, '_>, g: Var<'t>) -> Option<Gradients<'t>> {
        Some(match self {
            Self::NoGradient => vec![],
            Self::OtherShape => vec![Some(g)],
        })
    }

    fn reference(&self, _: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        vec![0.0]
    }
}

#[test]
fn a_gradient_rule_that_drops_gradients_or_changes_their_shape_is_refused() {
    for op in [Careless::NoGradient, Careless::OtherShape] {
        let tape = Tape::new();
        let x = tape.input("x", [3]);
        let error = tape.gradient(tape.record(op, &[x]), &[x]).unwrap_err();
        assert!(
            matches!(error, TapeError::GradientRule { .. }) && error.to_string().contains("careless(x)"),
            "{error}"
        );
    }
}

#[test]
fn only_inputs_and_states_are_given_values() {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x + 1.0;
    let error = tape.interpret(&[(x, &[1.0]), (y, &[5.0])]).unwrap_err().to_string();
    assert!(error.contains("%2 = add(x, 1) [1]") && error.contains("cannot be given values"), "{error}");
}

#[test]
fn a_renamed_state_is_not_read_after_an_update_of_the_state() {
    let gpu = open(None).unwrap();
    let compiled = |again: bool| {
        let tape = Tape::new();
        let (w, x, rate) = (tape.state("w", [2, 2]), tape.input("x", [2, 2]), tape.input("rate", [1]));
        let renamed = w.reshape([4]);
        moving_average(w, x, rate);
        let renamed = if again { w.reshape([4]) } else { renamed };
        let y = renamed.sum();
        let mut store = Store::new();
        store.blocking_set(&gpu, "w", &[0.0; 4]).unwrap();
        blocking_compile(&gpu, &store, &tape, &[("y", y)]).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(compiled(true), Ok(()));
    let error = compiled(false).unwrap_err();
    assert!(error.contains("reads `%3 = reshape(w) [4]`") && error.contains("reshape the state again"), "{error}");
}

#[test]
fn a_gradient_does_not_lead_through_a_state_that_was_updated_since() {
    let tape = Tape::new();
    let (w, x) = (tape.state("w", [2]), tape.input("x", [2]));
    let loss = (w * x).sum();
    let before = tape.gradient(loss, &[w, x]).unwrap();
    Adam::default().record(&tape, &[w], &before[..1]);
    let error = tape.gradient(loss, &[x]).unwrap_err().to_string();
    assert!(error.contains("multiply(") && error.contains("adam") && error.contains("before the update"), "{error}");
    // What reads the state after its update has a gradient.
    tape.gradient((w * x).sum(), &[x]).unwrap();
}

#[test]
fn every_parameter_needs_its_gradient() {
    let text = refused(|tape| {
        let p = tape.state("p", [2]);
        Adam::default().record(tape, &[p, p], &[p]);
        p
    });
    assert!(text.starts_with(file!()) && text.contains("2 parameters and 1 gradients"), "{text}");
}

#[test]
fn one_name_is_for_one_input_and_one_output() {
    let gpu = open(None).unwrap();
    let tape = Tape::new();
    let y = tape.input("x", [2]) + tape.input("x", [2]);
    let error = blocking_compile(&gpu, &Store::new(), &tape, &[("y", y)]).err().unwrap().to_string();
    assert!(error.contains("two inputs are called `x`"), "{error}");
    let tape = Tape::new();
    let x = tape.input("x", [2]);
    let error = blocking_compile(&gpu, &Store::new(), &tape, &[("y", x), ("y", x)]).err().unwrap().to_string();
    assert!(error.contains("two outputs are called `y`"), "{error}");
}

#[test]
fn what_is_too_large_for_the_adapter_is_refused_by_name() {
    let gpu = open(None).unwrap();
    let tape = Tape::new();
    let x = tape.input("x", [1 << 13, 1 << 13]);
    let loss = x.tanh().sum();
    let error = blocking_compile(&gpu, &Store::new(), &tape, &[("loss", loss)]).err().unwrap().to_string();
    for part in ["input x", "[8192, 8192]", "268435456", "134217728", "maxStorageBufferBindingSize"] {
        assert!(error.contains(part), "{error}");
    }
}
