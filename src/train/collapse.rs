use crate::method::Losses;

/// A detector of two training failures: collapse of all samples to one image, and an f that does not become idempotent.
#[derive(Default)]
pub struct Watch {
    /// Consecutive lines of metrics with collapsed samples.
    flat: usize,
    /// Consecutive lines of metrics with an f that is not idempotent.
    loose: usize,
}

/// Consecutive bad lines before a warning.
const PATIENCE: usize = 5;
/// Variance of f(z) over the batch below which f(z) counts as collapsed. The variance of MNIST is 0.27.
const FLAT: f32 = 1e-3;

impl Watch {
    /// Observes the losses after `step` of `steps`. Returns a warning once a failure persists, and again only after a
    /// recovery.
    pub fn observe(&mut self, step: u64, steps: u64, losses: &Losses) -> Option<String> {
        // Early in training, similar outputs and small losses are normal.
        let flat = step > 100.min(steps / 10) && losses.variance < FLAT;
        let loose = step > steps / 2 && losses.idem >= losses.rec;
        self.flat = if flat { self.flat + 1 } else { 0 };
        self.loose = if loose { self.loose + 1 } else { 0 };
        if self.flat == PATIENCE {
            return Some(format!(
                "f(z) has collapsed: its variance over the batch is {:.1e}, so all samples are the same image. \
                 Try a larger tightness weight, a smaller learning rate or another seed.",
                losses.variance
            ));
        }
        (self.loose == PATIENCE).then(|| {
            format!(
                "f is not becoming idempotent: late in training |idem| {:.4} is still at or above rec {:.4}. \
                 Samples are likely to be poor. Try another tightness weight, a looser tightness bound, or a smaller \
                 learning rate.",
                losses.idem, losses.rec
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Losses = Losses { rec: 0.03, idem: 0.01, tight: -0.01, variance: 0.3 };

    fn verdicts(losses: Losses, from: u64) -> Vec<String> {
        let mut watch = Watch::default();
        (from..from + 20).filter_map(|step| watch.observe(step, 1000, &losses)).collect()
    }

    #[test]
    fn good_runs_are_left_alone() {
        assert!(verdicts(GOOD, 1).is_empty() && verdicts(GOOD, 900).is_empty());
        // Low variance and high idempotence loss are normal early in training.
        assert!(verdicts(Losses { variance: 0.0, ..GOOD }, 1).is_empty());
        assert!(verdicts(Losses { idem: 0.05, ..GOOD }, 1).is_empty());
    }

    #[test]
    fn each_failure_is_reported_once() {
        let flat = verdicts(Losses { variance: 1e-6, ..GOOD }, 200);
        assert!(flat.len() == 1 && flat[0].contains("collapsed"), "{flat:?}");
        let loose = verdicts(Losses { idem: 0.05, ..GOOD }, 800);
        assert!(loose.len() == 1 && loose[0].contains("idempotent"), "{loose:?}");
    }

    #[test]
    fn one_bad_line_is_no_verdict() {
        let mut watch = Watch::default();
        for step in 900..990 {
            let losses = if step % 4 == 0 { GOOD } else { Losses { idem: 0.05, ..GOOD } };
            assert_eq!(watch.observe(step, 1000, &losses), None);
        }
    }
}
