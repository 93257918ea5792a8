//! Chapter 11: three losses. The toy trains in the interpreter, so that the drawing is the same on every machine.

use crate::figures::{Figure, Result, fenced, quoted};
use crate::svg::{Anchor, BLUE, GREY, INK, ORANGE, PALE_GREY, PALE_ORANGE, Svg, WHITE};
use ign::method::{Clamp, Distance, Objective, Weights};
use ign::model::Noise;
use ign::nn::{Adam, Mode};
use ign::random::Stream;
use ign::tape::{Tape, Var};
use ign::toy::{Config, Data, grid, mean_nearest_distance};
use std::sync::LazyLock;

type Point = [f32; 2];

const SEED: u64 = 1;
const STEPS: u64 = 500;
const BATCH: usize = 64;
const RATE: f64 = 6e-3;
/// Number of points that are drawn and measured.
const COUNT: usize = 300;
/// Cells along one side of a panel, and the half of its side.
const CELLS: usize = 36;
const EXTENT: f32 = 1.3;
/// |f(x) − x| below which x is nearly a fixed point.
const NEAR: f32 = 0.05;

/// What a training has come to.
struct Trained {
    name: &'static str,
    /// Samples f(z), and f(f(z)).
    samples: [Vec<Point>; 2],
    /// The images of the data.
    kept: Vec<Point>,
    /// The images of the cells.
    cells: Vec<Point>,
}

/// All three terms, and each of them switched off.
static RUNS: LazyLock<std::result::Result<Vec<Trained>, String>> = LazyLock::new(|| {
    [
        ("all three", [1.0, 1.0, 0.2]),
        ("no tightness", [1.0, 1.0, 0.0]),
        ("no idempotence", [1.0, 0.0, 0.2]),
        ("no reconstruction", [0.0, 1.0, 0.2]),
    ]
    .into_iter()
    .map(|(name, [rec, idem, tight])| train(name, Weights { rec, idem, tight }).map_err(|e| e.to_string()))
    .collect()
});

fn config() -> Config {
    let objective = Objective { distance: Distance::L1, clamp: Clamp::Noise(1.5), ..Objective::default() };
    Config { width: 24, batch: BATCH, objective, seed: SEED }
}

fn data(stream: Stream, counter: u64, count: usize) -> Vec<Point> {
    Data::Moons.draw(SEED, stream, counter, count)
}

