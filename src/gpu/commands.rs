use super::{Caps, Dispatch, Kernel};

/// Index of a value in a [`Commands`] list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(super) usize);

/// Memory location of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In shared memory, reused by values with disjoint lifetimes.
    Planned,
    /// In a separate buffer. The host may write it before a run and read it after a run.
    Host,
    /// In the [`Store`](super::Store) under this name.
    State(String),
    /// In a separate buffer, filled once with this number.
    Constant(f32),
}

/// A tensor in memory, without its shape.
#[derive(Clone, Debug)]
pub struct Value {
    /// Description for error messages.
    pub label: String,
    /// Number of f32 elements.
    pub elements: usize,
    /// Memory location.
    pub place: Place,
}

/// One dispatch, with the operation that it is a part of.
#[derive(Clone, Debug)]
pub struct Command {
    /// Number of the operation's line on the tape.
    pub line: usize,
    /// Name of the operation.
    pub op: &'static str,
    /// Shape of the operation's output, as text.
    pub shape: String,
    /// Description of the line, for error messages.
    pub what: String,
    /// The dispatch.
    pub dispatch: Dispatch,
}

/// A list of dispatches over numbered values, from which a [`Program`](super::Program) is compiled. Plain data:
/// building, inspecting and checking a list needs no device.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    pub(super) values: Vec<Value>,
    pub(super) list: Vec<Command>,
}

impl Commands {
    /// Adds a value of `elements` f32.
    pub fn value(&mut self, label: impl Into<String>, elements: usize, place: Place) -> ValueId {
        self.values.push(Value { label: label.into(), elements, place });
        ValueId(self.values.len() - 1)
    }

    /// Adds a dispatch whose kernel is compiled with runtime checks. A read out of bounds returns zero or another element
    /// of the same buffer, a write out of bounds is dropped or changes another element of it, and endless loops are
    /// stopped.
    pub fn push(&mut self, mut command: Command) {
        command.dispatch.kernel.checked = true;
        self.list.push(command);
    }

    /// Adds a dispatch whose kernel is compiled without runtime checks, which cost software adapters most of their speed,
    /// and returns it. Workgroup memory is not initialised to zero.
    ///
    /// # Safety
    /// On every adapter for which [`Dispatch::check`] accepts the dispatch, every index must stay within its buffer or
    /// array, every loop must end, no divisor may be zero, and workgroup memory must be written before it is read.
    pub unsafe fn push_unchecked(&mut self, mut command: Command) -> &mut Dispatch {
        command.dispatch.kernel.checked = false;
        self.list.push(command);
        &mut self.list.last_mut().expect("the list has this command").dispatch
    }

    /// The value with this id.
    pub fn get(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// The dispatches in order.
    pub fn list(&self) -> &[Command] {
        &self.list
    }

    /// The distinct kernels, in order of first use.
    pub fn kernels(&self) -> Vec<&Kernel> {
        let mut kernels: Vec<&Kernel> = vec![];
        for command in &self.list {
            if !kernels.contains(&&command.dispatch.kernel) {
                kernels.push(&command.dispatch.kernel);
            }
        }
        kernels
    }

    /// Checks every dispatch against the WGSL of its kernel, without a device.
    ///
    /// # Errors
    /// Invalid WGSL, or a dispatch that fails [`Dispatch::check`].
    pub fn check(&self, caps: &Caps) -> super::Result<()> {
        for command in &self.list {
            let interface = command.dispatch.kernel.reflect()?;
            command.dispatch.check(&interface, caps)?;
        }
        Ok(())
    }
}
