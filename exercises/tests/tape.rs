//! The tape track: every solution passes, every stub fails for its reason, and typical mistakes are found and named.

use exercises::kernels;
use exercises::tape::{Author, Line, PUZZLES, applications, lines, tensors};
use ign::tape::Var;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Why the stub of each puzzle fails.
const REASONS: [(&str, &[&str]); 9] = [
    ("square", &["15_square.rs: ∂L/∂x is wrong in 1 of 1 elements", "  6.000000", "numbers   x = 3, g = 1"]),
    ("chain", &["`gradients` is wrong in 1 of 1 elements", "gradients[0]        0.000000                1.000000"]),
    ("fan_out", &["`gradients` is wrong in 1 of 2 elements", "lines     0: Input, 1: Multiply(0, 0)"]),
    ("broadcast", &["18_broadcast.rs:18:6: multiply of [1, 3, 1] and [3]: both operands must have one shape"]),
    ("matmul", &["∂L/∂A is wrong in 1 of 1 elements", "shape     A [1, 1], B [1, 1]"]),
    ("cross_entropy", &["∂L/∂x is wrong in 2 of 2 elements", "shape     x [1, 2], t [1, 2]"]),
    ("batch_norm", &["∂L/∂x is wrong in 6 of 6 elements", "x[1, 0, 2]", "shape     x [2, 1, 3], gamma [1], beta [1]"]),
    ("frozen", &["the gradient of the loss reaches the weights of the outer application, f(y), and must not"]),
    (
        "three_losses",
        &[
            "the gradient of idempotence reaches the weights of the outer application, f(y), and must not",
            "the gradient of tightness reaches the weights of the inner application, f(z), and must not",
        ],
    ),
];

#[test]
fn every_solution_passes() {
    for puzzle in &PUZZLES {
        let passed = puzzle.check(Author::Solution).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(passed.starts_with("passed: "), "{passed}");
    }
}

/// Only the puzzles as they come with the project fail so; whoever solves one changes it.
#[test]
fn every_stub_fails_for_its_reason() {
    assert_eq!(REASONS.map(|(name, _)| name), PUZZLES.each_ref().map(|puzzle| puzzle.text.name));
    for (puzzle, (name, reasons)) in PUZZLES.iter().zip(REASONS) {
        let wrong = puzzle.check(Author::Learner).expect_err(name);
        assert!(wrong.starts_with(puzzle.file), "{wrong}");
        for reason in reasons {
            assert!(wrong.contains(reason), "{name}: expected {reason} in\n{wrong}");
        }
    }
}

/// A check fails, and says these texts.
#[track_caller]
fn refused(checked: Result<String, String>, texts: &[&str]) {
    let wrong = checked.unwrap_err();
    for text in texts {
        assert!(wrong.contains(text), "expected {text} in\n{wrong}");
    }
}

#[test]
fn a_wrong_sign_is_found() {
    refused(
        tensors::square(|x, g| -2.0 * x * g, |x, g| 2.0 * x * g),
        &["x                  -6.000000                6.000000"],
    );
    refused(tensors::square(|x, g| 2.0 * x * g, |x, g| -2.0 * (x * g)), &["1 of 1 elements", "shape     x [1]"]);
    let wrong = tensors::cross_entropy(|x, t, g| {
        let softmax = x.exp() / x.exp().sum_per_sample().broadcast(x.shape());
        (t - softmax) * (g / x.shape().batch() as f32).broadcast(x.shape())
    });
    refused(wrong, &["∂L/∂x is wrong in 2 of 2 elements"]);
}

#[test]
fn the_gradient_that_arrives_must_be_used() {
    refused(tensors::square(|x, _| 2.0 * x, |x, g| 2.0 * x * g), &["numbers   x = 3, g = 2"]);
    refused(tensors::square(|x, g| 2.0 * x * g, |x, _| 2.0 * x), &["∂L/∂x is wrong"]);
    let wrong = tensors::cross_entropy(|x, t, _| x.exp() / x.exp().sum_per_sample().broadcast(x.shape()) - t);
    refused(wrong, &["∂L/∂x is wrong"]);
}

