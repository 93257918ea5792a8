//! Chapter 3: gradients of gradients, and of anything.

use crate::figures::{Figure, Result, fenced, quoted};
use crate::svg::{Anchor, Axes, BLUE, GREEN, GREY, INK, ORANGE, PALE_BLUE, PALE_GREEN, PALE_ORANGE, Svg, VIOLET, WHITE, number};
use ign::tape::Tape;

/// The values of d = (f(y) − y)² and of its gradients, for f(x) = w·x and y = f(z), with w = 2 and z = 1.
struct Frozen {
    d: f64,
    whole: f64,
    outer: f64,
    inner: f64,
}

fn frozen() -> Result<Frozen> {
    let tape = Tape::new();
    let w = tape.state("w", [1]);
    let z = tape.input("z", [1]);
    let f = |x| w * x;
    let y = f(z);
    let difference = f(y) - y;
    let d = difference * difference;
    let whole = tape.gradient(d, &[w])?[0];
    let parts = tape.gradient(d, &[w, y])?;
    let inner = tape.vjp(y, parts[1], &[w])?[0];
    let values = tape.interpret(&[(w, &[2.0]), (z, &[1.0])])?;
    let of = |v| values.get(v)[0];
    Ok(Frozen { d: of(d), whole: of(whole), outer: of(parts[0]), inner: of(inner) })
}

/// Number of lines of the tape after each of `orders` derivatives of tanh.
fn growth(orders: usize) -> Result<Vec<usize>> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let mut y = x.tanh();
    let mut lines = vec![tape.nodes().len()];
    for _ in 0..orders {
        y = tape.gradient(y, &[x])?[0];
        lines.push(tape.nodes().len());
    }
    Ok(lines)
}

pub fn drawing() -> Result<String> {
    let mut svg = Svg::new("tanh with three derivatives, and a function of which one application is frozen", 780.0, 340.0);

    svg.heading([24.0, 30.0], Anchor::Start, INK, "Three times along one tape");
    let count = 121;
    let xs: Vec<f64> = (0..count).map(|i| -3.0 + 6.0 * i as f64 / (count - 1) as f64).collect();
    let tape = Tape::new();
    let x = tape.input("x", [count]);
    let mut lines = vec![x.tanh()];
    for order in 0..3 {
        lines.push(tape.gradient(lines[order].sum(), &[x])?[0]);
    }
    let values = tape.interpret(&[(x, &xs)])?;
    let axes = Axes { area: [56.0, 70.0, 280.0, 190.0], x: [-3.0, 3.0], y: [-2.0, 1.2] };
    axes.draw(&mut svg, [&[-2.0, 0.0, 2.0], &[-2.0, -1.0, 0.0, 1.0]], ["x", ""]);
    for (i, (name, colour)) in [("tanh", BLUE), ("first", ORANGE), ("second", GREEN), ("third", VIOLET)].into_iter().enumerate() {
        let points: Vec<_> = xs.iter().zip(values.get(lines[i])).map(|(x, y)| [*x, *y]).collect();
        axes.line(&mut svg, &points, colour);
        svg.small([56.0 + 70.0 * i as f64, 322.0], Anchor::Start, colour, name);
    }

    let Frozen { d, whole, outer, inner } = frozen()?;
    svg.heading([396.0, 30.0], Anchor::Start, INK, "One loss, two questions: f(x) = w·x, w = 2, z = 1");
    let box_ = |svg: &mut Svg, x: f64, text: &str, fill: &str, stroke: &str| {
        svg.labelled([x, 120.0], [46.0, 36.0], fill, stroke, &[text]);
    };
    box_(&mut svg, 396.0, "z", WHITE, GREY);
    box_(&mut svg, 468.0, "f", PALE_BLUE, BLUE);
    box_(&mut svg, 540.0, "y", WHITE, GREY);
    box_(&mut svg, 612.0, "f", PALE_ORANGE, ORANGE);
    box_(&mut svg, 684.0, "d", PALE_GREEN, GREEN);
    for x in [442.0, 514.0, 586.0, 658.0] {
        svg.arrow(&[[x, 138.0], [x + 26.0, 138.0]], INK);
    }
    svg.curve([563.0, 120.0], [700.0, 120.0], 20.0, INK);
    svg.small([632.0, 84.0], Anchor::Middle, INK, "d = (f(y) − y)²");
    for (x, colour) in [(491.0, BLUE), (635.0, ORANGE)] {
        svg.labelled([x - 20.0, 210.0], [40.0, 28.0], WHITE, colour, &["w"]);
        svg.arrow(&[[x, 156.0], [x, 210.0]], colour);
    }
    svg.small([640.0, 186.0], Anchor::Start, ORANGE, &format!("y fixed: {}", number(outer)));
    svg.small([496.0, 186.0], Anchor::Start, BLUE, &format!("through y: {}", number(inner)));
    svg.text([396.0, 280.0], Anchor::Start, INK, &format!("d = {}; ∂d/∂w = {} + {} = {}", number(d), number(outer), number(inner), number(whole)));
    svg.small([396.0, 302.0], Anchor::Start, GREY, "Both boxes w are one line of the tape: f is not copied.");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x.tanh();
    let dy = tape.gradient(y, &[x])?[0];
    tape.gradient(dy, &[x])?;
    let growth: Vec<_> = growth(5)?.iter().map(usize::to_string).collect();
    let objective = quoted("src/method/objective.rs", "fn unclamped", "y_gradient, gradients })")? + "\n}";
    Ok(vec![
        ("tape", fenced("text", &tape.to_string())),
        ("growth", growth.join(", ")),
        ("objective", fenced("rs", &objective)),
    ])
}
