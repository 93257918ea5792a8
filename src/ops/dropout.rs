use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::tape::{Call, Gradients, Op, Shape, Tensor, Var};
use crate::{params, shader};

impl<'t> Var<'t> {
    /// y = x·mask/(1 − p), of the shape of x. Each element of the mask is 0 with probability p, and 1 otherwise, so
    /// that the expectation of y is x (Srivastava et al. 2014, scaled in training).
    ///
    /// ∂L/∂x = ∂L/∂y·mask/(1 − p), the same operation on the gradient. The mask is drawn again, not stored.
    ///
    /// The mask is a hash of the element's index, of `seed` and of `salt` (pcg4d of Jarzynski & Olano 2020, "Hash
    /// Functions for GPU Rendering"). `seed` `[1]` is an integer from 0 to 2²⁴ that the host writes, such as the step.
    /// `salt` distinguishes the applications on one tape.
    ///
    /// The tape refuses a `p` outside [0, 1).
    #[track_caller]
    pub fn dropout(self, seed: Self, p: f32, salt: u32) -> Self {
        self.tape().record(DropoutMask { p, salt }, &[self, seed])
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct DropoutMask {
    p: f32,
    salt: u32,
}

impl DropoutMask {
    /// The least hash that keeps an element: p·2³², rounded down. It is below 2³² because p < 1.
    fn threshold(self) -> u32 {
        (f64::from(self.p) * 2f64.powi(32)) as u32
    }

    fn scale(self) -> f64 {
        1.0 / (1.0 - f64::from(self.p))
    }
}

/// The hash pcg4d: four words from four words.
fn hash(words: [u32; 4]) -> [u32; 4] {
    let v = stir(words.map(|w| w.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    stir(v.map(|w| w ^ w >> 16))
}

fn stir([x, y, z, w]: [u32; 4]) -> [u32; 4] {
    let x = x.wrapping_add(y.wrapping_mul(w));
    let y = y.wrapping_add(z.wrapping_mul(x));
    let z = z.wrapping_add(x.wrapping_mul(y));
    let w = w.wrapping_add(y.wrapping_mul(z));
    [x, y, z, w]
}

impl Op for DropoutMask {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if !(0.0..1.0).contains(&self.p) {
            return Err(format!("the probability is {}, and must be at least 0 and below 1", self.p));
        }
        match inputs[1].dims() {
            [1] => Ok(inputs[0].clone()),
            _ => Err("the seed must be a single number, [1]".into()),
        }
    }

    fn vjp<'t>(&self, call: &Call<'t, '_>, gradient: Var<'t>) -> Option<Gradients<'t>> {
        Some(vec![call.when(0, || gradient.dropout(call.inputs[1], self.p, self.salt)), None])
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let (seed, threshold, scale) = (inputs[1].data[0] as u32, self.threshold(), self.scale());
        let factor = |i: usize| {
            let words = hash([(i / 4) as u32, seed, self.salt, 0]);
            if words[i % 4] >= threshold { scale } else { 0.0 }
        };
        inputs[0].data.iter().enumerate().map(|(i, x)| x * factor(i)).collect()
    }
}

params! {
    struct Params { quads: u32, salt: u32, threshold: u32, scale: f32 }
}

impl Lower for DropoutMask {
    fn lower(&self, at: &mut Lowering<'_>) {
        let (salt, threshold, scale) = (self.salt, self.threshold(), self.scale() as f32);
        let bindings = [("x", at.inputs[0]), ("seed", at.inputs[1]), ("result", at.output)];
        let params = Params { quads: at.quads(), salt, threshold, scale };
        at.by_quads(shader!("dropout.wgsl"), "dropout", &bindings, params);
    }
}

pub(super) const EXAMPLES: &[Example] = &[Example::new(
    "x.dropout(seed, p, salt)",
    "x/(1 − p), or 0 with probability p",
    "x: g/(1 − p), or 0 where y is",
    |tape| {
        let (x, seed) = (tape.input("x", [3, 5]), tape.input("seed", [1]));
        Case { y: x.dropout(seed, 0.3, 7), wrt: vec![x] }
    },
)
// Seeds are whole numbers.
.on(|name, number| if name == "seed" { (1e4 * number.abs()).round() } else { number })];

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::testing::{agrees_with, differentiates, feeds};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn any_size_step_and_salt(elements in 1usize..300, p in 0f32..1.0, step in 0u32..=1 << 24, salt: u32, seed: u64) {
            let tape = Tape::new();
            let (x, at) = (tape.input("x", [elements]), tape.input("step", [1]));
            let y = x.dropout(at, p, salt);
            x.dropout(at, 0.0, salt);
            differentiates(&tape, y, &[x], seed)?;
            let mut feeds = feeds(&tape, seed);
            feeds.iter_mut().filter(|(v, _)| v.line() == at.line()).for_each(|(_, data)| data[0] = step.into());
            agrees_with(&tape, &feeds)?;
        }
    }

    /// Dropout of ones with p = 0.3.
    fn dropped(step: f64, salt: u32) -> Vec<f64> {
        let tape = Tape::new();
        let (x, seed) = (tape.constant(1.0, [1 << 16]), tape.input("step", [1]));
        let y = x.dropout(seed, 0.3, salt);
        tape.interpret(&[(seed, &[step])]).unwrap().get(y).to_vec()
    }

    /// Distance of the count `found` among `n` from its expectation `n`·`expected`, in standard deviations.
    fn deviations(found: usize, n: usize, expected: f64) -> f64 {
        let n = n as f64;
        (found as f64 - n * expected).abs() / (n * expected * (1.0 - expected)).sqrt()
    }

    #[test]
    fn the_share_kept_is_that_asked_for_and_the_mean_stays() {
        for (step, salt) in [(0.0, 0), (1.0, 0), (0.0, 1), (16_777_216.0, u32::MAX)] {
            let y = dropped(step, salt);
            let kept = y.iter().filter(|&&y| y != 0.0).count();
            assert!(deviations(kept, y.len(), 0.7) < 4.0, "step {step}, salt {salt}: {kept} of {} kept", y.len());
            let mean = y.iter().sum::<f64>() / y.len() as f64;
            assert!((mean - 1.0).abs() < 0.02, "step {step}, salt {salt}: mean {mean}");
        }
    }

    #[test]
    fn masks_of_other_steps_salts_and_elements_are_independent() {
        let first = dropped(0.0, 0);
        let independent = |what: &str, other: &[f64]| {
            let equal = first.iter().zip(other).filter(|(a, b)| a == b).count();
            assert!(deviations(equal, other.len(), 0.7 * 0.7 + 0.3 * 0.3) < 4.0, "{what}: {equal} elements are equal");
        };
        assert_eq!(first, dropped(0.0, 0));
        for other in 1..=8 {
            independent("step", &dropped(f64::from(other), 0));
            independent("salt", &dropped(0.0, other));
            independent("step and salt", &dropped(f64::from(other), other));
            independent("element", &first[other as usize..]);
        }
    }

    #[test]
    fn what_is_no_probability_and_what_is_no_seed_are_refused() {
        let refused = |seed: usize, p: f32| {
            let tape = Tape::new();
            tape.input("x", [2]).dropout(tape.input("step", [seed]), p, 0);
            tape.check().unwrap_err().to_string()
        };
        for p in [-0.1, 1.0, f32::NAN] {
            let error = refused(1, p);
            assert!(error.contains("below 1") && error.contains(&p.to_string()), "{error}");
        }
        let error = refused(2, 0.5);
        assert!(error.contains("the seed"), "{error}");
    }
}
