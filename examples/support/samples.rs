//! The table of sample metrics.

use ign::metrics::{Classes, Distances, FeatureMetrics, Gaussian, SampleMetrics, SampleSizes};

/// Prints one column per set of samples, then the definitions of the metrics.
pub fn print(sets: &[SampleMetrics], sizes: &SampleSizes) {
    let row = |name: &str, value: &dyn Fn(&SampleMetrics) -> String| {
        let columns: Vec<_> = sets.iter().map(|set| format!("{:>11}", value(set))).collect();
        say!("{name:16}{}", columns.concat());
    };
    row("", &|set| set.name.clone());
    let seen = |name: &str, value: &dyn Fn(&FeatureMetrics) -> String| {
        if sets.iter().all(|set| set.seen.is_some()) {
            row(name, &|set| set.seen.as_ref().map(value).unwrap_or_default());
        }
    };
    let distances = |title: &str, of: &dyn Fn(&SampleMetrics) -> Option<Distances>| {
        let row = |name: &str, value: &dyn Fn(Distances) -> String| {
            row(&format!("{name}{title}"), &|set| of(set).map(value).unwrap_or_default());
        };
        if sets.iter().all(|set| of(set).is_some()) {
            row("Fréchet", &|d| format!("{:.3}", d.frechet));
            row("  ±", &|d| format!("{:.3}", d.frechet_interval[1] - d.frechet));
            row("KID", &|d| format!("{:.4}", d.kid));
            row("  ±", &|d| format!("{:.4}", d.kid_interval[1] - d.kid));
        }
    };
    distances("", &|set| set.seen.as_ref().map(|seen| seen.distances));
    distances(", judge", &|set| set.judge);
    seen("precision", &|set| format!("{:.3}", set.manifold.precision));
    seen("recall", &|set| format!("{:.3}", set.manifold.recall));
    seen("entropy", &|set| format!("{:.3}", set.classes.entropy));
    seen("confident", &|set| format!("{:.1} %", 100.0 * set.classes.confident));
    row("nearest", &|set| format!("{:.3}", set.nearest));
    let classes = sets.first().and_then(|set| set.seen.as_ref()).map_or(0, |set| set.classes.histogram.len());
    for class in 0..classes {
        let share = |set: &FeatureMetrics| {
            set.classes.histogram[class] as f64 / set.classes.histogram.iter().sum::<usize>() as f64
        };
        seen(&format!("class {class}"), &|set| format!("{:.1} %", 100.0 * share(set)));
    }
    if sets.iter().any(|set| set.seen.is_some() || set.judge.is_some()) {
        say!(
            "\nFréchet and KID: classifier's features, against test images; real are training images. judge: the same with \
             the second classifier.\n±: 95 % confidence interval; of Fréchet by {} resamples of the samples, of KID by its \
             blocks of at most 1,000 of each.",
            Gaussian::RESAMPLES
        );
    }
    if classes > 0 {
        say!(
            "Precision and recall: of {} samples, in the classifier's features. Entropy in nats, of {classes} classes at most {:.3}. Confident: p ≥ {}.",
            sizes.manifold,
            (classes as f64).ln(),
            Classes::CONFIDENT,
        );
    }
    say!("Nearest: mean distance to the nearest training image, of {} samples; real are test images.\n", sizes.nearest);
}
