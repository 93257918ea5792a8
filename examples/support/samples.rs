//! The table of sample metrics.

use ign::metrics::{Classes, SampleMetrics, SampleSizes};

/// Prints one column per set of samples, then the definitions of the metrics.
pub fn print(sets: &[SampleMetrics], sizes: &SampleSizes) {
    let row = |name: &str, value: &dyn Fn(&SampleMetrics) -> String| {
        let columns: Vec<_> = sets.iter().map(|set| format!("{:>11}", value(set))).collect();
        say!("{name:14}{}", columns.concat());
    };
    row("", &|set| set.name.clone());
    row("Fréchet", &|set| format!("{:.3}", set.frechet));
    row("precision", &|set| format!("{:.3}", set.manifold.precision));
    row("recall", &|set| format!("{:.3}", set.manifold.recall));
    row("entropy", &|set| format!("{:.3}", set.classes.entropy));
    row("confident", &|set| format!("{:.1} %", 100.0 * set.classes.confident));
    row("nearest", &|set| format!("{:.3}", set.nearest));
    for class in 0..sets.first().map_or(0, |set| set.classes.histogram.len()) {
        let share = |set: &SampleMetrics| {
            set.classes.histogram[class] as f64 / set.classes.histogram.iter().sum::<usize>() as f64
        };
        row(&format!("class {class}"), &|set| format!("{:.1} %", 100.0 * share(set)));
    }
    say!(
        "\nFréchet, precision and recall: classifier's features, against test images; real are training images.\n\
         Precision and recall of {} samples. Entropy in nats, of 10 classes at most {:.3}. Confident: p ≥ {}.\n\
         Nearest: mean distance to the nearest training image, of {} samples; real are test images.\n",
        sizes.manifold,
        10f64.ln(),
        Classes::CONFIDENT,
        sizes.nearest
    );
}
