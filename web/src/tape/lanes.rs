//! The lanes of a drawn tape: forward lines, backward lines, and updates of state.

use ign::tape::{Node, Source};

/// Where a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Lines that compute values and losses.
    Forward,
    /// Lines that a reverse walk recorded, and those between two walks.
    Backward,
    /// Updates of state, and what only they need: the weighting of gradients, moments and rates.
    Update,
}

impl Lane {
    /// The name on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Update => "update",
        }
    }
}

/// The lines that read each line.
pub fn readers(nodes: &[Node]) -> Vec<Vec<usize>> {
    let mut readers: Vec<Vec<usize>> = vec![vec![]; nodes.len()];
    for (id, node) in nodes.iter().enumerate() {
        for &input in &node.inputs {
            if readers[input].last() != Some(&id) {
                readers[input].push(id);
            }
        }
    }
    readers
}

/// The lane of each line.
pub fn lanes(nodes: &[Node]) -> Vec<Lane> {
    let readers = readers(nodes);
    // Lines that follow from a reverse walk.
    let mut follows = vec![false; nodes.len()];
    for (id, node) in nodes.iter().enumerate() {
        follows[id] = node.backward || node.inputs.iter().any(|&input| follows[input]);
    }
    let mut lanes = vec![Lane::Forward; nodes.len()];
    for (id, node) in nodes.iter().enumerate().rev() {
        let all_read_in = |lane: Lane| !readers[id].is_empty() && readers[id].iter().all(|&r| lanes[r] == lane);
        lanes[id] = match &node.source {
            _ if node.backward => Lane::Backward,
            Source::Op(op) if !op.writes().is_empty() => Lane::Update,
            Source::Op(_) if follows[id] && readers[id].iter().any(|&r| nodes[r].backward) => Lane::Backward,
            Source::Op(_) if follows[id] => Lane::Update,
            Source::Op(_) => Lane::Forward,
            _ if all_read_in(Lane::Update) => Lane::Update,
            _ => Lane::Forward,
        };
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use ign::method::{Clamp, Objective};
    use ign::nn::Adam;
    use ign::tape::Tape;
    use ign::toy::Config;

    /// A training step with its lanes, and the lane of every line that is called by a name.
    fn check(clamp: Clamp, expected: &[(&str, Lane)]) {
        let objective = Objective { clamp, ..Objective::default() };
        let tape = Tape::new();
        let step = Config { width: 4, batch: 8, objective, seed: 1 }.record(&tape).unwrap();
        Adam::default().record(&tape, &step.parameters, &step.total);
        let (nodes, lanes) = (tape.nodes(), lanes(&tape.nodes()));
        for (name, lane) in expected {
            let found: Vec<_> = (0..nodes.len()).filter(|&id| nodes[id].name() == *name).collect();
            assert!(!found.is_empty(), "{name}");
            found.iter().for_each(|&id| assert_eq!(lanes[id], *lane, "{}", tape.describe(id)));
        }
        let count = |lane: Lane| lanes.iter().filter(|found| **found == lane).count();
        assert!([Lane::Forward, Lane::Backward, Lane::Update].iter().all(|lane| count(*lane) > 20));
        // Three layers between the first and the last, each with weights and biases.
        assert_eq!(lanes.iter().zip(nodes.iter()).filter(|(_, node)| node.name() == "adam").count(), 8);
    }

    #[test]
    fn a_training_step_has_three_lanes() {
        let lanes = [
            ("x", Lane::Forward),
            ("0.weight", Lane::Forward),
            ("leaky_relu", Lane::Forward),
            ("leaky_relu_gradient", Lane::Backward),
            ("adam", Lane::Update),
            ("adam.m.0.weight", Lane::Update),
            (Adam::RATES, Lane::Update),
            (Objective::WEIGHTS, Lane::Update),
            ("weighted_sum", Lane::Update),
        ];
        check(Clamp::Noise(1.5), &lanes);
        check(Clamp::None, &lanes);
    }

    #[test]
    fn a_line_that_reads_another_twice_is_one_reader() {
        let tape = Tape::new();
        let x = tape.input("x", [1]);
        let y = x * x;
        let _ = x + y;
        assert_eq!(readers(&tape.nodes()), [vec![1, 2], vec![2], vec![]]);
    }
}
