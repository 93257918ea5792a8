//! The figures of sets of samples, for people.

use ign::metrics::{Classes, Extent, SampleFigures};

/// Prints a column for each set, and what the figures mean.
pub fn print(sets: &[SampleFigures], extent: &Extent) {
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
    println!(
        "\nFréchet, precision and recall: classifier's features, against test images; real are training images.\n\
         Precision and recall of {} samples. Entropy in nats, of 10 classes at most {:.3}. Confident: p ≥ {}.\n\
         Nearest: mean distance to the nearest training image, of {} samples; real are test images.\n",
        extent.manifold,
        10f64.ln(),
        Classes::CONFIDENT,
        extent.nearest
    );
}
