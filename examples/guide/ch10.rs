//! Chapter 10: an optimiser and a classifier. It trains in the interpreter, so that the drawing is the same on every machine.

use crate::figures::{Figure, Result, fenced, json, quoted};
use crate::svg::{Anchor, Axes, BLUE, GREEN, GREY, INK, ORANGE, Svg};
use ign::model::Noise;
use ign::nn::Adam;
use ign::random::Stream;
use ign::tape::{Tape, Var};
use std::f64::consts::TAU;

const ARMS: usize = 3;
const EACH: usize = 40;
const SIZES: [usize; 4] = [2, 24, 24, ARMS];
const STEPS: u64 = 300;
/// Cells along one side of the map of decisions, and the half of its side.
const CELLS: usize = 40;
const EXTENT: f64 = 1.1;
/// Colours of the arms, dark and pale.
const COLOURS: [(&str, &str); ARMS] = [(BLUE, "#cfe0f4"), (ORANGE, "#f6d8c8"), (GREEN, "#cfe8d4")];

/// The points of the spirals, and the arm of each as a row with a one.
fn spirals() -> (Vec<f64>, Vec<f64>) {
    let (mut points, mut arms) = (vec![], vec![]);
    for arm in 0..ARMS {
        for i in 0..EACH {
            let r = (i + 1) as f64 / EACH as f64;
            let angle = 4.0 * r + TAU * arm as f64 / ARMS as f64;
            points.extend([r * angle.cos(), r * angle.sin()]);
            arms.extend((0..ARMS).map(|k| if k == arm { 1.0 } else { 0.0 }));
        }
    }
    (points, arms)
}

/// Records the network on points x. Returns logits and parameters.
fn network<'t>(x: Var<'t>) -> (Var<'t>, Vec<Var<'t>>) {
    let (mut h, mut parameters) = (x, vec![]);
    for i in 0..3 {
        let w = x.tape().state(&format!("w{i}"), [SIZES[i + 1], SIZES[i]]);
        let b = x.tape().state(&format!("b{i}"), [SIZES[i + 1]]);
        h = h.linear(w, Some(b));
        h = if i < 2 { h.leaky_relu(0.2) } else { h };
        parameters.extend([w, b]);
    }
    (h, parameters)
}

/// The initial values of a parameter: normal with variance 2/inputs, or zeros for a bias.
fn initial(i: usize, parameter: Var<'_>) -> Vec<f64> {
    let shape = parameter.shape();
    let scale = if shape.dims().len() == 2 { (2.0 / shape.dims()[1] as f64).sqrt() } else { 0.0 };
    let normal = Noise::Gaussian.draw(1, Stream::Initialisation, i as u64, shape.elements());
    normal.into_iter().map(|z| scale * f64::from(z)).collect()
}

/// The losses of each step, and the parameters after the last.
type Trained = (Vec<f64>, Vec<Vec<f64>>);

