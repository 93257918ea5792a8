use super::adapter::program;
use super::{Case, Failed, Measured, Passed, Puzzle};
use crate::simulator::{Counts, Flaw, Kernel, Launch, Writer, launch};
use ign::compile::{CompileError, Compiled, compile};
use ign::gpu::{Gpu, Program, Store};
use ign::roof::{Peaks, seconds};
use ign::tape::Tape;
use std::collections::BTreeMap;

/// Tolerated distance of an element from its reference, relative to the reference, or absolute where that is below 1.
const TOLERANCE: f64 = 1e-4;
/// Number of invocations of a simulated subgroup.
const SUBGROUP: u32 = 8;

/// A learner's kernel that is right in the simulator.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The puzzle that the kernel solves.
    pub puzzle: &'static Puzzle,
    wgsl: String,
    counts: Counts,
    solution_counts: Counts,
}

/// Compiles a learner's kernel, runs it in the simulator over several shapes, and compares it with the reference and with the
/// solution of the puzzle. This part of the check needs no adapter.
///
/// # Errors
/// The first thing that is wrong with the kernel.
pub fn simulate(puzzle: &'static Puzzle, wgsl: &str) -> Result<Simulated, Failed> {
    let file = puzzle.file;
    let parsed = |text| Kernel::parse(text).map_err(|flaw| Failed::Wgsl { file, flaw });
    let kernel = parsed(wgsl)?;
    let mut counts = Counts::default();
    for case in puzzle.cases() {
        counts = simulate_case(puzzle, &kernel, &case)?;
    }
    let case = (puzzle.case)(puzzle.shapes.last().copied().unwrap_or(puzzle.measured));
    let solution = simulate_case(puzzle, &parsed(puzzle.solution)?, &case)?;
    let costs = [
        ("loads from buffers", counts.loads, solution.loads),
        (
            "accesses to lines of 64 bytes (those of 32 neighbouring invocations to a line count once)",
            counts.lines,
            solution.lines,
        ),
    ];
    match costs.into_iter().find(|(_, found, solution)| puzzle.lean && *found > solution + solution / 2) {
        Some((what, found, solution)) => Err(Failed::Costly { file, what, found, solution, shape: case.shape }),
        None => Ok(Simulated { puzzle, wgsl: wgsl.into(), counts, solution_counts: solution }),
    }
}

/// Runs a kernel on the adapter, after the simulator, compares it with the reference over the same shapes, and measures it.
///
/// # Errors
/// The first thing that is wrong with the kernel, or an error of the adapter.
pub async fn check(gpu: &Gpu, simulated: Simulated) -> Result<Passed, Failed> {
    let Simulated { puzzle, wgsl, counts, solution_counts } = simulated;
    // A device keeps all kernels that it has compiled, so their text lives as long as it does anyway.
    let text: &'static str = wgsl.leak();
    for case in puzzle.cases() {
        run(gpu, puzzle, text, &case).await?;
    }
    let case = (puzzle.case)(puzzle.measured);
    let own = run(gpu, puzzle, text, &case).await?;
    let solution = run(gpu, puzzle, puzzle.solution, &case).await?;
    let peaks = Peaks::measure(gpu).await?;
    let engine = engine(gpu, puzzle, &case).await?;
    // By turns, so that other work on the machine falls on all of them.
    let programs = [Some(&own), Some(&solution), engine.as_ref().map(Compiled::program)];
    let mut least = [f64::INFINITY; 3];
    for _ in 0..Measured::TURNS {
        for (least, program) in least.iter_mut().zip(programs) {
            if let Some(program) = program {
                *least = least.min(seconds(gpu, program).await?);
            }
        }
    }
    let measured = |i: usize| Measured { seconds: least[i], share_of_roof: peaks.least(case.cost) / least[i] };
    Ok(Passed {
        shapes: puzzle.cases().map(|case| case.shape).collect(),
        adapter: gpu.caps().to_string(),
        counts,
        solution_counts,
        measured: measured(0),
        solution_measured: measured(1),
        engine_measured: engine.as_ref().map(|_| measured(2)),
        measured_shape: case.shape,
    })
}

