// Puzzle 17: values that are used several times.
//
// The walk of puzzle 16. The rules of the operations are given: `line.derivatives(i, values)` lists the lines that line i
// reads, each with the derivative of line i with respect to it. Something is wrong here. Chains come out right; programs
// that use a value twice do not.
//
// In the engine: `parts` in src/tape/walk.rs, and the only operation that the walk itself records, src/tape/sum.rs.

use crate::tape::Line;

pub fn fan_out(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for (i, line) in lines.iter().enumerate().rev() {
        for (input, derivative) in line.derivatives(i, values) {
            gradients[input] = gradients[i] * derivative;
        }
    }
    gradients
}