/// Trains with Adam, or by gradient descent, p ← p − rate·g.
fn train(rate: f64, adam: bool) -> Result<Trained> {
    let tape = Tape::new();
    let (x, targets) = (tape.input("x", [ARMS * EACH, 2]), tape.input("targets", [ARMS * EACH, ARMS]));
    let (logits, parameters) = network(x);
    let loss = logits.softmax_cross_entropy(targets);
    let gradients = tape.gradient(loss, &parameters)?;
    let optimiser = Adam { learning_rate: rate, ..Adam::default() };
    let rates = tape.input(Adam::RATES, [2]);
    if adam {
        optimiser.record_at(rates, &parameters, &gradients);
    }
    let (points, arms) = spirals();
    let moments = tape.all(|node| node.name().starts_with("adam.") && node.name() != Adam::RATES);
    let mut state: Vec<(Var<'_>, Vec<f64>)> =
        parameters.iter().enumerate().map(|(i, p)| (*p, initial(i, *p))).collect();
    state.extend(moments.into_iter().map(|m| (m, vec![0.0; m.shape().elements()])));
    let mut losses = vec![];
    for t in 1..=STEPS {
        let now = optimiser.rates(t).map(f64::from);
        let mut feeds = vec![(x, &points[..]), (targets, &arms[..]), (rates, &now[..])];
        feeds.extend(state.iter().map(|(var, data)| (*var, &data[..])));
        let values = tape.interpret(&feeds)?;
        losses.push(values.get(loss)[0]);
        let next: Vec<Vec<f64>> = state.iter().map(|(var, _)| values.get(*var).to_vec()).collect();
        let steps: Vec<Vec<f64>> = gradients.iter().map(|g| values.get(*g).to_vec()).collect();
        for (i, ((_, data), next)) in state.iter_mut().zip(next).enumerate() {
            match adam {
                true => *data = next,
                false => data.iter_mut().zip(&steps[i]).for_each(|(p, g)| *p -= rate * g),
            }
        }
    }
    Ok((losses, state.into_iter().take(parameters.len()).map(|(_, data)| data).collect()))
}

/// The arm that the network chooses for each of some points.
fn choices(parameters: &[Vec<f64>], points: &[f64]) -> Result<Vec<usize>> {
    let tape = Tape::new();
    let x = tape.input("x", [points.len() / 2, 2]);
    let (logits, own) = network(x);
    let mut feeds = vec![(x, points)];
    feeds.extend(own.iter().zip(parameters).map(|(var, data)| (*var, &data[..])));
    let values = tape.interpret(&feeds)?;
    let best = |row: &[f64]| (0..ARMS).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or_default();
    Ok(values.get(logits).chunks(ARMS).map(best).collect())
}

/// Gradient descent at three rates, and Adam.
fn runs() -> Result<Vec<(&'static str, &'static str, Trained)>> {
    let run = |(name, colour, rate, adam)| Ok((name, colour, train(rate, adam)?));
    [
        ("gradient descent, 0.03", "#b9b8b2", 0.03, false),
        ("gradient descent, 0.3", GREY, 0.3, false),
        ("Adam, 0.003", "#7fa8dc", 0.003, true),
        ("Adam, 0.01", BLUE, 0.01, true),
    ]
    .into_iter()
    .map(run)
    .collect()
}

pub fn drawing() -> Result<String> {
    let runs = runs()?;
    let mut svg = Svg::new("Losses of gradient descent and of Adam, and what the classifier has learned", 740.0, 390.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "Cross-entropy by step");
    let axes = Axes { area: [60.0, 110.0, 300.0, 220.0], x: [0.0, STEPS as f64], y: [0.0, 1.2] };
    axes.draw(&mut svg, [&[0.0, 100.0, 200.0, 300.0], &[0.0, 0.4, 0.8, 1.2]], ["step", ""]);
    for (i, (name, colour, (losses, _))) in runs.iter().enumerate() {
        let points: Vec<_> = losses.iter().enumerate().map(|(t, loss)| [t as f64, loss.min(1.2)]).collect();
        axes.line(&mut svg, &points, colour);
        let at = [60.0 + 165.0 * (i % 2) as f64, 60.0 + 20.0 * (i / 2) as f64];
        svg.line(&[[at[0], at[1] - 4.0], [at[0] + 18.0, at[1] - 4.0]], colour, 2.0);
        svg.small([at[0] + 24.0, at[1]], Anchor::Start, INK, name);
    }

    let (_, _, (_, parameters)) = runs.last().ok_or("there are no runs")?;
    svg.heading([400.0, 30.0], Anchor::Start, INK, "The classifier's choice, after Adam, 0.01");
    let side = 300.0;
    let cell = side / CELLS as f64;
    let centre = |i: usize| EXTENT * ((2 * i + 1) as f64 / CELLS as f64 - 1.0);
    let grid: Vec<f64> = (0..CELLS * CELLS).flat_map(|i| [centre(i % CELLS), centre(i / CELLS)]).collect();
    for (i, arm) in choices(parameters, &grid)?.into_iter().enumerate() {
        let [x, y] = [400.0 + cell * (i % CELLS) as f64, 50.0 + cell * (i / CELLS) as f64];
        let fill = COLOURS[arm].1;
        svg.add(format!("<rect x=\"{x}\" y=\"{y}\" width=\"{cell}\" height=\"{cell}\" fill=\"{fill}\" stroke=\"{fill}\"/>"));
    }
    for (i, at) in spirals().0.chunks(2).enumerate() {
        let pixel = |v: f64| side * (v / EXTENT + 1.0) / 2.0;
        svg.dot([400.0 + pixel(at[0]), 50.0 + pixel(at[1])], 2.5, COLOURS[i / EACH].0);
    }
    svg.small([400.0, 372.0], Anchor::Start, GREY, "Trained by the interpreter, in f64.");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let mut table = String::from("| optimiser, rate | loss at step 10 | 100 | 300 | right |\n|---|---|---|---|---|\n");
    let (points, _) = spirals();
    for (name, _, (losses, parameters)) in runs()? {
        let right = choices(&parameters, &points)?.iter().enumerate().filter(|(i, arm)| i / EACH == **arm).count();
        let at = |t: usize| losses[t - 1];
        table += &format!(
            "| {name} | {:.2} | {:.2} | {:.2} | {right} of {} |\n",
            at(10),
            at(100),
            at(300),
            ARMS * EACH
        );
    }
    let measured = json("measurements/llvmpipe-llvm-15.0.6-256-bits-mesa-25.0.7-2-bpo12-1.json")?;
    let steps = measured["steps"].as_array().ok_or("no steps are measured")?;
    let step = steps.iter().find(|s| s["network"] == "mnist" && s["width"] == 32 && s["batch"] == 64);
    let step = &step.ok_or("the step of mnist is not measured")?["Ok"];
    let ms = |key: &str, digits: usize| {
        step[key].as_f64().map(|ms| format!("{ms:.digits$}")).ok_or_else(|| format!("{key} is not measured"))
    };
    let driver = measured["driver"].as_str().ok_or("the driver is not recorded")?.to_string();
    Ok(vec![
        ("table", table),
        ("host", ms("host_ms", 1)?),
        ("step", ms("best_ms", 0)?),
        ("driver", driver),
        ("adam", fenced("wgsl", &quoted("shaders/adam.wgsl", "let g = gradient", "p[i] -=")?)),
    ])
}
