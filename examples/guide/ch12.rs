//! Training on MNIST: rows of the study.

use super::figures::{Figure, Result, json};
use super::svg::{Anchor, Axes, BLUE, GREEN, GREY, INK, ORANGE, Svg, VIOLET};
use ign::data::{Images, Split};
use ign::model::Network;
use ign::picture::Background;
use serde_json::Value;
use std::path::Path;

/// A row of the study: its name, what it changes, and how far below its point its label stands.
type Row = (&'static str, &'static str, f64);

/// The rows of the table.
const ROWS: [Row; 8] = [
    ("base", "800 steps, rate 1e-3", -4.0),
    ("tight-0.1", "λ_tight 0.1, as published", 4.0),
    ("rec-3", "λ_rec 3", 4.0),
    ("rec-10", "λ_rec 10", 4.0),
    ("idem-3", "λ_idem 3", 4.0),
    ("rate-4e-3-seed-1", "rate 4e-3", -8.0),
    ("rec-2-2000", "rate 4e-3, λ_rec 2, 2,000 steps", -8.0),
    ("nearest-seed-1", "the same with ν 0.1: the preset mnist", 26.0),
];

fn number(row: &Value, path: &[&str]) -> Option<f64> {
    path.iter()
        .fold(row, |value, key| match key.parse::<usize>() {
            Ok(i) => &value[i],
            Err(_) => &value[*key],
        })
        .as_f64()
}

/// Fréchet distance of f(z), ratio of idempotence, least and greatest share.
fn measured(study: &Value, name: &str) -> Result<[f64; 4]> {
    let row = &study[name];
    let paths: [&[&str]; 4] = [&["samples", "0", "frechet"], &["idempotence", "1"], &["shares", "0"], &["shares", "1"]];
    let missing = || format!("measurements/study.json lacks a figure of {name}");
    let mut found = [0.0; 4];
    for (to, path) in found.iter_mut().zip(paths) {
        *to = number(row, path).ok_or_else(missing)?;
    }
    Ok(found)
}

pub fn drawing() -> Result<String> {
    let study = json("measurements/study.json")?;
    let mut svg =
        Svg::new("Fréchet distance of f(z) against the ratio of idempotence, for rows of the study", 680.0, 400.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "Two ways to be bad: far from the data, or not idempotent");
    svg.small([656.0, 388.0], Anchor::End, GREY, "logarithmic axis; green: 2,000 steps; orange: too little tightness; violet: too much idempotence");
    let axes = Axes { area: [70.0, 70.0, 570.0, 270.0], x: [0.4, 2.1], y: [0.06, 0.18] };
    let powers = [3.0, 5.0, 10.0, 30.0, 100.0];
    axes.draw(
        &mut svg,
        [&[], &[0.06, 0.1, 0.14, 0.18]],
        ["Fréchet distance of f(z) to the test set", "|f(f(z)) − f(z)| / |f(z) − z|"],
    );
    for power in powers {
        let [x, y] = axes.at([f64::log10(power), axes.y[0]]);
        svg.line(&[[x, y], [x, y + 5.0]], GREY, 1.0);
        svg.small([x, y + 15.0], Anchor::Middle, GREY, &power.to_string());
    }
    for (name, what, below) in ROWS {
        let [frechet, ratio, ..] = measured(&study, name)?;
        let [x, y] = axes.at([frechet.log10(), ratio]);
        let colour = match name {
            "nearest-seed-1" | "rec-2-2000" => GREEN,
            "tight-0.1" => ORANGE,
            "idem-3" => VIOLET,
            _ => BLUE,
        };
        svg.dot([x, y], 5.0, colour);
        let label = what.split(':').next().unwrap_or(what);
        svg.small([x + 9.0, y + below], Anchor::Start, INK, label);
    }
    Ok(svg.finish())
}

/// The variance of the test images over the set, averaged over the pixels.
fn variance() -> Result<f64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let test = Images::load(&folder, Split::Test, Network::MNIST.image(), Background::Auto)?.images;
    let (count, pixels) = (test.len() as f64, test.elements());
    let all = test.gather(0..test.len());
    let of_pixel = |i: usize| {
        let values = || all.iter().skip(i).step_by(pixels).map(|&x| f64::from(x));
        values().map(|x| x * x).sum::<f64>() / count - (values().sum::<f64>() / count).powi(2)
    };
    Ok((0..pixels).map(of_pixel).sum::<f64>() / pixels as f64)
}

pub fn figures() -> Result<Vec<Figure>> {
    let study = json("measurements/study.json")?;
    let mut rows = String::from(
        "| row | what it changes | Fréchet distance of f | shares of the digits | ratio of idempotence |\n|---|---|---|---|---|\n",
    );
    for (name, what, _) in ROWS {
        let [frechet, ratio, least, greatest] = measured(&study, name)?;
        rows += &format!("| `{name}` | {what} | {frechet:.1} | {least:.2} to {greatest:.2} | {ratio:.3} |\n");
    }
    let evaluation = json("models/evaluation.json")?;
    let mut shipped = String::from("| | Fréchet distance | precision | recall |\n|---|---|---|---|\n");
    for set in evaluation["samples"].as_array().into_iter().flatten() {
        let (name, of) = (set["name"].as_str().unwrap_or_default(), |key: &str| set[key].as_f64().unwrap_or(f64::NAN));
        let name = if name == "real" { "training images" } else { name };
        shipped += &format!("| {name} | {:.1} | {:.2} | {:.2} |\n", of("frechet"), of("precision"), of("recall"));
    }
    Ok(vec![("rows", rows), ("shipped", shipped), ("variance", format!("{:.2}", variance()?))])
}
