use super::{Caps, Dispatch, Kernel};

/// A value of a [`Commands`] list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(super) usize);

/// Where a value lives.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In memory shared with values that are not alive at the same time.
    Planned,
    /// In a buffer of its own that the host may write before a run and read after it.
    Host,
    /// In the [`Store`](super::Store), under this name.
    State(String),
    /// In a buffer of its own, filled once.
    Constant(f32),
}

/// A tensor as memory: so many f32.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is, for messages.
    pub label: String,
    /// Its size.
    pub elements: usize,
    /// Where it lives.
    pub place: Place,
}

/// One line of work: an operation with the dispatches that compute it.
#[derive(Clone, Debug)]
pub struct Command {
    /// The operation's line on the tape.
    pub line: usize,
    /// The operation's name.
    pub op: &'static str,
    /// The shape of its output, in words.
    pub shape: String,
    /// The line in words.
    pub what: String,
    /// What runs.
    pub dispatch: Dispatch,
}

/// A list of dispatches over numbered values: what a program is made from. Plain data; no device is needed to make,
/// inspect or check one.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    pub(super) values: Vec<Value>,
    pub(super) list: Vec<Command>,
}

impl Commands {
    /// Adds a value.
    pub fn value(&mut self, label: impl Into<String>, elements: usize, place: Place) -> ValueId {
        self.values.push(Value { label: label.into(), elements, place });
        ValueId(self.values.len() - 1)
    }

    /// Adds a dispatch.
    pub fn push(&mut self, command: Command) {
        self.list.push(command);
    }

    /// The value behind an id.
    pub fn get(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// The dispatches in order.
    pub fn list(&self) -> &[Command] {
        &self.list
    }

    /// Each kernel once.
    pub fn kernels(&self) -> Vec<&Kernel> {
        let mut kernels: Vec<&Kernel> = vec![];
        for command in &self.list {
            if !kernels.contains(&&command.dispatch.kernel) {
                kernels.push(&command.dispatch.kernel);
            }
        }
        kernels
    }

    /// Checks every dispatch against its kernel's WGSL, without a device.
    pub fn check(&self, caps: &Caps) -> super::Result<()> {
        for command in &self.list {
            let interface = command.dispatch.kernel.reflect()?;
            command.dispatch.check(&interface, caps)?;
        }
        Ok(())
    }
}
