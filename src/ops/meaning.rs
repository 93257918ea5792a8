use super::{Case, Example, examples};
use crate::tape::{Source, Tape};

/// What an operation computes: an example that consists of it or contains it, or in whose gradient it occurs.
#[derive(Clone, Copy)]
pub struct Meaning {
    /// The example.
    pub example: Example,
    /// Whether the operation occurs only in the gradient of the example, so that it computes
    /// [`gradient`](Example::gradient) or a part of it, and not [`formula`](Example::formula).
    pub backward: bool,
}

/// A part of an example in which an operation occurs.
#[derive(Clone, Copy)]
enum Part {
    Result,
    Forward,
    Gradient,
}

/// The meanings of the operation that lines of a tape call `name`. Several examples record a sum of multiples, for
/// instance. Empty if no example records the operation.
pub fn meanings(name: &str) -> Vec<Meaning> {
    let parts = [Part::Result, Part::Forward, Part::Gradient].into_iter();
    parts.map(|part| closest(name, part)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The examples with the operation in this part. Of these, the ones that record the fewest operations, since the others are
/// made of several.
fn closest(name: &str, part: Part) -> Vec<Meaning> {
    let examples = examples().into_iter().map(|(_, example)| example);
    let counted: Vec<_> = examples.filter_map(|example| Some((operations(&example, name, part)?, example))).collect();
    let fewest = counted.iter().map(|(count, _)| *count).min();
    let closest = counted.into_iter().filter(|(count, _)| Some(*count) == fewest);
    closest.map(|(_, example)| Meaning { example, backward: matches!(part, Part::Gradient) }).collect()
}

/// The number of operations of an example without its gradient, if the operation `name` is in this part of it.
fn operations(example: &Example, name: &str, part: Part) -> Option<usize> {
    let tape = Tape::new();
    let Case { y, wrt } = (example.record)(&tape);
    let records = || tape.nodes().iter().filter(|node| matches!(node.source, Source::Op(_))).any(|n| n.name() == name);
    let count = tape.nodes().iter().filter(|node| matches!(node.source, Source::Op(_))).count();
    let found = match part {
        Part::Result => y.name() == name,
        Part::Forward => records(),
        Part::Gradient => !wrt.is_empty() && tape.vjp(y, tape.input("g", y.shape()), &wrt).is_ok() && records(),
    };
    found.then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usages(name: &str) -> Vec<(&'static str, bool)> {
        meanings(name).iter().map(|meaning| (meaning.example.usage, meaning.backward)).collect()
    }

    #[test]
    fn an_operation_means_what_its_example_says() {
        assert_eq!(usages("tanh"), [("x.tanh()", false)]);
        assert_eq!(usages("tanh_gradient"), [("x.tanh()", true)]);
        // The mean and the linear layer are made of several operations.
        assert_eq!(usages("sum"), [("x.sum()", false)]);
        assert_eq!(usages("reshape"), [("x.reshape(shape)", false)]);
        assert!(usages("linear_combination").contains(&("a - b", false)));
        assert!(usages("no such operation").is_empty());
    }

    #[test]
    fn every_operation_of_an_example_has_a_meaning() {
        for (module, example) in examples() {
            let tape = Tape::new();
            let Case { y, wrt } = (example.record)(&tape);
            if !wrt.is_empty() {
                tape.vjp(y, tape.input("g", y.shape()), &wrt).unwrap();
            }
            for node in tape.nodes().iter().filter(|node| matches!(node.source, Source::Op(_))) {
                assert!(!meanings(node.name()).is_empty(), "{module}: {} has no meaning", node.name());
            }
        }
    }
}
