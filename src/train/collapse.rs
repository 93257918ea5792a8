use super::Losses;

/// Watches for the two ways in which training fails.
#[derive(Default)]
pub struct Watch {
    /// Lines of metrics in a row that look bad, for each way.
    flat: usize,
    loose: usize,
}

/// Lines in a row that make a verdict.
const PATIENCE: usize = 5;
/// A variance of f(z) over the batch below which all samples are one. MNIST's own is 0.4.
const FLAT: f32 = 1e-3;

impl Watch {
    /// Looks at the losses after `step` of `steps`. The verdict comes once, in words.
    pub fn observe(&mut self, step: u64, steps: u64, losses: &Losses) -> Option<String> {
        // At the beginning all outputs are alike, and both terms are small.
        let flat = step > 100.min(steps / 10) && losses.variance < FLAT;
        let loose = step > steps / 2 && losses.idem >= losses.rec;
        self.flat = if flat { self.flat + 1 } else { 0 };
        self.loose = if loose { self.loose + 1 } else { 0 };
        if self.flat == PATIENCE {
            return Some(format!(
                "f(z) has collapsed: its variance over the batch is {:.1e}, so all samples are one image. \
                 Try a larger --tight, a smaller --learning-rate or another --seed.",
                losses.variance
            ));
        }
        (self.loose == PATIENCE).then(|| {
            format!(
                "f is not becoming idempotent: late in training |idem| {:.4} is still at or above rec {:.4}. \
                 Samples are likely to be poor. Try another --tight, a looser --clamp, or a smaller --learning-rate.",
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
        // What is normal at the beginning is no collapse.
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
