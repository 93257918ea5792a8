use crate::tape::Line;

pub fn chain(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for i in (0..lines.len()).rev() {
        match lines[i] {
            Line::Square(j) => gradients[j] = gradients[i] * 2.0 * values[j],
            Line::Sine(j) => gradients[j] = gradients[i] * values[j].cos(),
            Line::Exp(j) => gradients[j] = gradients[i] * values[i],
            _ => {}
        }
    }
    gradients
}
