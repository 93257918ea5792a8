use crate::simulator::Counts;
use std::fmt;

/// What a kernel that passed does, beside the reference solution.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The shapes on which all elements were right, in words.
    pub shapes: Vec<String>,
    /// The adapter.
    pub adapter: String,
    /// What the kernel does for the last of the shapes, counted in the simulator.
    pub counts: Counts,
    /// The same of the reference solution.
    pub solution_counts: Counts,
    /// Shape of the measured problem, in words. Its elements are right too.
    pub measured_shape: String,
    /// The kernel's time.
    pub measured: Measured,
    /// The same of the reference solution, measured in turn with it.
    pub solution_measured: Measured,
    /// The same of the engine's own operation, where it has one. It is compiled without the runtime checks of the others.
    pub engine_measured: Option<Measured>,
}

/// A time on the adapter.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Time of all entry points of the puzzle, in seconds.
    pub seconds: f64,
    /// Least time of the problem under the measured roof of the adapter (arithmetic, or the bandwidth of a copy), divided by
    /// this time.
    pub share_of_roof: f64,
}

impl Measured {
    /// Number of turns, of which the least time counts.
    pub const TURNS: usize = 3;
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts: own, solution_counts: solution, measured, solution_measured, .. } = self;
        writeln!(f, "passed: all elements are right in the simulator and on {}", self.adapter)?;
        self.shapes.iter().try_for_each(|shape| writeln!(f, "  {shape}"))?;
        writeln!(f, "\n{:52} {:>9} {:>9}", "executed in the simulator, for the last shape", "yours", "solution")?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, count: fn(&Counts) -> u64, per: fn(&Counts) -> u64| {
            let mean = |counts: &Counts| count(counts) as f64 / per(counts).max(1) as f64;
            if count(own) + count(solution) == 0 {
                return Ok(());
            }
            writeln!(f, "  {name:50} {:>9.2} {:>9.2}", mean(own), mean(solution))
        };
        row(f, "loads from buffers per invocation", |c| c.loads, |c| c.invocations)?;
        row(f, "stores to buffers per invocation", |c| c.stores, |c| c.invocations)?;
        row(f, "lines of 64 bytes per 32 neighbouring invocations", |c| 32 * c.lines, |c| c.invocations)?;
        row(f, "loads from workgroup memory per invocation", |c| c.workgroup_loads, |c| c.invocations)?;
        row(f, "subgroup operations per invocation", |c| c.shuffles, |c| c.invocations)?;
        row(f, "barriers per workgroup", |c| c.barriers, |c| c.groups)?;
        let columns = [Some(*measured), Some(*solution_measured), self.engine_measured];
        let engine = if self.engine_measured.is_some() { "    engine" } else { "" };
        writeln!(f, "\n{:52} {:>9} {:>9}{engine}", "measured on the adapter", "yours", "solution")?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, value: fn(Measured) -> f64| {
            let values = columns.iter().flatten().map(|&measured| format!(" {:>9.2}", value(measured)));
            writeln!(f, "  {name:50}{}", values.collect::<String>())
        };
        row(f, "time in ms", |m| 1e3 * m.seconds)?;
        row(f, "share of the roof in %", |m| 100.0 * m.share_of_roof)?;
        writeln!(f, "  {}", self.measured_shape)?;
        let turns = Measured::TURNS;
        write!(
            f,
            "  the least of {turns} turns; above 100 % the data stay in a cache, and other work on the machine shows"
        )
    }
}
