//! The figures for people.

#[path = "../support/degradations.rs"]
mod degradations;

use crate::figures;
use degradations::percent;
use ign::metrics::Evaluation;

/// Prints everything that was measured.
pub fn print(evaluation: &Evaluation) {
    let extent = &evaluation.extent;
    println!("\nafter {} steps, {} samples, seed {}\n", evaluation.step, extent.samples, extent.seed);
    figures::print(&evaluation.samples, extent);
    println!("rec             {:.5}  D(f(x), x) on test images", evaluation.rec);
    println!("movement        {:.5}  |f(z) − z|", evaluation.movement);
    println!("idempotence     {:.5}  |f(f(z)) − f(z)|", evaluation.idempotence);
    let drift: Vec<_> = evaluation.drift.iter().map(|d| format!("{d:.5}")).collect();
    println!("drift           {}", drift.join("  "));
    println!("                |fᵏ(z) − fᵏ⁻¹(z)| for k from 1, of {} samples\n", extent.drift);
    degradations::head(evaluation.accuracy.is_some());
    evaluation.degradations.iter().for_each(degradations::row);
    degradations::foot(extent.degraded);
    if let Some(accuracy) = evaluation.accuracy {
        println!("Of these images as they were, the classifier knows {}.", percent(accuracy));
    }
}
