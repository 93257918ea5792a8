//! The printed tables of an evaluation.

#[path = "../support/degradations.rs"]
mod degradations;

use crate::samples;
use ign::metrics::Evaluation;

/// Prints everything that was measured.
pub fn print(evaluation: &Evaluation) {
    let sizes = &evaluation.sizes;
    say!("\nafter {} steps, {} samples, seed {}\n", evaluation.step, sizes.samples, sizes.seed);
    samples::print(&evaluation.samples, sizes);
    say!("rec             {:.5}  D(f(x), x) on test images", evaluation.rec);
    say!("movement        {:.5}  |f(z) − z|", evaluation.movement);
    say!("idempotence     {:.5}  |f(f(z)) − f(z)|", evaluation.idempotence);
    let drift: Vec<_> = evaluation.drift.iter().map(|d| format!("{d:.5}")).collect();
    say!("drift           {}", drift.join("  "));
    say!("                |fᵏ(z) − fᵏ⁻¹(z)| for k from 1, of {} samples\n", sizes.drift);
    degradations::head(evaluation.accuracy.is_some());
    evaluation.degradations.iter().for_each(degradations::row);
    degradations::foot(sizes.degraded, evaluation.accuracy, None);
}