/// A walk that handles the lines in this order, and adds or replaces.
fn walk(lines: &[Line], values: &[f64], order: impl Iterator<Item = usize>, keep: f64) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for i in order {
        for (input, derivative) in lines[i].derivatives(i, values) {
            gradients[input] = keep * gradients[input] + gradients[i] * derivative;
        }
    }
    gradients
}

#[test]
fn a_missing_accumulation_and_a_walk_from_the_beginning_are_found() {
    let adds: lines::Walk = |lines, values| walk(lines, values, (0..lines.len()).rev(), 1.0);
    let replaces: lines::Walk = |lines, values| walk(lines, values, (0..lines.len()).rev(), 0.0);
    let forward: lines::Walk = |lines, values| walk(lines, values, 0..lines.len(), 1.0);
    assert!(lines::chain(adds).is_ok() && lines::fan_out(adds).is_ok());
    assert!(lines::chain(replaces).is_ok());
    refused(lines::fan_out(replaces), &["lines     0: Input, 1: Multiply(0, 0)"]);
    refused(lines::chain(forward), &["`gradients` is wrong in 2 of 4 elements"]);
    refused(lines::chain(|_, _| vec![1.0]), &["1 gradients are returned for 2 lines"]);
}

#[test]
fn a_missing_sum_over_a_broadcast_axis_is_found() {
    fn with<'t>(x: Var<'t>, s: Var<'t>, g: Var<'t>, sum: impl Fn(Var<'t>) -> Var<'t>) -> [Var<'t>; 3] {
        [g * s.broadcast_channels(x.shape()), (g * x).sum_channels(), sum(g)]
    }
    assert!(tensors::broadcast(|x, s, g| with(x, s, g, |g| g.sum_channels())).is_ok());
    let none = tensors::broadcast(|x, s, g| with(x, s, g, |g| g));
    refused(none, &["∂L/∂b has shape [1, 3, 1], and must have that of b, [3]", "shape     x [1, 3, 1], s [3], b [3]"]);
    // Over the pixels of the first sample alone.
    let pixels = tensors::broadcast(|x, s, g| with(x, s, g, |g| g.slice(0, 1).sum_channels()));
    refused(pixels, &["∂L/∂b is wrong in 1 of 1 elements", "shape     x [2, 1, 3], s [1], b [1]"]);
}

#[test]
fn statistics_that_count_as_constants_are_found() {
    // The mean is followed, the variance is not.
    let wrong = tensors::batch_norm(|x, gamma, epsilon, g| {
        let n = (x.shape().elements() / gamma.shape().elements()) as f32;
        let centred = x - (x.sum_channels() / n).broadcast_channels(x.shape());
        let deviation = ((centred * centred).sum_channels() / n + epsilon).sqrt();
        let normalised = centred / deviation.broadcast_channels(x.shape());
        let d_v = g - (g.sum_channels() / n).broadcast_channels(x.shape());
        let d_x = d_v * (gamma / deviation).broadcast_channels(x.shape());
        [d_x, (g * normalised).sum_channels(), g.sum_channels()]
    });
    refused(wrong, &["∂L/∂x is wrong in 6 of 6 elements"]);
}

#[test]
fn swapped_transposes_are_found_and_at_most_eight_rows_are_shown() {
    use exercises::tape::transpose;
    let wrong = tensors::matmul(|a, b, g| [g.matmul(b), transpose(a).matmul(g)]).unwrap_err();
    assert!(
        wrong.contains("∂L/∂A is wrong in 9 of 9 elements") && wrong.contains("shape     A [3, 3], B [3, 3]"),
        "{wrong}"
    );
    assert_eq!(wrong.lines().filter(|line| line.trim_start().starts_with("A[")).count(), 8, "{wrong}");
    assert!(wrong.contains("\n  …"), "{wrong}");
}

#[test]
fn nan_is_wrong() {
    let wrong = tensors::square(|x, g| 2.0 * x * g, |x, g| 2.0 * x * g + (x - x) / (x - x));
    refused(wrong, &["NaN"]);
}

