//! The figures for people.

#[path = "../support/degradations.rs"]
mod degradations;

use degradations::percent;
use ign::metrics::{Classes, Evaluation, SampleFigures};

/// Prints everything that was measured.
pub fn print(evaluation: &Evaluation) {
    let extent = &evaluation.extent;
    println!("\nafter {} steps, {} samples, seed {}\n", evaluation.step, extent.samples, extent.seed);
    samples(&evaluation.samples);
    println!(
        "\nFréchet, precision and recall: classifier's features, against test images; real are training images.\n\
         Precision and recall of {} samples. Entropy in nats, of 10 classes at most {:.3}. Confident: p ≥ {}.\n\
         Nearest: mean distance to the nearest training image, of {} samples; real are test images.\n",
        extent.manifold,
        10f64.ln(),
        Classes::CONFIDENT,
        extent.nearest
    );
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

fn samples(sets: &[SampleFigures]) {
    let row = |name: &str, figure: &dyn Fn(&SampleFigures) -> String| {
        let figures: Vec<_> = sets.iter().map(|set| format!("{:>11}", figure(set))).collect();
        println!("{name:14}{}", figures.concat());
    };
    row("", &|set| set.name.clone());
    row("Fréchet", &|set| format!("{:.3}", set.frechet));
    row("precision", &|set| format!("{:.3}", set.manifold.precision));
    row("recall", &|set| format!("{:.3}", set.manifold.recall));
    row("entropy", &|set| format!("{:.3}", set.classes.entropy));
    row("confident", &|set| format!("{:.1} %", 100.0 * set.classes.confident));
    row("nearest", &|set| format!("{:.3}", set.nearest));
    for class in 0..sets.first().map_or(0, |set| set.classes.histogram.len()) {
        let share = |set: &SampleFigures| {
            set.classes.histogram[class] as f64 / set.classes.histogram.iter().sum::<usize>() as f64
        };
        row(&format!("class {class}"), &|set| format!("{:.1} %", 100.0 * share(set)));
    }
}
