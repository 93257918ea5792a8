//! Kernels on a simulated adapter: naga's intermediate representation, executed on the host.
//!
//! A workgroup runs in lockstep: a statement is executed for all its active invocations before the next one. Barriers
//! therefore need no threads, and what they order is checked instead: each word of memory remembers who wrote and read it
//! since which barrier. So the simulator finds, whatever the adapter would have done: a read or a write outside an array,
//! accesses of two invocations that no barrier orders, a barrier that not all invocations reach, and a loop that does not
//! end.
//!
//! It knows f32, i32, u32, bool, their vectors, arrays and structs, and the subgroup operations that gather or reduce.

mod arithmetic;
mod expressions;
mod kernel;
mod layout;
mod machine;
mod memory;
mod statements;

pub use kernel::{Flaw, Kernel};
pub use machine::{Counts, Launch, Writer, Writers, launch};
