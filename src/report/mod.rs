//! `report.html`: a run as one file that asks no network for anything. Losses, samples over time, pictures, the
//! evaluation where there is one, settings, machine and command; several runs stand side by side.

mod chart;
mod page;

use crate::train::{Config, Metrics, Origin, RunFolder, TrainError};
use chart::{Chart, Line};
use page::Page;
use std::path::{Path, PathBuf};

/// Everything that a report shows of a run.
pub struct Run {
    name: String,
    config: Config,
    origins: Vec<Origin>,
    metrics: Vec<Metrics>,
    /// Step and file of each picture of the training, in order.
    samples: Vec<(u64, PathBuf)>,
    /// Caption and file of the pictures that were drawn afterwards.
    pictures: Vec<(&'static str, PathBuf)>,
    evaluation: Option<serde_json::Value>,
}

/// The pictures that the examples leave in a run folder.
const PICTURES: [(&str, &str); 3] = [
    ("Samples: noise, and f applied once, twice, three times", "samples.png"),
    ("Projections: what was spoiled, f, f(f), and the original", "projections.png"),
    ("Walks between noises, and sums of them", "interpolations.png"),
];

impl Run {
    /// Reads the run in `path`.
    ///
    /// # Errors
    /// Where there is no run, or one of its files is not what it should be.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let folder = RunFolder::open(path);
        let pictures = PICTURES.map(|(caption, file)| (caption, path.join(file)));
        let evaluation = path.join("evaluation.json");
        let evaluation = match std::fs::read(&evaluation) {
            Ok(json) => Some(serde_json::from_slice(&json).map_err(|e| TrainError::file(&evaluation, e))?),
            Err(_) => None,
        };
        Ok(Self {
            name: path.display().to_string(),
            config: folder.read_config()?,
            origins: folder.read_origins()?,
            metrics: folder.read_metrics()?,
            samples: folder.list_samples()?,
            pictures: pictures.into_iter().filter(|(_, file)| file.exists()).collect(),
            evaluation,
        })
    }

    /// Writes `report.html` for `runs` to `path`.
    pub fn report(runs: &[Self], path: &Path) -> Result<(), TrainError> {
        let mut page = Page::new();
        for run in runs {
            page.column(|page| run.show(page))?;
        }
        crate::file::replace(path, page.finish().as_bytes()).map_err(|e| TrainError::file(path, e))
    }

    fn show(&self, page: &mut Page) -> Result<(), TrainError> {
        page.heading(&self.name);
        if let Some(last) = self.metrics.last() {
            let images = last.step * self.config.batch as u64;
            page.text(&format!(
                "{} steps, {images} images seen, f(z) varies by {:.3}",
                last.step, last.losses.variance
            ));
        }
        page.section("Losses");
        page.raw(&self.losses().svg());
        page.raw(&self.spread().svg());
        if !self.samples.is_empty() {
            page.section("While it learned");
            page.slider(&self.samples)?;
        }
        for (caption, file) in &self.pictures {
            page.section(caption);
            page.picture(caption, file)?;
        }
        if let Some(evaluation) = &self.evaluation {
            page.section("Evaluation");
            page.values(evaluation);
        }
        page.section("Where it comes from");
        for origin in &self.origins {
            page.values(&serde_json::to_value(origin).unwrap_or_default());
        }
        page.section("Settings");
        page.values(&serde_json::to_value(&self.config).unwrap_or_default());
        Ok(())
    }

    fn line(&self, name: &'static str, colour: &'static str, value: fn(&Metrics) -> f32) -> Line {
        let points = self.metrics.iter().map(|m| (m.step as f64, f64::from(value(m)))).collect();
        Line { name, colour, points }
    }

    fn losses(&self) -> Chart {
        let rec = self.line("reconstruction", "#2d6fc2", |m| m.losses.rec);
        let idem = self.line("idempotence", "#c2562d", |m| m.losses.idem);
        Chart { title: "losses before weighting, logarithmic", logarithmic: true, lines: vec![rec, idem] }
    }

    fn spread(&self) -> Chart {
        let variance = self.line("variance of f(z)", "#3a8f4e", |m| m.losses.variance);
        Chart {
            title: "variance of f(z) over the batch; near 0 it has collapsed",
            logarithmic: false,
            lines: vec![variance],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Losses, Preset};

    fn run_in(path: &Path) -> Run {
        let folder = RunFolder::create(path).unwrap();
        folder.write_config(&Preset::Quick.config()).unwrap();
        let origin = Origin { command: "train --out <here>".into(), adapter: "none".into(), ..Origin::default() };
        folder.add_origin(&origin).unwrap();
        for step in [5, 10] {
            let losses = Losses { rec: 1.0 / step as f32, idem: 0.01, tight: -0.01, variance: 0.2 };
            folder.append(&Metrics { step, losses, images_per_second: 3.0 }).unwrap();
        }
        crate::picture::Grid::new([1, 2, 2]).row("z", &[0.0; 4]).save(&folder.sample(10)).unwrap();
        std::fs::write(path.join("evaluation.json"), r#"{"fréchet": {"f": 12.5}}"#).unwrap();
        Run::load(path).unwrap()
    }

    #[test]
    fn a_report_is_one_file_with_everything_in_it() {
        let work = tempfile::tempdir().unwrap();
        let run = run_in(&work.path().join("run"));
        let path = work.path().join("report.html");
        Run::report(&[run], &path).unwrap();
        let html = std::fs::read_to_string(&path).unwrap();
        for part in [
            "<polyline",
            "data:image/png;base64,",
            "type=\"range\"",
            "12.5",
            "train --out &lt;here&gt;",
            "learning_rate",
        ] {
            assert!(html.contains(part), "{part} is missing");
        }
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("src=\"/"), "{html}");
    }

    #[test]
    fn runs_stand_side_by_side() {
        let work = tempfile::tempdir().unwrap();
        let runs = ["a", "b"].map(|name| run_in(&work.path().join(name)));
        let path = work.path().join("report.html");
        Run::report(&runs, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().matches("<article>").count(), 2);
    }

    #[test]
    fn what_is_no_run_is_refused_by_name() {
        let work = tempfile::tempdir().unwrap();
        let error = Run::load(work.path()).err().unwrap().to_string();
        assert!(error.contains("config.json"), "{error}");
    }
}
