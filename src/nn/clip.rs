use crate::tape::Var;

/// Clips `gradients` by their global norm (Pascanu, Mikolov & Bengio 2013): gᵢ ← gᵢ·min(1, limit/‖g‖) with
/// ‖g‖² = Σᵢ Σ gᵢ², over all elements of all gradients. Their direction stays.
#[track_caller]
pub fn clip<'t>(gradients: &[Var<'t>], limit: f32) -> Vec<Var<'t>> {
    let Some(first) = gradients.first() else { return vec![] };
    let squares: Vec<_> = gradients.iter().map(|&g| (g * g).sum()).collect();
    let factor = first.tape().concat(&squares).sum().clip_factor(limit);
    gradients.iter().map(|&g| g * factor.broadcast(g.shape())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use crate::testing::agrees;

    #[test]
    fn the_global_norm_is_limited_and_the_direction_stays() {
        let tape = Tape::new();
        let gradients = [tape.input("a", [2]), tape.input("b", [1, 3])];
        // ‖g‖ = 7
        let feeds = [(gradients[0], &[2.0, 3.0][..]), (gradients[1], &[0.0, -6.0, 0.0])];
        for (limit, factor) in [(14.0, 1.0), (7.0, 1.0), (3.5, 0.5), (0.07, 0.01)] {
            let clipped = clip(&gradients, limit);
            let values = tape.interpret(&feeds).unwrap();
            for (clipped, (gradient, given)) in clipped.iter().zip(&feeds) {
                assert_eq!(clipped.shape(), gradient.shape());
                for (found, given) in values.get(*clipped).iter().zip(*given) {
                    assert!((found - factor * given).abs() < 1e-6, "limit {limit}: {found}, {given}");
                }
            }
        }
        agrees(&tape, 1).unwrap();
        assert!(clip(&[], 1.0).is_empty());
    }
}
