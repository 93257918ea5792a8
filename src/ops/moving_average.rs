use super::lower::{Lower, Lowering};
use super::{Case, Example};
use crate::tape::{Op, Shape, Tensor, Var, operands};
use crate::{params, shader};

/// Updates a moving average in place: a ← a + r·(x − a), with a and x of one shape and the rate r `[1]`. The average
/// must be a state.
#[track_caller]
pub fn moving_average<'t>(average: Var<'t>, x: Var<'t>, rate: Var<'t>) -> Var<'t> {
    average.tape().record(MovingAverage, &[average, x, rate])
}

#[derive(Debug)]
pub(super) struct MovingAverage;

impl Op for MovingAverage {
    fn name(&self) -> &'static str {
        "moving_average"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs[0] == inputs[1] && inputs[2].elements() == 1 {
            true => Ok(Shape::none()),
            false => Err("average and x must have one shape, the rate one element".into()),
        }
    }

    fn reference(&self, inputs: &[Tensor<'_>], _: &Shape) -> Vec<f64> {
        let [average, x, rate] = operands(inputs).map(|x| x.data);
        average.iter().zip(x).map(|(a, x)| a + rate[0] * (x - a)).collect()
    }

    fn writes(&self) -> &[usize] {
        &[0]
    }
}

params! {
    struct Params { quads: u32 }
}

impl Lower for MovingAverage {
    fn lower(&self, at: &mut Lowering<'_>) {
        let elements = at.shapes[0].elements();
        let quads = elements.div_ceil(4);
        let [average, x, rate] = at.operands();
        let bindings = [("average", average), ("x", x), ("rate", rate)];
        let params = Params { quads: quads as u32 };
        at.over(quads, 3 * elements, &[shader!("moving_average.wgsl")], "moving_average", &bindings, params);
    }
}

pub(super) const EXAMPLES: &[Example] =
    &[Example::new("moving_average(a, x, rate)", "a ← a + rate·(x − a)", "none", |tape| {
        let (average, x) = (tape.state("average", [7]), tape.input("x", [7]));
        Case { y: moving_average(average, x, tape.input("rate", [1])), wrt: vec![] }
    })];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::agrees;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn any_size(elements in 1usize..300, seed: u64) {
            let tape = Tape::new();
            let average = tape.state("average", [elements]);
            moving_average(average, tape.input("x", [elements]), tape.input("rate", [1]));
            agrees(&tape, seed)?;
        }
    }

    #[test]
    fn a_rate_of_a_quarter_goes_a_quarter_of_the_way() {
        let tape = Tape::new();
        let average = tape.state("average", [2]);
        let (x, rate) = (tape.input("x", [2]), tape.input("rate", [1]));
        moving_average(average, x, rate);
        let values = tape.interpret(&[(average, &[0.0, 8.0]), (x, &[4.0, 0.0]), (rate, &[0.25])]).unwrap();
        assert_eq!(values.get(average), [1.0, 6.0]);
    }
}
