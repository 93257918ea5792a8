//! Chapter 9: batch norm.

use crate::figures::{Figure, Result, fenced, quoted};
use crate::svg::{Anchor, BLUE, GREEN, GREY, INK, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, PALE_VIOLET, Svg, VIOLET};
use ign::compile::lower;
use ign::gpu::Caps;
use ign::ops::Norm;
use ign::tape::Tape;

/// Eight elements of a channel, and the gradient that arrives at the output.
const X: [f64; 8] = [-1.6, -1.1, -0.5, -0.2, 0.3, 0.6, 1.0, 1.5];
const DY: [f64; 8] = [0.1, 0.9, -0.2, 0.8, 0.4, 1.2, 0.6, 1.0];

/// The gradient `DY` in three parts: its mean, its part along x̂, and the rest.
fn parts() -> [[f64; 8]; 4] {
    let n = X.len() as f64;
    let mean = X.iter().sum::<f64>() / n;
    let deviation = (X.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let normal = X.map(|x| (x - mean) / deviation);
    let level = DY.iter().sum::<f64>() / n;
    let along = DY.iter().zip(normal).map(|(dy, x)| dy * x).sum::<f64>() / n;
    let tilt = normal.map(|x| along * x);
    let rest = std::array::from_fn(|i| DY[i] - level - tilt[i]);
    [DY, [level; 8], tilt, rest]
}

pub fn drawing() -> Result<String> {
    let mut svg = Svg::new("The passes of batch norm, and what its gradient takes away", 720.0, 460.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "Passes over memory");
    let flow = [
        (60.0, BLUE, PALE_BLUE, ["x", "sum, sum of squares", "normalise", "y"], "μ, σ²"),
        (170.0, ORANGE, PALE_ORANGE, ["x, dy", "Σ h, Σ h·x̂", "project", "dx"], "dβ, dγ"),
    ];
    for (y, stroke, fill, [from, reduce, map, to], between) in flow {
        svg.code([40.0, y + 20.0], Anchor::Start, INK, from);
        svg.arrow(&[[88.0, y + 16.0], [130.0, y + 16.0]], stroke);
        svg.labelled([130.0, y], [170.0, 32.0], fill, stroke, &[reduce]);
        svg.small([215.0, y - 7.0], Anchor::Middle, GREY, "one reduction per channel");
        svg.arrow(&[[300.0, y + 16.0], [400.0, y + 16.0]], stroke);
        svg.code([350.0, y + 8.0], Anchor::Middle, INK, between);
        svg.labelled([400.0, y], [120.0, 32.0], fill, stroke, &[map]);
        svg.small([460.0, y - 7.0], Anchor::Middle, GREY, "one elementwise pass");
        svg.arrow(&[[520.0, y + 16.0], [570.0, y + 16.0]], stroke);
        svg.code([580.0, y + 20.0], Anchor::Start, INK, to);
        svg.curve([64.0, y + 28.0], [430.0, y + 33.0], -22.0, GREY);
        svg.small([230.0, y + 72.0], Anchor::Start, GREY, "read again");
    }

    svg.heading([24.0, 282.0], Anchor::Start, INK, "The gradient of eight elements of a channel");
    svg.small([24.0, 302.0], Anchor::Start, GREY, "What arrives is a level, a slope along x̂, and the rest. The rest is dx, up to the factor γ/r.");
    let heads = ["h", "mean h", "x̂·mean(h·x̂)", "the rest"];
    let colours = [(PALE_ORANGE, ORANGE), (PALE_BLUE, BLUE), (PALE_GREEN, GREEN), (PALE_VIOLET, VIOLET)];
    for (i, ((values, head), (fill, stroke))) in parts().iter().zip(heads).zip(colours).enumerate() {
        let left = 40.0 + 172.0 * i as f64;
        let (base, scale) = (390.0, 48.0);
        svg.line(&[[left - 4.0, base], [left + 124.0, base]], GREY, 1.0);
        for (j, value) in values.iter().enumerate() {
            let height = (scale * value).abs().max(0.5);
            let top = if *value > 0.0 { base - height } else { base };
            svg.rect([left + 15.0 * j as f64, top], [12.0, height], fill, stroke);
        }
        svg.code([left + 60.0, 444.0], Anchor::Middle, stroke, head);
        if i > 0 {
            svg.text([left - 28.0, base - 14.0], Anchor::Middle, INK, if i == 1 { "=" } else { "+" });
        }
    }
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let x = tape.input("x", [64, 64, 14, 14]);
    let [gamma, beta] = ["γ", "β"].map(|name| tape.input(name, [64]));
    let y = x.batch_norm(gamma, beta, Norm { epsilon: 1e-5, slope: 0.2 }).y;
    let gradients = tape.vjp(y, tape.input("dy", y.shape()), &[x, gamma, beta])?;
    let lines = tape.to_string();
    let outputs = [("y", y), ("dx", gradients[0]), ("dγ", gradients[1]), ("dβ", gradients[2])];
    let lowered = lower(&tape, &Caps::minimal(), &outputs)?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let table: Vec<_> = lowered
        .commands
        .list()
        .iter()
        .map(|c| format!("{:26} {:22} {:5.1} MiB", c.op, c.dispatch.kernel.describe().split([':', '[']).nth(1).unwrap_or_default(), mib(c.dispatch.cost.bytes)))
        .collect();
    Ok(vec![
        ("tape", fenced("text", &lines)),
        ("dispatches", fenced("text", &table.join("\n"))),
        ("backward", fenced("wgsl", &quoted("shaders/batch_norm.wgsl", "fn backward(", "}")?)),
        ("terms", fenced("wgsl", &quoted("shaders/batch_norm_gradient_sums.wgsl", "fn terms", "}")?)),
    ])
}
