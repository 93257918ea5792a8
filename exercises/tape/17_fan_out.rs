// Puzzle 17: fan-out.
//
// The walk of puzzle 16, for lines that read two others, where a line may be read more than once. Something is wrong here: a
// chain still comes out right.
//
//   Line::Add(j, k)        the sum of the lines j and k
//   Line::Multiply(j, k)   their product
//
// In the engine: `parts` in src/tape/walk.rs, one for each use of a line, and `Sum` in src/tape/sum.rs.

use crate::tape::Line;

pub fn fan_out(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for i in (0..lines.len()).rev() {
        let g = gradients[i];
        match lines[i] {
            Line::Add(j, k) => {
                gradients[j] = g;
                gradients[k] = g;
            }
            Line::Multiply(j, k) => {
                gradients[j] = g * values[k];
                gradients[k] = g * values[j];
            }
            Line::Sine(j) => gradients[j] = g * values[j].cos(),
            _ => {}
        }
    }
    gradients
}
