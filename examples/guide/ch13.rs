//! Limits: degradations, before and after f.

use super::figures::{Figure, Result, json};
use super::svg::{Anchor, BLUE, GREY, INK, ORANGE, PALE_GREY, Svg};

/// A degradation with the shares of digits that are recognised: before f, after f in a batch, after f alone.
fn degradations() -> Result<Vec<(String, [f64; 3])>> {
    let evaluation = json("models/evaluation.json")?;
    let mut found = vec![];
    for degradation in evaluation["degradations"].as_array().into_iter().flatten() {
        let name = degradation["name"].as_str().ok_or("a degradation without a name")?;
        let share = |key: &str| degradation[key].as_f64().ok_or_else(|| format!("{name} has no {key}"));
        found.push((name.into(), [share("accuracy_before")?, share("accuracy_after")?, share("accuracy_alone")?]));
    }
    Ok(found)
}

pub fn drawing() -> Result<String> {
    let all = degradations()?;
    let (left, right, top, row) = (120.0, 640.0, 76.0, 32.0);
    let bottom = top + row * all.len() as f64;
    let mut svg = Svg::new("Digits recognised before and after f, for nine degradations", 680.0, bottom + 48.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "Digits that a classifier recognises, of 2,000");
    svg.small(
        [left, 52.0],
        Anchor::Start,
        GREY,
        "grey: before f · blue: after f, more than before · orange: after f, less than before",
    );
    let x = |share: f64| left + share * (right - left);
    for percent in [0, 25, 50, 75, 100] {
        let at = x(f64::from(percent) / 100.0);
        svg.line(&[[at, top - 6.0], [at, bottom]], PALE_GREY, 1.0);
        svg.small([at, bottom + 18.0], Anchor::Middle, GREY, &format!("{percent} %"));
    }
    for (i, (name, [before, after, _])) in all.iter().enumerate() {
        let y = top + row * i as f64 + row / 2.0;
        svg.text([left - 14.0, y + 4.5], Anchor::End, INK, name);
        let colour = if after >= before { BLUE } else { ORANGE };
        if (x(*after) - x(*before)).abs() > 10.0 {
            svg.arrow(&[[x(*before), y], [x(*after), y]], colour);
        }
        svg.dot([x(*before), y], 4.0, GREY);
        svg.dot([x(*after), y], 5.0, colour);
    }
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let mut table = String::from(
        "| recognised, in percent | before f | after f, in a batch | after f, alone |\n|---|---|---|---|\n",
    );
    for (name, shares) in degradations()? {
        let [before, after, alone] = shares.map(|share| format!("{:.1}", 100.0 * share));
        table += &format!("| {name} | {before} | {after} | {alone} |\n");
    }
    Ok(vec![("degradations", table)])
}
