use crate::tape::Line;

pub fn fan_out(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for i in (0..lines.len()).rev() {
        let g = gradients[i];
        match lines[i] {
            Line::Add(j, k) => {
                gradients[j] += g;
                gradients[k] += g;
            }
            Line::Multiply(j, k) => {
                gradients[j] += g * values[k];
                gradients[k] += g * values[j];
            }
            Line::Sine(j) => gradients[j] += g * values[j].cos(),
            _ => {}
        }
    }
    gradients
}
