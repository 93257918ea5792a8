//! `report.html`: a self-contained page about one or several runs, side by side. It shows the losses, samples over
//! time, pictures, the evaluation if there is one, settings, machine and command, and loads nothing from the network.

mod chart;
mod page;

use crate::files::{FileError, excerpt, exists, folder_of, read, replace};
use crate::model::Config;
use crate::run::{Metrics, Origin, RunFolder};
use chart::{Chart, Line};
use page::Page;
use std::path::{Path, PathBuf};

/// The contents of a run that a report shows.
pub struct Run {
    name: String,
    config: Config,
    origins: Vec<Origin>,
    metrics: Vec<Metrics>,
    /// Step and file of each sample picture written during training, in order of steps.
    samples: Vec<(u64, PathBuf)>,
    /// Caption and file of each picture written after training.
    pictures: Vec<(&'static str, PathBuf)>,
    evaluation: Option<serde_json::Value>,
    warnings: Vec<String>,
}

/// Caption and name of each picture that the examples write into a run folder.
const PICTURES: [(&str, &str); 4] = [
    ("Samples: noise z, f(z), f(f(z)) and f(f(f(z)))", "samples.png"),
    ("Projections: degraded image d, f(d), f(f(d)) and original", "projections.png"),
    ("Other pictures x, f(x) and f(f(x))", "pictures.png"),
    ("Noise interpolation and noise arithmetic", "interpolations.png"),
];

impl Run {
    /// Reads the run in `path`. Skips what is damaged in its logs and its evaluation; see
    /// [`warnings`](Self::warnings).
    ///
    /// # Errors
    /// If the folder holds no run, or one of its files cannot be read.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        // The checkpoint stands for the run around it, as it does to other programs.
        let path = if path.is_file() { folder_of(path) } else { path };
        let folder = RunFolder::open(path);
        let mut pictures = vec![];
        for (caption, file) in PICTURES {
            let file = path.join(file);
            if exists(&file)? {
                pictures.push((caption, file));
            }
        }
        let (origins, metrics) = (folder.read_origins()?, folder.read_metrics()?);
        let mut warnings: Vec<_> = [origins.skipped, metrics.skipped].into_iter().flatten().collect();
        let file = path.join("evaluation.json");
        let mut evaluation = None;
        if exists(&file)? {
            match read(&file).map(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes)) {
                // Only programs of this project write the extent of an evaluation.
                Ok(Ok(value)) if value.get("extent").is_some() => evaluation = Some(value),
                Ok(Ok(_)) => warnings.push(format!("{} is skipped: it is no evaluation", file.display())),
                Ok(Err(e)) => warnings.push(format!("{} is skipped: {}", file.display(), excerpt(&e.to_string()))),
                Err(e) => warnings.push(format!("the evaluation is skipped: {e}")),
            }
        }
        Ok(Self {
            name: path.display().to_string(),
            config: folder.read_config()?,
            origins: origins.records,
            metrics: metrics.records,
            samples: folder.list_samples()?,
            pictures,
            evaluation,
            warnings,
        })
    }

    /// What was skipped, and why.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Writes the report on `runs` to `path`.
    ///
    /// # Errors
    /// If a picture cannot be read, or the report cannot be written.
    pub fn report(runs: &[Self], path: &Path) -> Result<(), FileError> {
        let mut page = Page::new();
        for run in runs {
            page.column(|page| run.show(page))?;
        }
        replace(path, page.finish().as_bytes())
    }

    fn show(&self, page: &mut Page) -> Result<(), FileError> {
        page.heading(&self.name);
        if let Some(last) = self.metrics.last() {
            let images = u128::from(last.step) * self.config.images_per_step() as u128;
            page.text(&format!(
                "{} training steps, {images} training images (with repeats); variance of f(z) over the batch {:.3}",
                last.step, last.losses.variance
            ));
        }
        page.section("Losses");
        page.raw(&self.losses().svg());
        page.raw(&self.spread().svg());
        if !self.samples.is_empty() {
            page.section("Samples during training");
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
        page.section("Command and machine");
        for origin in &self.origins {
            page.values(&value(origin));
        }
        page.section("Settings");
        page.values(&value(&self.config));
        Ok(())
    }

    fn line(&self, name: &'static str, colour: &'static str, value: fn(&Metrics) -> f32) -> Line {
        let points = self.metrics.iter().map(|m| (m.step as f64, f64::from(value(m)))).collect();
        Line { name, colour, points }
    }

    fn losses(&self) -> Chart {
        let rec = self.line("reconstruction", "#2d6fc2", |m| m.losses.rec);
        let idem = self.line("idempotence", "#c2562d", |m| m.losses.idem);
        Chart { title: "unweighted losses (log scale)", logarithmic: true, lines: vec![rec, idem] }
    }

    fn spread(&self) -> Chart {
        let variance = self.line("variance of f(z)", "#3a8f4e", |m| m.losses.variance);
        Chart { title: "variance over the batch (near 0: collapse)", logarithmic: false, lines: vec![variance] }
    }
}

