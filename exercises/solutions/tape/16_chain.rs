use crate::tape::Line;

pub fn chain(lines: &[Line], values: &[f64]) -> Vec<f64> {
    let mut gradients = vec![0.0; lines.len()];
    gradients[lines.len() - 1] = 1.0;
    for (i, line) in lines.iter().enumerate().rev() {
        let g = gradients[i];
        match *line {
            Line::Input => {}
            Line::Sine(a) => gradients[a] = g * values[a].cos(),
            Line::Tanh(a) => gradients[a] = g * (1.0 - values[i] * values[i]),
            Line::Add(a, b) => [gradients[a], gradients[b]] = [g, g],
            Line::Multiply(a, b) => [gradients[a], gradients[b]] = [g * values[b], g * values[a]],
        }
    }
    gradients
}
