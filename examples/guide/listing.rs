//! A tape as a drawing: its lines from top to bottom, an arc from each line to those that read it, and values beside.

use crate::figures::Result;
use crate::svg::{Anchor, BLUE, GREY, INK, ORANGE, PALE_BLUE, PALE_ORANGE, Svg, number};
use ign::tape::{Tape, Var};

/// Height of a line.
pub const ROW: f64 = 30.0;
/// Width of a column of values.
const COLUMN: f64 = 74.0;

/// Values of each line of a tape in one run, under a head such as `x = 3`.
pub struct Column {
    pub head: String,
    pub values: Vec<String>,
}

impl Column {
    /// The first element of every line, when each of `feeds` has one element.
    pub fn run(tape: &Tape, head: &str, feeds: &[(Var<'_>, f64)]) -> Result<Self> {
        let data: Vec<_> = feeds.iter().map(|(v, x)| (*v, [*x])).collect();
        let feeds: Vec<_> = data.iter().map(|(v, x)| (*v, &x[..])).collect();
        let values = tape.interpret(&feeds)?;
        let values = tape.all(|_| true).iter().map(|v| number((values.get(*v)[0] * 1e4).round() / 1e4)).collect();
        Ok(Self { head: head.into(), values })
    }
}

/// Draws `tape` with the top left corner of its first line at `at`, its lines `width` wide. Forward lines are blue, backward
/// lines orange.
pub fn listing(svg: &mut Svg, tape: &Tape, at: [f64; 2], width: f64, columns: &[Column]) {
    let nodes = tape.nodes();
    let middle = |id: usize| at[1] + ROW * id as f64 + (ROW - 6.0) / 2.0;
    for (id, node) in nodes.iter().enumerate() {
        let (colour, fill) = if node.backward { (ORANGE, PALE_ORANGE) } else { (BLUE, PALE_BLUE) };
        svg.rect([at[0], at[1] + ROW * id as f64], [width, ROW - 6.0], fill, colour);
        svg.code([at[0] + 8.0, middle(id) + 4.5], Anchor::Start, INK, &tape.describe(id));
        let mut inputs = node.inputs.clone();
        inputs.dedup();
        for (nth, &input) in inputs.iter().enumerate() {
            let (from, to) = (middle(input), middle(id) + 5.0 * (nth as f64 - (inputs.len() as f64 - 1.0) / 2.0));
            let out = (12.0 + 13.0 * (id - input) as f64).min(at[0] - 12.0);
            let path: Vec<_> = (0..=20)
                .map(|i| std::f64::consts::PI * f64::from(i) / 20.0)
                .map(|a| [at[0] - out * a.sin(), (from + to) / 2.0 - (to - from) / 2.0 * a.cos()])
                .collect();
            svg.arrow(&path, colour);
        }
        for (i, column) in columns.iter().enumerate() {
            let x = at[0] + width + COLUMN * (i as f64 + 1.0);
            svg.code([x, middle(id) + 4.5], Anchor::End, INK, &column.values[id]);
        }
    }
    for (i, column) in columns.iter().enumerate() {
        let x = at[0] + width + COLUMN * (i as f64 + 1.0);
        svg.small([x, at[1] - 10.0], Anchor::End, GREY, &column.head);
    }
}
