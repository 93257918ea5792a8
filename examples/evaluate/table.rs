//! The figures for people.

use crate::figures;
use ign::metrics::{DegradationFigures, Evaluation};

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
    degradations(&evaluation.degradations);
    println!(
        "\nMean absolute errors against the original before and after f, |f(f(x)) − f(x)|, and the classifier's accuracy, of\n\
         {} test images{}.",
        extent.degraded,
        evaluation.accuracy.map_or(String::new(), |a| format!(", of which it knows {:.2} % undegraded", 100.0 * a))
    );
}

fn degradations(all: &[DegradationFigures]) {
    let title = ["degradation", "before", "after", "idempotence", "known before", "after"];
    let [name, before, after, idempotence, known, known_after] = title;
    println!("{name:14}{before:>10}{after:>10}{idempotence:>14}{known:>15}{known_after:>10}");
    let share = |a: Option<f64>| a.map_or("–".into(), |a| format!("{:.2} %", 100.0 * a));
    for d in all {
        let (known, known_after) = (share(d.accuracy_before), share(d.accuracy_after));
        println!(
            "{:14}{:>10.4}{:>10.4}{:>14.4}{known:>15}{known_after:>10}",
            d.name, d.error_before, d.error_after, d.idempotence
        );
    }
}
