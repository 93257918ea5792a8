//! The terms that the objective can join to idempotence.

use crate::tape::Var;

/// The temperature τ of the soft minimum of the nearest-neighbour term, in squared differences per pixel.
const TEMPERATURE: f32 = 0.01;
/// What a sample of the image's class has before others, in units of D/τ, which is at most 4/τ.
const OWN_CLASS: f32 = 1e3;
/// What keeps the cosine of codes that are zero from being 0/0.
const SMALLEST: f32 = 1e-12;

/// The mean over images xᵢ of the squared distance per pixel to the nearest sample yⱼ, as a soft minimum
/// −τ·ln Σⱼ exp(−D(xᵢ, yⱼ)/τ) up to a constant. With `labels` `[N, K]` of both, j goes over the samples of the image's class.
#[track_caller]
pub(super) fn nearest<'t>(x: Var<'t>, y: Var<'t>, labels: Option<Var<'t>>) -> Var<'t> {
    let (tape, count, elements) = (x.tape(), x.shape().batch(), x.shape().per_sample());
    let [x, y] = [x, y].map(|images| images.reshape([count, elements]));
    // D(xᵢ, yⱼ) without |xᵢ|², which is the same for all j.
    let squares = (y * y).sum_per_sample().broadcast_channels([count, count]);
    let scale = 1.0 / (TEMPERATURE * elements as f32);
    let mut parts = vec![(2.0 * scale, x.linear(y, None)), (-scale, squares)];
    // labels·labelsᵀ is 1 for a pair of one class, and 0 for others.
    parts.extend(labels.map(|labels| (OWN_CLASS, labels.linear(labels, None))));
    let logits = tape.linear_combination(&parts);
    let uniform = tape.constant(1.0 / count as f32, [count, count]);
    -TEMPERATURE * (logits.softmax_cross_entropy(uniform) + logits.mean())
}

/// The mean squared cosine between different codes sᵢ `[N, …]`: Σ_{i≠j} (sᵢ·sⱼ/(|sᵢ|·|sⱼ|))²/(N(N − 1)).
#[track_caller]
pub(super) fn pulling_away(code: Var<'_>) -> Var<'_> {
    let (tape, count) = (code.tape(), code.shape().batch());
    let code = code.reshape([count, code.shape().per_sample()]);
    let lengths = (code * code).sum_per_sample();
    let products = code.linear(code, None);
    let scale =
        lengths.reshape([count, 1]).matmul(lengths.reshape([1, count])) + tape.constant(SMALLEST, [count, count]);
    // The cosine of a code with itself is 1, whose gradient is 0.
    let pairs = (count * (count - 1)) as f32;
    let all = (products * products / scale).sum();
    tape.linear_combination(&[(1.0 / pairs, all), (-1.0 / (count as f32 - 1.0), tape.constant(1.0, all.shape()))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;

    /// The gradient of the term is Σᵢ wᵢⱼ·2(yⱼ − xᵢ)/(N·elements), with w the softmax of −D/τ over the samples of the class.
    #[test]
    fn each_image_draws_the_samples_near_it() {
        const IMAGES: [f64; 6] = [0.0, 0.0, 1.0, 1.0, -1.0, 0.5];
        const SAMPLES: [f64; 6] = [0.1, 0.0, 0.2, 0.1, 0.9, 0.8];
        for classes in [[0, 0, 0], [0, 1, 0]] {
            let tape = Tape::new();
            let [x, y] = ["x", "y"].map(|name| tape.input(name, [3, 1, 1, 2]));
            let labels = tape.input("labels", [3, 2]);
            let gradient = tape.gradient(nearest(x, y, Some(labels)), &[y]).unwrap()[0];
            let one_hot = classes.map(|class| [f64::from(1 - class), f64::from(class)]).concat();
            let values = tape.interpret(&[(x, &IMAGES), (y, &SAMPLES), (labels, &one_hot)]).unwrap();
            let mut expected = [0.0; 6];
            for (image, own) in IMAGES.chunks(2).zip(classes) {
                let distance = |s: &[f64]| s.iter().zip(image).map(|(s, x)| (s - x).powi(2)).sum::<f64>() / 2.0;
                let weight = |s: &[f64]| (-distance(s) / f64::from(TEMPERATURE)).exp();
                let of_class = SAMPLES.chunks(2).zip(classes);
                let weights: Vec<_> = of_class.map(|(s, class)| if class == own { weight(s) } else { 0.0 }).collect();
                let total: f64 = weights.iter().sum();
                for (i, e) in expected.iter_mut().enumerate() {
                    *e += weights[i / 2] / total * 2.0 * (SAMPLES[i] - image[i % 2]) / 6.0;
                }
            }
            for (f, e) in values.get(gradient).iter().zip(expected) {
                assert!((f - e).abs() < 1e-6, "{classes:?}: {f} and {e}");
            }
            if classes == [0, 0, 0] {
                let without = tape.gradient(nearest(x, y, None), &[y]).unwrap()[0];
                let values = tape.interpret(&[(x, &IMAGES), (y, &SAMPLES), (labels, &one_hot)]).unwrap();
                for (f, e) in values.get(without).iter().zip(expected) {
                    assert!((f - e).abs() < 1e-6, "without labels: {f} and {e}");
                }
            }
        }
    }

    #[test]
    fn the_pulling_away_term_is_the_mean_squared_cosine_of_different_codes() {
        let tape = Tape::new();
        let code = tape.input("code", [3, 2, 1, 1]);
        let term = pulling_away(code);
        let gradient = tape.gradient(term, &[code]).unwrap()[0];
        let codes = [1.0, 0.0, 3.0, 3.0, 0.0, -2.0];
        let values = tape.interpret(&[(code, &codes)]).unwrap();
        // Squared cosines of the pairs: 1/2, 0 and 1/2.
        assert!((values.get(term)[0] - 1.0 / 3.0).abs() < 1e-6);
        // A longer code has the same cosines.
        let along: f64 =
            values.get(gradient).chunks(2).zip(codes.chunks(2)).map(|(g, s)| g[0] * s[0] + g[1] * s[1]).sum();
        assert!(along.abs() < 1e-6 && values.get(gradient).iter().any(|g| g.abs() > 0.01), "{along}");
        let none = tape.interpret(&[(code, &[0.0; 6])]).unwrap();
        assert!(none.get(gradient).iter().all(|g| g.is_finite()));
    }
}