/// The JSON form of a value.
fn value(of: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(of).expect("plain numbers and text are valid JSON values")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Losses;
    use crate::model::Preset;

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
        std::fs::write(path.join("evaluation.json"), r#"{"extent": {"samples": 4}, "fréchet": {"f": 12.5}}"#).unwrap();
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
    fn absurd_numbers_and_markup_in_files_stay_numbers_and_text() {
        let work = tempfile::tempdir().unwrap();
        let evil = "<script>alert(1)</script>\"'&";
        let path = work.path().join("<b>'run'<b>");
        run_in(&path);
        let folder = RunFolder::open(&path);
        folder.write_config(&Config { data: evil.into(), ..Preset::Quick.config() }).unwrap();
        folder.add_origin(&Origin { command: evil.into(), adapter: evil.into(), ..Origin::default() }).unwrap();
        let losses = Losses { rec: f32::MAX, idem: 1e-38, tight: f32::MIN, variance: f32::MAX };
        for step in [1 << 60, u64::MAX] {
            folder.append(&Metrics { step, losses, images_per_second: 1e300 }).unwrap();
        }
        let evaluation = serde_json::json!({ "extent": {}, evil: [evil, { evil: 1e300 }, -1e300] });
        std::fs::write(path.join("evaluation.json"), evaluation.to_string()).unwrap();
        let out = work.path().join("report.html");
        Run::report(&[Run::load(&path).unwrap()], &out).unwrap();
        let html = std::fs::read_to_string(&out).unwrap();
        assert!(!html.contains("<script>alert") && !html.contains("<b>") && !html.contains("NaN"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
        assert!(html.contains(&(u128::from(u64::MAX) * 64).to_string()));
        assert!(!html.contains(&"0".repeat(30)), "a number is as long as its size");
    }

    #[test]
    fn damaged_logs_and_a_foreign_evaluation_are_skipped_and_named() {
        let work = tempfile::tempdir().unwrap();
        let run = work.path().join("run");
        assert!(run_in(&run).warnings().is_empty());
        for log in ["metrics.jsonl", "origin.jsonl"] {
            let text = std::fs::read_to_string(run.join(log)).unwrap();
            std::fs::write(run.join(log), format!("{{\"st\n{text}")).unwrap();
        }
        std::fs::write(run.join("evaluation.json"), "mine").unwrap();
        let read = Run::load(&run).unwrap();
        assert_eq!((read.origins.len(), read.metrics.len(), &read.evaluation), (1, 2, &None));
        let warnings = read.warnings().join("\n");
        for skipped in ["origin.jsonl: 1 damaged", "metrics.jsonl: 1 damaged", "evaluation.json is skipped"] {
            assert!(warnings.contains(skipped), "{warnings}");
        }
        Run::report(&[read], &work.path().join("report.html")).unwrap();
        std::fs::write(run.join("evaluation.json"), r#"{"name": "my thesis"}"#).unwrap();
        let read = Run::load(&run).unwrap();
        assert!(read.evaluation.is_none() && read.warnings().join("").contains("it is no evaluation"));
        std::fs::remove_file(run.join("evaluation.json")).unwrap();
        std::fs::create_dir(run.join("evaluation.json")).unwrap();
        assert!(Run::load(&run).unwrap().warnings().join("").contains("not a regular file"));
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
