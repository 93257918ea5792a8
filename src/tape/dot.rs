//! Drawing of the tape with Graphviz.

use super::{Node, Source, Tape};

impl Tape {
    /// The graph in Graphviz's DOT language, for example for `dot -Tsvg`. Forward and backward lines form two clusters.
    pub fn to_dot(&self) -> String {
        let nodes = self.nodes();
        let lines = |backward: bool| -> String {
            let lines = nodes.iter().enumerate().filter(|(_, node)| node.backward == backward);
            lines.map(|(id, node)| format!("    n{id} [{}];\n", style(id, node))).collect()
        };
        let cluster = |name: &str, colour: &str, lines: String| {
            format!(
                "  subgraph cluster_{name} {{\n    label=\"{name}\"; style=filled; color=\"{colour}\";\n{lines}  }}\n"
            )
        };
        let arrows = nodes.iter().enumerate().flat_map(|(id, node)| node.inputs.iter().map(move |input| (input, id)));
        let arrows: String = arrows.map(|(input, id)| format!("  n{input} -> n{id};\n")).collect();
        let head = "digraph tape {\n  rankdir=TB; node [fontname=\"Helvetica\", fontsize=10];\n";
        let (forward, backward) =
            (cluster("forward", "#eef4fb", lines(false)), cluster("backward", "#fbf1ea", lines(true)));
        format!("{head}{forward}{backward}{arrows}}}\n")
    }
}

fn style(id: usize, node: &Node) -> String {
    let shape = match &node.source {
        Source::Input(_) => "shape=invhouse, style=filled, fillcolor=\"#ffffff\"",
        Source::State(_) => "shape=cylinder, style=filled, fillcolor=\"#ffffff\"",
        Source::Constant(_) => "shape=plaintext",
        Source::Op(_) => "shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\"",
    };
    let name = match &node.source {
        Source::Constant(value) => value.to_string(),
        _ => node.name().replace('\\', "\\\\").replace('"', "\\\""),
    };
    format!("label=\"%{id} {name}\\n{}\", {shape}", node.shape)
}