#[test]
fn a_gradient_into_frozen_weights_is_named() {
    refused(
        applications::frozen(|y, loss, parameters| {
            let tape = y.tape();
            let mut outer = tape.gradient(loss, &[parameters, &[y]].concat())?;
            outer.pop();
            Ok(outer)
        }),
        &[
            "the gradient of the loss does not reach the weights of the inner application, f(z)",
            "the gradient of the loss reaches the weights of the outer application, f(y), and must not",
            "∂L/∂A is wrong in 1 of 1 elements",
        ],
    );
    // What arrives at y through w alone.
    let indirect = applications::frozen(|y, loss, parameters| {
        let tape = y.tape();
        let through = tape.gradient(loss, &[y])?[0];
        tape.vjp(y, through * 0.5, parameters)
    });
    refused(indirect, &["the loss: ∂L/∂A is wrong", "by central differences"]);
    refused(
        applications::frozen(|_, _, _| Ok(vec![])),
        &["the gradients of the loss have the shapes [], expected [[1, 1], [1], [1, 1]]"],
    );
    let misfit = applications::frozen(|y, _, parameters| y.tape().vjp(y, parameters[1], parameters));
    refused(misfit, &["tests/tape.rs:", "vjp of [1, 1] and [1]: the vector must have the shape"]);
}

#[test]
fn each_loss_that_reaches_other_weights_is_named() {
    /// The right gradients: those of reconstruction, and of D(w, y) for the inner and the outer application.
    type Parts<'t> = [Vec<Var<'t>>; 3];
    fn parts<'t>([x, fx]: [Var<'t>; 2], [y, w]: [Var<'t>; 2], p: &[Var<'t>]) -> ign::tape::Result<Parts<'t>> {
        let tape = x.tape();
        let mut outer = tape.gradient(w.mse(y), &[p, &[y]].concat())?;
        let at_y = outer.remove(p.len());
        Ok([tape.gradient(fx.mse(x), p)?, tape.vjp(y, at_y, p)?, outer])
    }
    fn negative<'t>(gradients: &[Var<'t>]) -> Vec<Var<'t>> {
        gradients.iter().map(|g| -*g).collect()
    }
    let right =
        applications::three_losses(|x, y, p| parts(x, y, p).map(|[rec, inner, outer]| [rec, inner, negative(&outer)]));
    assert!(right.is_ok(), "{right:?}");
    refused(
        applications::three_losses(parts),
        &["tightness reaches the weights of the outer application, f(y) with the wrong sign"],
    );
    refused(
        applications::three_losses(|x, y, p| {
            parts(x, y, p).map(|[rec, inner, _]| [rec, inner.clone(), negative(&inner)])
        }),
        &[
            "tightness reaches the weights of the inner application, f(z), and must not",
            "tightness does not reach the weights of the outer application, f(y)",
        ],
    );
    refused(
        applications::three_losses(|x, y, p| {
            parts(x, y, p).map(|[rec, inner, outer]| [negative(&rec), inner, negative(&outer)])
        }),
        &["reconstruction reaches the weights of f(x) with the wrong sign"],
    );
}

#[test]
fn numbers_go_on_from_the_kernels_and_every_file_is_there() {
    let numbers: Vec<_> = PUZZLES.iter().map(|puzzle| puzzle.text.number).collect();
    assert_eq!(numbers, (kernels::COUNT + 1..=kernels::COUNT + PUZZLES.len()).collect::<Vec<_>>());
    let mut names: BTreeSet<_> = kernels::PUZZLES.iter().map(|puzzle| puzzle.text.name).collect();
    let read = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
    for puzzle in &PUZZLES {
        let text = puzzle.text;
        assert!(names.insert(text.name), "{} is the name of two puzzles", text.name);
        let stub = read(puzzle.file);
        assert!(stub.starts_with(&format!("// Puzzle {}: {}.", text.number, text.title)), "{}", puzzle.file);
        assert!(stub.contains(puzzle.leads_to) && !read(puzzle.leads_to).is_empty(), "{}", puzzle.file);
        assert!(!read(puzzle.solution_file).is_empty());
        assert!(text.hints.iter().all(|hint| hint.len() > 20), "{}", text.name);
    }
}
