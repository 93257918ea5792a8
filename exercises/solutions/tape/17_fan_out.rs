use crate::tape::Line;

pub fn fan_out(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for (i, line) in lines.iter().enumerate().rev() {
        for (input, derivative) in line.derivatives(i, values) {
            gradients[input] += gradients[i] * derivative;
        }
    }
    gradients
}
