//! Variables, and who touched them.

use naga::{Handle, Span, Type};

/// A variable.
pub struct Memory {
    pub name: String,
    pub ty: Handle<Type>,
    pub kind: Kind,
    pub words: Vec<u32>,
    /// One for each word of a variable that invocations share and write.
    pub traces: Vec<Trace>,
}

/// Who sees a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A storage buffer.
    Storage,
    /// A uniform block.
    Uniform,
    /// Workgroup memory.
    Workgroup,
    /// Memory of each invocation alone, with this number of words.
    Own(usize),
}

/// The accesses to a word that later ones are compared with.
#[derive(Clone, Copy, Default)]
pub struct Trace {
    pub written: Option<Access>,
    read: Option<Access>,
    /// Whether others read the word between the same barriers as `read`.
    several: bool,
}

/// An access to a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Access {
    pub group: u32,
    pub lane: u32,
    /// Number of barriers before it.
    pub epoch: u32,
    pub span: Span,
}

impl Access {
    /// Whether nothing orders this access and `later` one by another invocation.
    fn unordered(&self, later: &Self) -> bool {
        let other = (self.group, self.lane) != (later.group, later.lane);
        other && (self.group != later.group || self.epoch == later.epoch)
    }
}

impl Trace {
    /// Adds a read, and returns the write that it is not ordered with.
    pub fn read(&mut self, by: Access) -> Option<Access> {
        match self.read {
            // Workgroups run one after the other, so only later ones write from here on, unordered with this read.
            Some(earlier) if earlier.group != by.group => {}
            Some(earlier) if earlier.epoch == by.epoch => self.several |= earlier.lane != by.lane,
            _ => (self.read, self.several) = (Some(by), false),
        }
        self.written.filter(|written| written.unordered(&by))
    }

    /// Adds a write, and returns the access that it is not ordered with, and whether that was a write.
    pub fn write(&mut self, by: Access) -> Option<(Access, bool)> {
        let written = self.written.replace(by).filter(|written| written.unordered(&by));
        let same_phase = |read: &Access| (read.group, read.epoch) == (by.group, by.epoch);
        let read = self.read.filter(|read| read.unordered(&by) || self.several && same_phase(read));
        written.map(|access| (access, true)).or(read.map(|access| (access, false)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(group: u32, lane: u32, epoch: u32) -> Access {
        Access { group, lane, epoch, span: Span::UNDEFINED }
    }

    #[test]
    fn a_barrier_orders_the_accesses_of_a_workgroup_and_of_no_other() {
        let written = || Trace { written: Some(by(0, 1, 0)), ..Trace::default() };
        assert_eq!(written().read(by(0, 1, 0)), None);
        assert_eq!(written().read(by(0, 2, 1)), None);
        assert_eq!(written().read(by(0, 2, 0)), Some(by(0, 1, 0)));
        assert_eq!(written().read(by(1, 1, 1)), Some(by(0, 1, 0)));
        assert_eq!(written().write(by(0, 2, 0)), Some((by(0, 1, 0), true)));
    }

    #[test]
    fn a_write_after_reads_of_others_needs_a_barrier() {
        let read = |accesses: &[Access]| {
            let mut trace = Trace::default();
            accesses.iter().for_each(|&access| assert_eq!(trace.read(access), None));
            trace
        };
        assert_eq!(read(&[by(0, 1, 0)]).write(by(0, 1, 0)), None);
        assert_eq!(read(&[by(0, 1, 0), by(0, 2, 0)]).write(by(0, 3, 1)), None);
        assert!(read(&[by(0, 1, 0), by(0, 2, 0)]).write(by(0, 1, 0)).is_some());
        assert!(read(&[by(0, 1, 0), by(0, 1, 1)]).write(by(0, 2, 1)).is_some());
        assert!(read(&[by(0, 1, 0), by(1, 1, 0)]).write(by(1, 1, 1)).is_some());
    }
}