fn noise(stream: Stream, counter: u64, count: usize) -> Vec<Point> {
    Noise::Gaussian.draw(SEED, stream, counter, 2 * count).as_chunks().0.to_vec()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

fn train(name: &'static str, weights: Weights) -> Result<Trained> {
    let config = config();
    let tape = Tape::new();
    let step = config.record(&tape)?;
    let adam = Adam { learning_rate: RATE, ..Adam::default() };
    let rates = tape.input(Adam::RATES, [2]);
    adam.record_at(rates, &step.parameters, &step.total);
    let weighting = tape.all(|node| node.name() == Objective::WEIGHTS)[0];
    let weights = wide(&[weights.rec, weights.idem, weights.tight]);
    let initial = config.initialise();
    let mut state: Vec<(Var<'_>, Vec<f64>)> = vec![];
    for var in tape.all(|node| matches!(node.source, ign::tape::Source::State(_))) {
        state.push((var, initial.get(&var.name()).map_or(vec![0.0; var.shape().elements()], |data| wide(data))));
    }
    for done in 0..STEPS {
        let x = wide(data(Stream::Order, done, BATCH).as_flattened());
        let z = wide(noise(Stream::Noise, done, BATCH).as_flattened());
        let falling = Adam { learning_rate: RATE * (1.0 - 0.9 * done as f64 / STEPS as f64), ..adam };
        let now = falling.rates(done + 1).map(f64::from);
        let mut feeds = vec![(step.x, &x[..]), (step.z, &z[..]), (weighting, &weights[..]), (rates, &now[..])];
        feeds.extend(state.iter().map(|(var, data)| (*var, &data[..])));
        let values = tape.interpret(&feeds)?;
        let next: Vec<Vec<f64>> = state.iter().map(|(var, _)| values.get(*var).to_vec()).collect();
        state.iter_mut().zip(next).for_each(|((_, data), next)| *data = next);
    }

    let f = |points: &[Point]| -> Result<Vec<Point>> {
        let tape = Tape::new();
        let layers = config.layers();
        let x = tape.input("x", [points.len(), 2, 1, 1]);
        let y = layers.apply(x, Mode::Batch);
        let points = wide(points.as_flattened());
        let mut feeds = vec![(x, &points[..])];
        for parameter in layers.on(&tape) {
            let trained = state.iter().find(|(var, _)| var.name() == parameter.name());
            feeds.push((parameter, &trained.ok_or("a parameter was not trained")?.1[..]));
        }
        let flat: Vec<f32> = tape.interpret(&feeds)?.get(y).iter().map(|y| *y as f32).collect();
        Ok(flat.as_chunks().0.to_vec())
    };
    let once = f(&noise(Stream::Preview, 1, COUNT))?;
    let twice = f(&once)?;
    let kept = f(&data(Stream::Preview, 0, COUNT))?;
    Ok(Trained { name, samples: [once, twice], kept, cells: f(&grid(CELLS, EXTENT))? })
}

/// The mean distance between corresponding points.
fn moved(a: &[Point], b: &[Point]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum::<f32>() / a.len() as f32
}

pub fn drawing() -> Result<String> {
    let mut svg = Svg::new("Which application of f each loss trains, and what happens without it", 740.0, 500.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "Three losses. The trained application of f is orange; in a grey one, θ is held constant.");
    let rows = [
        ("rec", "x", true, false, "D(f(x), x)", "small"),
        ("idem", "z", true, true, "D(w, y)", "small: y moves"),
        ("tight", "z", false, true, "−D(w, y)", "small: w moves, away from y"),
    ];
    for (i, (name, from, inner, two, loss, goal)) in rows.into_iter().enumerate() {
        let y = 52.0 + 58.0 * i as f64;
        svg.text([24.0, y + 19.0], Anchor::Start, INK, name);
        svg.code([86.0, y + 19.0], Anchor::Middle, INK, from);
        svg.arrow(&[[96.0, y + 15.0], [130.0, y + 15.0]], GREY);
        let box_of = |trained: bool| if trained { (PALE_ORANGE, ORANGE) } else { (PALE_GREY, GREY) };
        let (fill, stroke) = box_of(inner);
        svg.labelled([130.0, y], [60.0, 30.0], fill, stroke, &["f"]);
        let mut right = 190.0;
        if two {
            svg.arrow(&[[190.0, y + 15.0], [250.0, y + 15.0]], GREY);
            svg.code([218.0, y + 9.0], Anchor::Middle, INK, "y");
            let (fill, stroke) = box_of(!inner);
            svg.labelled([250.0, y], [60.0, 30.0], fill, stroke, &["f"]);
            right = 310.0;
        }
        svg.arrow(&[[right, y + 15.0], [400.0, y + 15.0]], GREY);
        svg.code([(right + 392.0) / 2.0, y + 9.0], Anchor::Middle, INK, if two { "w" } else { "f(x)" });
        svg.labelled([400.0, y], [100.0, 30.0], WHITE, INK, &[loss]);
        svg.small([512.0, y + 19.0], Anchor::Start, GREY, goal);
        let to = if inner { 160.0 } else { 280.0 };
        svg.arrow(&[[450.0, y + 30.0], [450.0, y + 41.0], [to, y + 41.0], [to, y + 31.0]], ORANGE);
    }

    svg.heading([24.0, 256.0], Anchor::Start, INK, &format!("After {STEPS} steps on two moons"));
    svg.small([250.0, 256.0], Anchor::Start, GREY, "grey: data.  blue: f(z).  orange area: |f(x) − x| below 0.05, nearly fixed.");
    let runs = RUNS.as_ref().map_err(String::as_str)?;
    let side = 166.0;
    for (i, run) in runs.iter().enumerate() {
        let (left, top) = (24.0 + 176.0 * i as f64, 294.0);
        svg.text([left + side / 2.0, top - 10.0], Anchor::Middle, INK, run.name);
        svg.rect([left, top], [side, side], WHITE, GREY);
        let cell = side / CELLS as f64;
        for (j, (at, to)) in grid(CELLS, EXTENT).iter().zip(&run.cells).enumerate() {
            if (at[0] - to[0]).hypot(at[1] - to[1]) < NEAR {
                let [x, y] = [left + cell * (j % CELLS) as f64, top + cell * (j / CELLS) as f64];
                svg.add(format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{cell:.1}\" height=\"{cell:.1}\" fill=\"#f3cdb8\"/>"));
            }
        }
        for (points, radius, colour) in [(&data(Stream::Preview, 0, COUNT), 0.9, GREY), (&run.samples[0], 1.4, BLUE)] {
            for [x, y] in points {
                if x.abs().max(y.abs()) < EXTENT {
                    let pixel = |v: f32| side * f64::from(v / EXTENT + 1.0) / 2.0;
                    svg.dot([left + pixel(*x), top + pixel(*y)], radius, colour);
                }
            }
        }
    }
    svg.small([24.0, 482.0], Anchor::Start, GREY, "Trained by the interpreter, in f64.");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let x = data(Stream::Preview, 0, COUNT);
    let mut table = String::from(
        "| | from f(z) to the data | from the data to f(z) | \\|f(f(z)) − f(z)\\| | \\|f(x) − x\\| |\n|---|---|---|---|---|\n",
    );
    for run in RUNS.as_ref().map_err(String::as_str)? {
        let [once, twice] = &run.samples;
        let numbers = [mean_nearest_distance(once, &x), mean_nearest_distance(&x, once), moved(once, twice), moved(&x, &run.kept)];
        let cells: Vec<_> = numbers.iter().map(|n| format!("{n:.2}")).collect();
        table += &format!("| {} | {} |\n", run.name, cells.join(" | "));
    }
    let batch = quoted("src/method/objective.rs", "fn batch<'t>", "Ok(Batch {")?;
    Ok(vec![("table", table), ("batch", fenced("rs", &format!("{batch}\n}}")))])
}
