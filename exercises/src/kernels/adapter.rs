//! Kernels of puzzles on the adapter. They are compiled with runtime checks.

use super::{Case, Puzzle};
use ign::gpu::{
    BindingKind, Command, Commands, Dispatch, Field, Gpu, GpuError, Kernel, Params, Place, Program, Store, ValueId,
    Wgsl,
};

/// The program of a kernel for a problem, with its operands written, and its result.
pub async fn program(
    gpu: &Gpu,
    puzzle: &Puzzle,
    text: &'static str,
    case: &Case,
) -> Result<(Program, ValueId), GpuError> {
    let mut commands = Commands::default();
    let mut values: Vec<(&'static str, ValueId)> = vec![];
    let elements = case.output.1.iter().product();
    let sizes = case.inputs.iter().map(|(name, data)| (*name, data.len()));
    for (name, elements) in sizes.chain([(case.output.0, elements)]).chain(case.scratch) {
        values.push((name, commands.value(name, elements, Place::Host)));
    }
    let mut used = vec![];
    for pass in &case.passes {
        let kernel = Kernel::new(&[Wgsl { path: puzzle.file, text }], pass.entry, &[]);
        let interface = kernel.reflect()?;
        let buffers = interface.bindings.iter().filter(|b| !matches!(b.kind, BindingKind::Uniform(_)));
        let names: Vec<_> = buffers.map(|b| b.name.as_str()).collect();
        let bindings: Vec<_> = values.iter().filter(|(name, _)| names.contains(name)).copied().collect();
        used.extend(bindings.iter().map(|(name, _)| *name));
        let dispatch = Dispatch {
            kernel,
            bindings,
            params: params(case),
            workgroups: pass.groups.into(),
            turns: Dispatch::MAX_TURNS,
            cost: case.cost,
        };
        let (shape, what) = (case.shape.clone(), puzzle.file.into());
        commands.push(Command { line: 0, op: pass.entry, shape, what, dispatch });
    }
    let program = Program::new(gpu, &commands, &Store::new()).await?;
    let value = |wanted: &str| values.iter().find(|(name, _)| *name == wanted && used.contains(name)).map(|v| v.1);
    for (name, data) in &case.inputs {
        if let Some(value) = value(name) {
            program.write(value, data)?;
        }
    }
    let result = value(case.output.0)
        .ok_or_else(|| GpuError::Transfer { name: case.output.0.into(), reason: "no entry point uses it".into() })?;
    program.write(result, &vec![f32::NAN; elements])?;
    Ok((program, result))
}

fn params(case: &Case) -> Params {
    let field =
        |(i, (name, _)): (usize, &(&'static str, u32))| Field { name: (*name).into(), offset: 4 * i as u32, bytes: 4 };
    Params {
        bytes: case.params.iter().flat_map(|(_, value)| value.to_le_bytes()).collect(),
        fields: case.params.iter().enumerate().map(field).collect(),
    }
}
