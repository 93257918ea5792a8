//! The products of the tour: matrices, their product in f64, and the checked program of each step. The page of `web/` uses this
//! file too.

use super::steps::Step;
use ign::gpu::{Command, Commands, Cost, Dispatch, Gpu, Kernel, Place, Program, Specialisation, Store, ValueId};
use std::error::Error;

ign::params! {
    struct Params { rows: u32, columns: u32, steps: u32 }
}

/// Tolerated distance of an element from its f64 reference, relative to the greatest element.
const TOLERANCE: f64 = 3e-5;

/// Two square matrices A and B, and rows of their product C in f64.
pub struct Product {
    pub size: usize,
    pub a: Vec<f32>,
    pub b: Vec<f32>,
    /// Number and elements of each row.
    rows: Vec<(usize, Vec<f64>)>,
}

impl Product {
    /// Matrices of `size` rows and columns, and these rows of C.
    pub fn new(size: usize, rows: impl IntoIterator<Item = usize>) -> Self {
        let (a, b) = (numbers(size * size, 0), numbers(size * size, 31));
        let row = |row: usize| {
            let mut c = vec![0.0; size];
            for (a, b) in a[row * size..].iter().zip(b.chunks(size)) {
                c.iter_mut().zip(b).for_each(|(c, &b)| *c += f64::from(*a) * f64::from(b));
            }
            (row, c)
        };
        let rows = rows.into_iter().map(row).collect();
        Self { size, a, b, rows }
    }

    /// Minimum arithmetic and memory traffic.
    pub fn cost(&self) -> Cost {
        let size = self.size as u64;
        Cost { flops: 2 * size.pow(3), bytes: 3 * 4 * size.pow(2) }
    }

    /// The greatest distance of an element of these rows of C from its reference, relative to the greatest element.
    ///
    /// # Errors
    /// An element that is off. `what` names the product.
    pub fn check(&self, what: &str, c: &[f32]) -> Result<f64, String> {
        let greatest = self.rows.iter().flat_map(|(_, row)| row).fold(0.0f64, |most, x| most.max(x.abs()));
        let mut worst = 0.0f64;
        for (row, expected) in &self.rows {
            for (i, (found, expected)) in (row * self.size..).zip(c[row * self.size..].iter().zip(expected)) {
                let error = (f64::from(*found) - expected).abs() / greatest;
                if error.is_nan() || error > TOLERANCE {
                    return Err(format!("{what}: element {i} is {found}, expected {expected}"));
                }
                worst = worst.max(error);
            }
        }
        Ok(worst)
    }
}

/// Numbers in [-1, 1), the same ones again only after 2003.
fn numbers(count: usize, offset: u64) -> Vec<f32> {
    (0..count as u64).map(|i| ((i * 7919 + offset) % 2003) as f32 / 1001.5 - 1.0).collect()
}

/// The program of a step for these matrices, after a run that was right, and the error of its result.
///
/// # Errors
/// A size that is no multiple of the step's tile; a wrong result; an error of the adapter.
pub async fn checked(gpu: &Gpu, step: &Step, product: &Product) -> Result<(Program, f64), Box<dyn Error>> {
    let tile = (step.tile)(gpu.caps().subgroup.unwrap_or(1));
    if tile.iter().any(|&extent| !product.size.is_multiple_of(extent as usize)) {
        return Err(format!("{}: {} rows and columns are not whole tiles of {tile:?}", step.name, product.size).into());
    }
    let (commands, [a, b, c]) = commands(step, product.size as u32, gpu.caps().subgroup.unwrap_or(1));
    let program = Program::new(gpu, &commands, &Store::new()).await?;
    program.write(a, &product.a)?;
    program.write(b, &product.b)?;
    program.run()?;
    let error = product.check(step.name, &program.read(&[c]).await?.concat())?;
    Ok((program, error))
}

/// The dispatches of a step, and the values A, B and C.
fn commands(step: &Step, size: u32, lanes: u32) -> (Commands, [ValueId; 3]) {
    let mut commands = Commands::default();
    let elements = (size * size) as usize;
    let [a, b, c, panels] = ["a", "b", "c", "panels"].map(|name| commands.value(name, elements, Place::Host));
    let mut dispatch = |entry, bindings: &[(&'static str, ValueId)], workgroups: u32| {
        let lanes = if step.subgroup { vec![Specialisation::U32(Dispatch::LANES, lanes)] } else { vec![] };
        let kernel = Kernel::new(&[step.source], entry, &lanes);
        let params = Params { rows: size, columns: size, steps: size }.into();
        let (bindings, workgroups, cost) = (bindings.to_vec(), workgroups.into(), Cost::default());
        // No step takes more than four turns of its loops per step of the inner axis.
        let turns = 4 * u64::from(size);
        let dispatch = Dispatch { kernel, bindings, params, workgroups, turns, cost };
        let command = Command { line: 0, op: entry, shape: String::new(), what: step.name.into(), dispatch };
        // SAFETY: the size is a multiple of every tile, so every index stays within its matrix or tile. All loops end,
        // no divisor is zero, and workgroup memory is written before it is read.
        unsafe { commands.push_unchecked(command) };
    };
    let [rows, columns] = (step.tile)(lanes);
    let workgroups = size / rows * (size / columns);
    if step.packed {
        // The time of a step includes packing, because the product needs it.
        dispatch("pack", &[("a", a), ("packed", panels)], size * (size / rows) / 64);
    }
    let left = if step.packed { ("panels", panels) } else { ("a", a) };
    dispatch("product", &[left, ("b", b), ("c", c)], workgroups);
    (commands, [a, b, c])
}
