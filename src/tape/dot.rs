//! The tape as a drawing.

use super::{Node, Source, Tape};
use std::fmt::Write;

impl Tape {
    /// The graph in Graphviz's language, forward and backward lines apart: `dot -Tsvg`.
    pub fn to_dot(&self) -> String {
        let nodes = self.nodes();
        let mut dot = String::from("digraph tape {\n  rankdir=TB; node [fontname=\"Helvetica\", fontsize=10];\n");
        for (backward, name, colour) in [(false, "forward", "#eef4fb"), (true, "backward", "#fbf1ea")] {
            writeln!(dot, "  subgraph cluster_{name} {{\n    label=\"{name}\"; style=filled; color=\"{colour}\";").ok();
            for (id, node) in nodes.iter().enumerate().filter(|(_, n)| n.backward == backward) {
                writeln!(dot, "    n{id} [{}];", style(id, node)).ok();
            }
            dot.push_str("  }\n");
        }
        for (id, node) in nodes.iter().enumerate() {
            for input in &node.inputs {
                writeln!(dot, "  n{input} -> n{id};").ok();
            }
        }
        dot.push_str("}\n");
        dot
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