fn simulate_case(puzzle: &Puzzle, kernel: &Kernel, case: &Case) -> Result<Counts, Failed> {
    let file = puzzle.file;
    unchanged(kernel, case).map_err(|message| Failed::Wgsl { file, flaw: Flaw::anywhere(message) })?;
    let bits = |data: &[f32]| data.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let mut buffers: BTreeMap<String, Vec<u32>> =
        case.inputs.iter().map(|(name, data)| (name.to_string(), bits(data))).collect();
    let (name, extents) = &case.output;
    buffers.insert(name.to_string(), vec![f32::NAN.to_bits(); extents.iter().product()]);
    buffers.insert("params".into(), case.params.iter().map(|(_, value)| *value).collect());
    if let Some((name, elements)) = case.scratch {
        buffers.insert(name.into(), vec![f32::NAN.to_bits(); elements]);
    }
    let mut counts = Counts::default();
    let mut writers = BTreeMap::new();
    for pass in &case.passes {
        let pass = Launch { kernel, entry: pass.entry, groups: pass.groups, subgroup: SUBGROUP, cleared: true };
        let (more, last) =
            launch(&pass, &mut buffers).map_err(|flaw| Failed::Flaw { file, flaw, shape: case.shape.clone() })?;
        counts = counts + more;
        writers = last;
    }
    let found: Vec<_> = buffers[*name].iter().map(|&word| f32::from_bits(word)).collect();
    // A buffer that no entry point uses has no writers.
    let nobody = vec![None; found.len()];
    compare(puzzle, case, &found, writers.get(*name).unwrap_or(&nobody), "the simulator")?;
    Ok(counts)
}

/// Refuses a kernel whose entry points or parameters are not those of the puzzle.
fn unchanged(kernel: &Kernel, case: &Case) -> Result<(), String> {
    for pass in &case.passes {
        let [x, y, z] = pass.workgroup;
        match kernel.workgroup(pass.entry) {
            None => return Err(format!("there is no entry point `{}`; the puzzle needs it", pass.entry)),
            Some(size) if size != pass.workgroup => {
                let entry = pass.entry;
                return Err(format!(
                    "`{entry}` has workgroups of {size:?}; the puzzle starts workgroups of {x} × {y} × {z}"
                ));
            }
            Some(_) => {}
        }
    }
    let names: Vec<_> = case.params.iter().map(|(name, _)| *name).collect();
    match kernel.members("params") {
        Some(members) if members != names => {
            Err(format!("the members of `params` are {}; the puzzle has {}", members.join(", "), names.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Runs a kernel on the adapter, compares its result, and returns its program.
async fn run(gpu: &Gpu, puzzle: &Puzzle, text: &'static str, case: &Case) -> Result<Program, Failed> {
    let (program, result) = program(gpu, puzzle, text, case).await?;
    program.run()?;
    compare(puzzle, case, &program.read(&[result]).await?.concat(), &[], &gpu.caps().to_string())?;
    Ok(program)
}

/// The engine's operation for the problem to measure, after a run that was right.
async fn engine(gpu: &Gpu, puzzle: &Puzzle, case: &Case) -> Result<Option<Compiled>, Failed> {
    let Some(record) = puzzle.engine else { return Ok(None) };
    let tape = Tape::new();
    let result = record(&tape, puzzle.measured).map_err(CompileError::from)?;
    let compiled = compile(gpu, &Store::new(), &tape, &[(case.output.0, result)]).await?;
    for (name, data) in &case.inputs {
        compiled.write(name, data)?;
    }
    compiled.run()?;
    let found = compiled.read(&[case.output.0]).await?.concat();
    compare(puzzle, case, &found, &[], "the adapter, by the engine's own kernel")?;
    Ok(Some(compiled))
}

/// Compares a result with the reference. `writers` says who stored each element, where that is known.
fn compare(puzzle: &Puzzle, case: &Case, found: &[f32], writers: &[Option<Writer>], on: &str) -> Result<(), Failed> {
    let right =
        |(&found, &expected): (&f32, &f64)| (f64::from(found) - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
    let Some(first) = found.iter().zip(&case.expected).position(|pair| !right(pair)) else { return Ok(()) };
    let writer = writers.get(first).copied().flatten();
    let stored = writers.is_empty() || writer.is_some();
    Err(Failed::Wrong {
        file: puzzle.file,
        element: element(case.output.0, &case.output.1, first),
        found: Some(found[first]).filter(|_| stored),
        expected: case.expected[first],
        shape: case.shape.clone(),
        writer,
        on: on.into(),
    })
}

/// Element number `index` of a tensor with these extents, as `y[2, 5]`.
fn element(name: &str, extents: &[usize], mut index: usize) -> String {
    let mut place = vec![];
    for &extent in extents.iter().rev() {
        place.insert(0, (index % extent).to_string());
        index /= extent;
    }
    format!("{name}[{}]", place.join(", "))
}
