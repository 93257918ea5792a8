//! Progress of a training on the terminal.

use ign::model::Config;
use ign::run::Metrics;
use ign::train::Event;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Progress output: a bar on a terminal, lines elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    config: Config,
    start: Instant,
    first: u64,
    /// Time of the first line of metrics. Earlier steps include shader compilation and are left out of estimates.
    warm: Option<Instant>,
    printed: Option<Instant>,
    estimated: bool,
}

impl Progress {
    pub fn new(config: &Config, step: u64) -> Self {
        let bar = (std::io::stdout().is_terminal() && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(config.steps).with_position(step);
            let style = "{bar:30} {pos}/{len}  {msg}  {eta} left";
            bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
            bar
        });
        let start = Instant::now();
        Self { bar, config: config.clone(), start, first: step, warm: None, printed: None, estimated: false }
    }

    pub fn show(&mut self, event: Event) {
        match event {
            Event::Step(step, metrics) => self.step(step, metrics),
            Event::Picture(path) => self.say(format!("picture  {}", path.display())),
            Event::Warning(text) => self.say(format!("warning  {text}")),
            Event::Saved(_) => {}
        }
    }

    /// Estimated time of the steps after `step`, once enough steps were timed.
    fn left(&self, step: u64) -> Option<Duration> {
        let done = step.saturating_sub(self.first);
        let warm = self.warm.filter(|_| done > 0)?;
        Some(warm.elapsed().mul_f64((self.config.steps - step) as f64 / done as f64))
    }

    fn step(&mut self, step: u64, metrics: Option<Metrics>) {
        if metrics.is_some() && self.warm.is_none() {
            self.say(format!("step {step} after {:.1} s", self.start.elapsed().as_secs_f64()));
            (self.warm, self.first) = (Some(Instant::now()), step);
        } else if let (Some(left), Some(_), false) = (self.left(step), metrics, self.estimated) {
            self.say(format!("about {} to go", words(left)));
            self.estimated = true;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(step);
        }
        let Some(metrics) = metrics else { return };
        let losses = metrics.losses;
        let gflops = self.config.flops() * metrics.images_per_second / self.config.images_per_step() as f64 / 1e9;
        let text = format!(
            "rec {:.4}  idem {:.4}  var {:.3}  {:.0} images/s  {gflops:.1} GFLOP/s",
            losses.rec, losses.idem, losses.variance, metrics.images_per_second
        );
        let last = step == self.config.steps;
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if last || self.printed.is_none_or(|p| p.elapsed() > Duration::from_secs(10)) => {
                let left = self.left(step).map_or(String::new(), |left| format!("  {} left", words(left)));
                say!("step {step}/{}  {text}{left}", self.config.steps);
                self.printed = Some(Instant::now());
            }
            None => {}
        }
    }

    fn say(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say!("{text}"),
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A time in words.
pub fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{:.1} min", seconds as f64 / 60.0),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
