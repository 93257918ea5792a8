use super::lower::{Lower, Lowering};
use crate::tape::{Op, Result, Shape, Tensor, Var};
use crate::{params, shader};

/// One step of Adam (Kingma & Ba 2014, in PyTorch's form), updating p, m and v in place:
///
/// m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², p ← p − rates₀·m / (√v·rates₁ + ε)
///
/// with rates `[2]` = (learning rate/(1 − β1ᵗ), 1/√(1 − β2ᵗ)) in step t, counted from 1.
#[allow(clippy::too_many_arguments)]
pub fn adam<'t>(
    p: Var<'t>,
    g: Var<'t>,
    m: Var<'t>,
    v: Var<'t>,
    rates: Var<'t>,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
) -> Result<Var<'t>> {
    p.tape().record(Adam { beta1, beta2, epsilon }, &[p, g, m, v, rates])
}

#[derive(Debug)]
pub(super) struct Adam {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
}

impl Op for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn shape(&self, inputs: &[&Shape]) -> std::result::Result<Shape, String> {
        let alike = inputs[1..4].iter().all(|s| *s == inputs[0]);
        match alike && inputs[4].elements() == 2 {
            true => Ok(Shape::none()),
            false => Err("parameter, gradient and moments must have one shape, the rates two elements".into()),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let [p, g, m, v, rates] = [0, 1, 2, 3, 4].map(|i| inputs[i].data);
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

impl Lower for Adam {
    fn lower(&self, at: &mut Lowering<'_>) {
        let elements = at.shapes[0].elements();
        let Self { beta1, beta2, epsilon } = *self;
        let params = Params { quads: elements.div_ceil(4) as u32, beta1, beta2, epsilon };
        let [p, gradient, m, v, rates] = [0, 1, 2, 3, 4].map(|i| at.inputs[i]);
        let bindings = [("p", p), ("m", m), ("v", v), ("gradient", gradient), ("rates", rates)];
        at.over(elements.div_ceil(4), 12 * elements, shader!("adam.wgsl"), "adam", &bindings, params);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::{agrees_with, feeds};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_step(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let g = tape.input("g", [elements]);
            let rates = tape.input("rates", [2]);
            let [p, m, v] = ["p", "m", "v"].map(|name| tape.state(name, [elements]));
            adam(p?, g, m?, v?, rates, 0.5, 0.999, 1e-8)?;
            let mut feeds = feeds(&tape, seed);
            // Second moments are averages of squares; rates are positive.
            feeds.iter_mut().filter(|(v, _)| v.name() == "v").for_each(|(_, d)| d.iter_mut().for_each(|x| *x *= *x));
            feeds.iter_mut().filter(|(v, _)| v.name() == "rates").for_each(|(_, d)| *d = vec![0.0125, 4.5]);
            agrees_with(&tape, &feeds)?;
        }
    }

    #[test]
    fn what_is_updated_must_be_state() {
        let tape = Tape::new();
        let x = tape.input("x", [3]);
        let error = adam(x, x, x, x, tape.input("rates", [2]), 0.5, 0.999, 1e-8).unwrap_err();
        assert!(error.to_string().contains("must be state"), "{error}");
    }
}
