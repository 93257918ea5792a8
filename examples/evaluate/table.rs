//! The printed tables of an evaluation.

#[path = "../support/degradations.rs"]
mod degradations;

use crate::samples;
use ign::metrics::{ConditionalMetrics, Evaluation};

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
    if let Some(metrics) = &evaluation.conditional {
        conditional(metrics);
    }
    degradations::head(evaluation.accuracy.is_some());
    evaluation.degradations.iter().for_each(degradations::row);
    degradations::foot(sizes.degraded, evaluation.accuracy, None);
}

/// Prints what a conditional network makes of its labels.
fn conditional(metrics: &ConditionalMetrics) {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let ConditionalMetrics { recognised, recognised_twice, other, .. } = metrics;
    say!(
        "label           {} of f(z|c) are recognised as c, {} of f(f(z|c)|c)",
        percent(*recognised),
        percent(*recognised_twice)
    );
    for (class, (share, frechet)) in metrics.recognised_by_class.iter().zip(&metrics.frechet_by_class).enumerate() {
        let frechet = frechet.map_or("-".into(), |distance| format!("{distance:.2}"));
        let share = share.map_or("-".into(), percent);
        say!("  class {class:<8}recognised {share:>8}  Fréchet {frechet:>7}");
    }
    say!(
        "another label   {} of f(x|c') are recognised as c', {} still as c; |f(x|c') - x| {:.4}, |f(x|c) - x| {:.4}\n",
        percent(other.followed),
        percent(other.kept),
        other.movement,
        other.movement_of_own
    );
}
