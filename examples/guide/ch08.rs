//! Chapter 8: convolution.

use crate::figures::{Figure, Result, fenced, quoted};
use crate::svg::{Anchor, BLUE, GREEN, GREY, INK, ORANGE, PALE_BLUE, PALE_GREEN, PALE_GREY, PALE_ORANGE, PALE_VIOLET, Svg, VIOLET, WHITE};
use ign::compile::lower;
use ign::gpu::Caps;
use ign::tape::{Tape, Var};

/// The layer of the figures: batch, channels and side of the big image; channels of the small image; kernel, stride, padding.
const LAYER: [usize; 7] = [64, 32, 14, 64, 4, 2, 1];

/// Records the layer, and its gradients in the image and in the weights.
fn layer(tape: &Tape) -> Result<[(&'static str, Var<'_>); 3]> {
    let [n, c, side, o, kernel, stride, padding] = LAYER;
    let (big, weight) = (tape.input("big", [n, c, side, side]), tape.input("weight", [o, c, kernel, kernel]));
    let small = big.conv2d(weight, None, stride, padding);
    let gradients = tape.vjp(small, tape.input("g", small.shape()), &[big, weight])?;
    Ok([("small", small), ("∂L/∂big", gradients[0]), ("∂L/∂weight", gradients[1])])
}

/// Rows, columns and inner axis of the three products. The stride divides the input gradient into stride² of them.
fn products() -> Result<[[usize; 4]; 3]> {
    let [n, c, side, o, kernel, stride, _] = LAYER;
    let tape = Tape::new();
    let [_, _, h, w] = layer(&tape)?[0].1.shape().nchw().ok_or("a small image has four extents")?;
    let (small, big, taps) = (n * h * w, n * side * side, kernel * kernel);
    let groups = stride * stride;
    Ok([[1, o, small, c * taps], [groups, c, big / groups, o * taps / groups], [1, o, c * taps, small]])
}

pub fn drawing() -> Result<String> {
    let mut svg = Svg::new("A convolution of stride 2: which pixels meet which taps", 740.0, 420.0);
    let cell = 30.0;
    // The padded big image, 4 × 4 with a border, under a kernel of 3 × 3.
    let origin = [40.0, 66.0];
    svg.heading([24.0, 30.0], Anchor::Start, INK, "big 4 × 4, padding 1");
    let classes = [(PALE_BLUE, BLUE), (PALE_ORANGE, ORANGE), (PALE_GREEN, GREEN), (PALE_VIOLET, VIOLET)];
    for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
        let inside = (1..5).contains(&i) && (1..5).contains(&j);
        let (fill, stroke) = if inside { classes[i % 2 * 2 + j % 2] } else { (PALE_GREY, GREY) };
        let at = [origin[0] + cell * j as f64, origin[1] + cell * i as f64];
        svg.rect(at, [cell - 3.0, cell - 3.0], fill, stroke);
        if !inside {
            svg.small([at[0] + 13.5, at[1] + 18.0], Anchor::Middle, GREY, "0");
        }
    }
    svg.add(format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"2\"/>",
        origin[0] + 2.0 * cell - 3.0,
        origin[1] - 3.0,
        3.0 * cell + 3.0,
        3.0 * cell + 3.0
    ));
    svg.heading([280.0, 30.0], Anchor::Start, INK, "small 2 × 2");
    for (i, j) in (0..2).flat_map(|i| (0..2).map(move |j| (i, j))) {
        let at = [296.0 + cell * j as f64, 66.0 + cell * i as f64];
        let stroke = if (i, j) == (0, 1) { INK } else { GREY };
        svg.rect(at, [cell - 3.0, cell - 3.0], WHITE, stroke);
    }
    svg.curve([192.0, 80.0], [324.0, 78.0], 12.0, INK);
    svg.heading([440.0, 30.0], Anchor::Start, INK, "weight 3 × 3, by who meets it");
    for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
        let at = [456.0 + cell * j as f64, 66.0 + cell * i as f64];
        let (fill, stroke) = classes[i % 2 * 2 + j % 2];
        svg.rect(at, [cell - 3.0, cell - 3.0], fill, stroke);
    }
    let counts = [(BLUE, "blue pixels: 4 taps each"), (ORANGE, "orange: 2"), (GREEN, "green: 2"), (VIOLET, "violet: 1")];
    for (i, (colour, text)) in counts.into_iter().enumerate() {
        svg.small([570.0, 84.0 + 20.0 * i as f64], Anchor::Start, colour, text);
    }
    svg.small([296.0, 186.0], Anchor::Start, INK, "A pixel of the padded big image meets only the taps whose row and column");
    svg.small([296.0, 202.0], Anchor::Start, INK, "have its remainders by the stride. Stride 2 makes 2² separate products of");
    svg.small([296.0, 218.0], Anchor::Start, INK, "the input gradient, none of which multiplies a zero between pixels.");

    svg.heading([24.0, 286.0], Anchor::Start, INK, "The three products of a layer");
    let [n, c, side, o, kernel, stride, padding] = LAYER;
    let text = format!("{n} images, {c} × {side} × {side}, {o} outputs, kernel {kernel} × {kernel}, stride {stride}, padding {padding}");
    svg.small([270.0, 286.0], Anchor::Start, GREY, &text);
    let heads = [("", 40.0), ("products", 230.0), ("rows M", 330.0), ("columns N", 440.0), ("inner axis K", 560.0), ("M·N·K together", 690.0)];
    for (head, x) in heads {
        svg.small([x, 312.0], Anchor::End, GREY, head);
    }
    let names = [("small", BLUE), ("∂L/∂big", ORANGE), ("∂L/∂weight", GREEN)];
    for (i, ((name, colour), extents)) in names.iter().zip(products()?).enumerate() {
        let y = 338.0 + 26.0 * i as f64;
        svg.code([40.0, y], Anchor::Start, colour, name);
        let product: usize = extents.iter().product();
        for (value, (_, x)) in extents.iter().chain([&product]).zip(&heads[1..]) {
            svg.code([*x, y], Anchor::End, INK, &value.to_string());
        }
    }
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let outputs = layer(&tape)?;
    let lowered = lower(&tape, &Caps::minimal(), &outputs)?;
    let list = lowered.commands.list();
    let kernels: Vec<_> = list
        .iter()
        .map(|c| format!("{:28} {:64} {:>4} workgroups", c.op, c.dispatch.kernel.describe(), c.dispatch.workgroups))
        .collect();
    let visit = quoted("src/ops/convolution/mod.rs", "fn visit", "/// Adds the product")?;
    let (visit, _) = visit.rsplit_once("\n\n").ok_or("visit is not followed by an empty line")?;
    Ok(vec![
        ("kernels", fenced("text", &kernels.join("\n"))),
        ("forward", fenced("wgsl", &quoted("shaders/convolution_forward.wgsl", "fn slice", "}")?)),
        ("visit", fenced("rs", visit)),
    ])
}
