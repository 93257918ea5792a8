use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::tape::{Op, Shape, Tensor, Var, operands};
use crate::{params, shader};

/// One step of Adam (Kingma & Ba 2014, in PyTorch's form). Updates p, m and v in place:
///
/// m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², p ← p − rates₀·m / (√v·rates₁ + ε)
///
/// with rates `[2]` = (learning rate/(1 − β1ᵗ), 1/√(1 − β2ᵗ)) in step t, counted from 1. The parameters p, the moments
/// m and v, and the gradient g have one shape. p, m and v must be states.
#[track_caller]
pub fn adam<'t>(
    [p, m, v]: [Var<'t>; 3],
    g: Var<'t>,
    rates: Var<'t>,
    [beta1, beta2]: [f32; 2],
    epsilon: f32,
) -> Var<'t> {
    p.tape().record(AdamUpdate { beta1, beta2, epsilon }, &[p, g, m, v, rates])
}

#[derive(Debug)]
pub(super) struct AdamUpdate {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
}

impl Op for AdamUpdate {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let alike = inputs[1..4].iter().all(|s| *s == inputs[0]);
        match alike && inputs[4].elements() == 2 {
            true => Ok(Shape::none()),
            false => Err("parameter, gradient and moments must have one shape, the rates two elements".into()),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let [p, g, m, v, rates] = operands(inputs).map(|x| x.data);
        let (b1, b2) = (f64::from(self.beta1), f64::from(self.beta2));
        let first: Vec<_> = m.iter().zip(g).map(|(m, g)| b1 * m + (1.0 - b1) * g).collect();
        let second: Vec<_> = v.iter().zip(g).map(|(v, g)| b2 * v + (1.0 - b2) * g * g).collect();
        let step = |i: usize| rates[0] * first[i] / (second[i].sqrt() * rates[1] + f64::from(self.epsilon));
        let moved: Vec<_> = p.iter().enumerate().map(|(i, p)| p - step(i)).collect();
        [moved, first, second].concat()
    }

    fn writes(&self) -> &[usize] {
        &[0, 2, 3]
    }
}

params! {
    struct Params { quads: u32, beta1: f32, beta2: f32, epsilon: f32 }
}

impl Lower for AdamUpdate {
    fn lower(&self, at: &mut Lowering<'_>) {
        let elements = at.shapes[0].elements();
        let Self { beta1, beta2, epsilon } = *self;
        let params = Params { quads: elements.div_ceil(4) as u32, beta1, beta2, epsilon };
        let [p, gradient, m, v, rates] = at.operands();
        let bindings = [("p", p), ("m", m), ("v", v), ("gradient", gradient), ("rates", rates)];
        at.over(elements.div_ceil(4), 12 * elements, &[shader!("adam.wgsl")], "adam", &bindings, params);
    }
}

pub(super) const EXAMPLES: &[Example] = &[Example::new(
    "adam([p, m, v], g, rates, [β1, β2], ε)",
    "m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², p ← p − rates₀·m/(√v·rates₁ + ε)",
    "none",
    |tape| {
        let [p, m, v] = ["p", "m", "v"].map(|name| tape.state(name, [7]));
        let y = adam([p, m, v], tape.input("g", [7]), tape.input("rates", [2]), [0.5, 0.999], 1e-8);
        Case { y, wrt: vec![] }
    },
)
// Second moments are averages of squares, and rates are positive.
.on(|name, number| if ["v", "rates"].contains(&name) { number.abs() + 0.1 } else { number })];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees_with, feeds_in};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_step(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let g = tape.input("g", [elements]);
            let rates = tape.input("rates", [2]);
            let [p, m, v] = ["p", "m", "v"].map(|name| tape.state(name, [elements]));
            adam([p, m, v], g, rates, [0.5, 0.999], 1e-8);
            let feeds = feeds_in(&tape, seed, EXAMPLES[0].domain);
            agrees_with(&tape, &feeds)?;
        }
    }

    #[test]
    fn what_is_updated_must_be_state() {
        let tape = Tape::new();
        let x = tape.input("x", [3]);
        adam([x, x, x], x, tape.input("rates", [2]), [0.5, 0.999], 1e-8);
        let error = tape.check().unwrap_err();
        assert!(error.to_string().contains("must be state"), "{error}");
    }
}
