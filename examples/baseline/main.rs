//! Trains a baseline for the Idempotent Generative Network, and measures its samples with the metrics of `evaluate`.
//!
//!     cargo run --release --example baseline -- dcgan

#[macro_use]
#[path = "../support/say.rs"]
mod say;
#[path = "../support/classifier.rs"]
mod classifier;
#[path = "../support/data.rs"]
mod data;
#[path = "../support/explain.rs"]
mod explain;
mod made;
#[path = "../support/model.rs"]
mod model;
#[path = "../support/options.rs"]
mod options;
#[path = "../support/samples.rs"]
mod samples;
mod settings;
#[path = "../support/stop.rs"]
mod stop;

use classifier::File;
use explain::explained;
use ign::baselines::Kind;
use ign::data::Split;
use ign::files::replace;
use ign::metrics::{Judges, Reference, SampleMetrics, SampleSizes};
use ign::native::open;
use ign::picture::{Background, Grid};
use ign::run::{arguments as given, check_results};
use made::{Made, Plan, low_rank, trained};
use options::parse;
use serde::Serialize;
use settings::Arguments;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

/// The contents of evaluation.json.
#[derive(Serialize)]
struct Record {
    command: String,
    adapter: String,
    #[serde(flatten)]
    made: Made,
    seconds: f64,
    classifier: Option<File>,
    judge: Option<File>,
    /// Number of images per metric.
    extent: BTreeMap<&'static str, usize>,
    samples: Vec<SampleMetrics>,
}

fn main() {
    explained(|| run(parse()));
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { seed, samples, .. } = arguments;
    let start = Instant::now();
    let name = arguments.kind.text();
    arguments.check()?;
    let out = arguments.out.clone().unwrap_or_else(|| ["runs", &name].iter().collect());
    let [picture, path] = ["samples.png", "evaluation.json"].map(|file| out.join(file));
    for output in [&picture, &path] {
        if output.symlink_metadata().is_ok() {
            return Err(format!("{} exists; choose another folder with --out", output.display()).into());
        }
    }
    let named =
        [(classifier::CLASSIFIER, arguments.classifier.as_deref()), (classifier::JUDGE, arguments.judge.as_deref())];
    let files = named.each_ref().map(|(shipped, given)| given.unwrap_or(Path::new(shipped.file)));
    let mut inputs = vec![arguments.data.as_path(), files[0], files[1]];
    inputs.extend(arguments.model.as_deref());
    check_results(&inputs, &[&picture, &path])?;
    let gpu = open(arguments.adapter.as_deref())?;
    say!("adapter  {}", gpu.caps());
    let splits = [Split::Train, Split::Test];
    let shape = Kind::Rae.image();
    let [train, test] = data::load(&arguments.data, splits, shape, Background::Auto)?;
    let sizes = SampleSizes::new(samples, seed);
    // What is wrong with a model or a setting shows before the reference takes its time.
    let plan = Plan::new(&gpu, &arguments, &train)?;
    let [classifier, judge] = named.map(|(shipped, given)| classifier::fitting(&gpu, &shipped, given, &test));
    let (classifier, judge) = (classifier?, judge?);
    let judges = Judges { classifier: classifier.as_ref(), judge: judge.as_ref() };
    let reference = Reference::new(judges, &train, &test, sizes)?;
    let made = match plan {
        Plan::Train(settings) => trained(&gpu, &arguments, settings, train.clone())?,
        Plan::Sample(sampler) => low_rank(&arguments, &sampler)?,
    };

    let (columns, elements) = (16, shape.iter().product::<usize>());
    let mut grid = Grid::new(shape);
    for (name, images) in &made.sets {
        for row in images.chunks(columns * elements).take(6 / made.sets.len()) {
            grid = grid.row(name, row);
        }
    }
    grid.save(&picture)?;

    let mut metrics = vec![];
    for (name, images) in &made.sets {
        metrics.push(reference.compare(name, images)?);
    }
    metrics.push(reference.real()?);
    say!("\n{samples} samples, seed {seed}\n");
    samples::print(&metrics, &sizes);
    let record = Record {
        command: format!("cargo run --release --example baseline -- {}", given()),
        adapter: gpu.caps().to_string(),
        made,
        seconds: start.elapsed().as_secs_f64(),
        classifier: classifier.map(|_| File(files[0].into())),
        judge: judge.map(|_| File(files[1].into())),
        extent: [("samples", samples), ("manifold", sizes.manifold), ("nearest", sizes.nearest)].into(),
        samples: metrics,
    };
    replace(&path, (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    say!("pictures: {}\nmetrics: {}", picture.display(), path.display());
    Ok(())
}
