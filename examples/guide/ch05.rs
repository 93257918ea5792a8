//! Chapter 5: from a line to a dispatch.

use crate::figures::{Figure, Result, fenced, file, quoted};
use crate::svg::{Anchor, BLUE, GREEN, GREY, INK, PALE_BLUE, PALE_GREEN, PALE_GREY, PALE_ORANGE, ORANGE, Svg, WHITE};
use ign::compile::lower;
use ign::gpu::{BindingKind, Caps, Dispatch};
use ign::tape::Tape;

/// The dispatch of y = tanh x for 1000 elements, on an adapter with the default limits of WebGPU.
fn dispatch() -> Result<Dispatch> {
    let tape = Tape::new();
    let y = tape.input("x", [1000]).tanh();
    let lowered = lower(&tape, &Caps::minimal(), &[("y", y)])?;
    Ok(lowered.commands.list().first().ok_or("tanh has no dispatch")?.dispatch.clone())
}

/// The members of the uniform block, decoded: one whole number, then numbers.
fn members(dispatch: &Dispatch) -> Result<Vec<(String, String)>> {
    let word = |offset: u32| -> Result<[u8; 4]> { Ok(dispatch.params.bytes[offset as usize..][..4].try_into()?) };
    let mut all = vec![];
    for field in &dispatch.params.fields {
        let bytes = word(field.offset)?;
        let value = match field.name.as_ref() {
            "quads" => u32::from_le_bytes(bytes).to_string(),
            _ => f32::from_le_bytes(bytes).to_string(),
        };
        all.push((field.name.to_string(), value));
    }
    Ok(all)
}

pub fn drawing() -> Result<String> {
    let dispatch = dispatch()?;
    let size = dispatch.kernel.reflect()?.workgroup_size[0] as usize;
    let members = members(&dispatch)?;
    let quads: usize = members[0].1.parse()?;

    let mut svg = Svg::new("A line of the tape, its bindings, and the grid of invocations that computes it", 740.0, 400.0);
    svg.heading([24.0, 30.0], Anchor::Start, INK, "One line");
    svg.labelled([24.0, 46.0], [190.0, 28.0], PALE_BLUE, BLUE, &["%1 = tanh(x) [1000]"]);
    svg.heading([24.0, 120.0], Anchor::Start, INK, "Bindings of group 0");
    let bindings = [
        ("0  x0: storage, read", "250 vectors of 4 f32", PALE_BLUE, BLUE),
        ("1  y: storage, read_write", "250 vectors of 4 f32", PALE_ORANGE, ORANGE),
        ("2  params: uniform", &format!("quads = {quads}, c0 … c3 = 0"), PALE_GREEN, GREEN),
    ];
    for (i, (name, what, fill, stroke)) in bindings.into_iter().enumerate() {
        let y = 136.0 + 74.0 * i as f64;
        svg.rect([24.0, y], [230.0, 54.0], fill, stroke);
        svg.code([36.0, y + 23.0], Anchor::Start, INK, name);
        svg.small([36.0, y + 42.0], Anchor::Start, INK, what);
        svg.arrow(&[[254.0, y + 27.0], [300.0, 210.0 + 18.0 * (i as f64 - 1.0)]], stroke);
    }

    svg.line(&[[300.0, 66.0], [300.0, 336.0]], GREY, 1.0);
    let title = format!("{} workgroups of {size} invocations", dispatch.workgroups);
    svg.heading([310.0, 30.0], Anchor::Start, INK, &title);
    for group in 0..dispatch.workgroups as usize {
        let (x, y) = (310.0 + 208.0 * (group % 2) as f64, 72.0 + 146.0 * (group / 2) as f64);
        svg.rect([x, y], [196.0, 112.0], WHITE, GREY);
        svg.small([x, y - 6.0], Anchor::Start, GREY, &format!("workgroup {group}: vectors {} to {}", group * size, ((group + 1) * size).min(quads) - 1));
        for l in 0..size {
            let fill = if group * size + l < quads { PALE_BLUE } else { PALE_GREY };
            let stroke = if group * size + l < quads { BLUE } else { GREY };
            let at = [x + 8.0 + 22.7 * (l % 8) as f64, y + 6.0 + 12.8 * (l / 8) as f64];
            svg.rect(at, [20.0, 10.0], fill, stroke);
        }
    }
    let idle = dispatch.workgroups as usize * size - quads;
    let text = format!("1000 elements are {quads} vectors. The {idle} grey invocations compare their index");
    svg.small([310.0, 358.0], Anchor::Start, INK, &text);
    svg.small([310.0, 374.0], Anchor::Start, INK, "with params.quads and do nothing.");
    Ok(svg.finish())
}

pub fn figures() -> Result<Vec<Figure>> {
    let dispatch = dispatch()?;
    let interface = dispatch.kernel.reflect()?;
    let mut described = format!("kernel      {}\n", dispatch.kernel.describe());
    for binding in &interface.bindings {
        let kind = match binding.kind {
            BindingKind::Read => "storage, read",
            BindingKind::Write => "storage, read_write",
            BindingKind::Uniform(_) => "uniform",
        };
        described += &format!("binding {}   {}: {kind}\n", binding.slot, binding.name);
    }
    let members: Vec<_> = members(&dispatch)?.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
    described += &format!("params      {}\n", members.join(", "));
    described += &format!("workgroup   {:?} invocations\n", interface.workgroup_size);
    described += &format!("workgroups  {}\n", dispatch.workgroups);
    described += &format!("cost        {} FLOP, {} bytes", dispatch.cost.flops, dispatch.cost.bytes);
    let frame = file("shaders/shared/elementwise_1.wgsl")?;
    let (_, frame) = frame.split_once("\n\n").ok_or("the shader has no head")?;
    let formula = quoted("shaders/tanh.wgsl", "fn formula_1", "}")?;
    Ok(vec![
        ("frame", fenced("wgsl", frame)),
        ("formula", fenced("wgsl", &formula)),
        ("dispatch", fenced("text", &described)),
        ("lowering", fenced("rs", &quoted("src/ops/activation.rs", "impl Lower for Activation {", "    }")?)),
    ])
}
