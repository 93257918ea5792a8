//! The table of metrics per degradation.

use ign::metrics::DegradationMetrics;

/// Prints the column titles; `judged` adds the columns of classifier accuracy.
pub fn head(judged: bool) {
    let shares = |text: String| if judged { text } else { String::new() };
    say!("{:12}{:>26}{:14}{}", "", "error", "", shares(format!("{:>30}", "recognised by the classifier")));
    let [before, after, alone] = ["before", "after", "alone"];
    let titles = shares(format!("{before:>12}{after:>9}{alone:>9}"));
    say!("{:12}{before:>10}{after:>8}{alone:>8}{:>14}{titles}", "degradation", "idempotence");
}

/// Prints the row of one degradation.
pub fn row(metrics: &DegradationMetrics) {
    let DegradationMetrics { name, error_before, error_after, error_alone, idempotence, .. } = metrics;
    let shares = match [metrics.accuracy_before, metrics.accuracy_after, metrics.accuracy_alone] {
        [Some(before), Some(after), Some(alone)] => {
            format!("{:>12}{:>9}{:>9}", percent(before), percent(after), percent(alone))
        }
        _ => String::new(),
    };
    say!("{name:12}{error_before:>10.4}{error_after:>8.4}{error_alone:>8.4}{idempotence:>14.4}{shares}");
}

/// Prints the definitions of the metrics, which are means over `count` images, and the classifier's accuracy on these
/// images as they were. Each image alone is adapted with the steps `adapt`, if any are given.
pub fn foot(count: usize, accuracy: Option<f64>, adapt: Option<usize>) {
    let alone = match adapt {
        Some(steps) => format!("adapted to each image, with {steps} steps of test-time training"),
        None => "the running averages of real images".into(),
    };
    say!(
        "\nMeans over {count} test images x, degraded to x̃. Error: |x̃ − x| before f, |f(x̃) − x| after. Idempotence: \
         |f(f(x̃)) − f(x̃)|.\nBatch norm uses the statistics of each batch of degraded images; alone: {alone}."
    );
    if let Some(accuracy) = accuracy {
        say!("Of these images as they were, the classifier recognises {}.", percent(accuracy));
    }
}

/// Formats a share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}
