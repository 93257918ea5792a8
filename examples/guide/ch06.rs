//! Chapter 6: memory.

use crate::figures::{Figure, Result, quoted, fenced};
use crate::svg::{Anchor, BLUE, GREY, INK, ORANGE, PALE_BLUE, PALE_GREY, PALE_ORANGE, Svg};
use ign::compile::{blocking_compile, lower};
use ign::gpu::{Caps, Commands, MemoryReport, Place, Store, ValueId};
use ign::method::{Clamp, Distance, Objective};
use ign::model::Network;
use ign::native::open;
use ign::tape::{Tape, Var};

/// An intermediate value: its first and last dispatch, and its bytes.
struct Life {
    value: ValueId,
    first: usize,
    last: usize,
    bytes: u64,
}

/// The lifetimes of the intermediate values, in order of their first dispatches.
fn lives(commands: &Commands) -> Vec<Life> {
    let mut lives: Vec<Life> = vec![];
    for (at, command) in commands.list().iter().enumerate() {
        for (_, value) in &command.dispatch.bindings {
            let known = commands.get(*value);
            match lives.iter_mut().find(|life| life.value == *value) {
                Some(life) => life.last = at,
                None if known.place == Place::Planned => {
                    // Offsets are multiples of 256 bytes.
                    let bytes = (4 * known.elements as u64).next_multiple_of(256);
                    lives.push(Life { value: *value, first: at, last: at, bytes });
                }
                None => {}
            }
        }
    }
    lives
}

/// The bytes that are alive at a dispatch.
fn alive(lives: &[Life], at: usize) -> u64 {
    lives.iter().filter(|l| (l.first..=l.last).contains(&at)).map(|l| l.bytes).sum()
}

/// Records tanh applied `depth` times to 256 elements; with `gradient`, also the gradient. Returns what is asked for.
fn chain(tape: &Tape, depth: usize, gradient: bool) -> Result<Var<'_>> {
    let x = tape.input("x", [256]);
    let y = (0..depth).fold(x, |y, _| y.tanh());
    match gradient {
        true => Ok(tape.vjp(y, tape.input("g", [256]), &[x])?[0]),
        false => Ok(y),
    }
}

/// The plan of a chain, and the number of its tensors that fit into its memory without sharing.
fn planned(depth: usize, gradient: bool) -> Result<MemoryReport> {
    let tape = Tape::new();
    let result = chain(&tape, depth, gradient)?;
    Ok(blocking_compile(&open(None)?, &Store::new(), &tape, &[("result", result)])?.memory())
}

pub fn drawing() -> Result<String> {
    let tape = Tape::new();
    let dx = chain(&tape, 6, true)?;
    let commands = lower(&tape, &Caps::minimal(), &[("dx", dx)])?.commands;
    let lives = lives(&commands);
    let count = commands.list().len();

    let (left, top, column, row) = (230.0, 84.0, 34.0, 20.0);
    let bottom = top + row * lives.len() as f64;
    let mut svg = Svg::new("Lifetimes of the values of tanh applied six times, forward and backward", 680.0, 440.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "When each value is alive: tanh six times, and its gradient");
    let x = |at: usize| left + column * at as f64;
    let backward = |at: usize| tape.nodes()[commands.list()[at].line].backward;
    for at in 0..count {
        svg.small([x(at) + column / 2.0, top - 8.0], Anchor::Middle, if backward(at) { ORANGE } else { BLUE }, &(at + 1).to_string());
        svg.line(&[[x(at), top], [x(at), bottom]], PALE_GREY, 1.0);
    }
    svg.small([left - 12.0, top - 8.0], Anchor::End, GREY, "value \\ dispatch");
    for (i, life) in lives.iter().enumerate() {
        let y = top + row * i as f64;
        let (fill, stroke) = if backward(life.first) { (PALE_ORANGE, ORANGE) } else { (PALE_BLUE, BLUE) };
        svg.rect([x(life.first) + 1.0, y + 3.0], [column * (life.last - life.first + 1) as f64 - 2.0, row - 6.0], fill, stroke);
        let label = &commands.get(life.value).label;
        svg.code([left - 12.0, y + 14.0], Anchor::End, INK, label.trim_end_matches(" [256]"));
    }
    let base = bottom + 100.0;
    let most = (0..count).map(|at| alive(&lives, at)).max().unwrap_or(1);
    for at in 0..count {
        let bytes = alive(&lives, at);
        let height = 70.0 * bytes as f64 / most as f64;
        svg.rect([x(at) + 4.0, base - height], [column - 8.0, height], PALE_GREY, GREY);
        svg.small([x(at) + column / 2.0, base + 14.0], Anchor::Middle, INK, &format!("{}", bytes / 1024));
    }
    svg.dashed(&[[left, base - 70.0], [x(count), base - 70.0]], ORANGE, 1.0);
    svg.small([left - 12.0, base - 66.0], Anchor::End, ORANGE, "lower bound");
    svg.small([left - 12.0, base - 4.0], Anchor::End, GREY, "KiB alive");
    Ok(svg.finish())
}

/// The lower bound and the sum of the memory of a training step on MNIST, in MiB, on an adapter with WebGPU's default limits.
fn training_step() -> Result<[String; 4]> {
    let tape = Tape::new();
    let objective = Objective { distance: Distance::L1, clamp: Clamp::Noise(1.5), ..Objective::default() };
    let network = Network::MNIST.layers(32);
    let step = objective.record(&tape, &network, 64, Network::MNIST.image())?;
    let names: Vec<_> = (0..step.total.len()).map(|i| i.to_string()).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(step.total.iter().copied()).collect();
    let commands = lower(&tape, &Caps::minimal(), &outputs)?.commands;
    let lives = lives(&commands);
    let most = (0..commands.list().len()).map(|at| alive(&lives, at)).max().unwrap_or_default();
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
    let all = lives.iter().map(|l| l.bytes).sum();
    Ok([tape.nodes().len().to_string(), lives.len().to_string(), mib(all), mib(most)])
}

pub fn figures() -> Result<Vec<Figure>> {
    let mut table = String::from("| tanh, times | forward: unshared | planned | with gradient: unshared | lower bound | planned |\n|---|---|---|---|---|---|\n");
    for depth in [2, 4, 8, 16, 32] {
        let [forward, both] = [planned(depth, false)?, planned(depth, true)?];
        let kib = |bytes: u64| format!("{} KiB", bytes / 1024);
        let cells = [forward.unshared, forward.planned, both.unshared, both.lower_bound, both.planned].map(kib);
        table += &format!("| {depth} | {} |\n", cells.join(" | "));
    }
    let [lines, values, all, most] = training_step()?;
    let place = quoted("src/gpu/plan.rs", "const ORDERS", "];")?;
    Ok(vec![
        ("chains", table),
        ("lines", lines),
        ("values", values),
        ("all", all),
        ("most", most),
        ("orders", fenced("rs", &place)),
    ])
}
