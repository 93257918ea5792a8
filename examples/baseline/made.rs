//! The images of a baseline, and how they were made.

use crate::settings::{Arguments, Name};
use crate::{model, stop};
use ign::baselines::{Baseline, BaselineConfig, Latent, LatentConfig, LowRank};
use ign::data::{Batches, Images};
use ign::gpu::Gpu;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How the samples were made.
#[derive(Serialize)]
pub struct Made {
    #[serde(flatten)]
    trained: Option<Trained>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latent: Option<LatentRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_rank: Option<LowRankRecord>,
    /// Name and images of each set.
    #[serde(skip)]
    pub sets: Vec<(String, Vec<f32>)>,
}

/// The training of a baseline.
#[derive(Serialize)]
struct Trained {
    #[serde(flatten)]
    settings: BaselineConfig,
    steps: u64,
    parameters: usize,
    losses: Vec<f32>,
    training_seconds: f64,
}

/// The training of `latent` on the codes.
#[derive(Serialize)]
struct LatentRecord {
    #[serde(flatten)]
    settings: LatentConfig,
    steps: u64,
    parameters: usize,
    losses: Vec<f32>,
    /// As [`LatentSamples::idempotence`](ign::baselines::LatentSamples::idempotence).
    idempotence: f64,
    training_seconds: f64,
}

/// The distribution of `low-rank`.
#[derive(Serialize)]
struct LowRankRecord {
    #[serde(serialize_with = "ign::files::path::serialize")]
    model: PathBuf,
    rank: usize,
    /// Share of the codes' variance.
    share: f64,
}

/// What is to be done, with checked settings.
pub enum Plan {
    /// A training.
    Train(BaselineConfig),
    /// Samples of a trained model.
    Sample(Box<LowRank>),
}

impl Plan {
    pub fn new(gpu: &Gpu, arguments: &Arguments, train: &Images) -> Result<Self, Box<dyn Error>> {
        let Some(settings) = arguments.training() else {
            let sampler = LowRank::new(gpu, &model::load(&arguments.model())?, train, arguments.rank.unwrap_or(32))?;
            return Ok(Self::Sample(Box::new(sampler)));
        };
        settings.check()?;
        if arguments.kind == Name::Latent {
            let latent = arguments.latent();
            latent.check()?;
            Batches::new(train.len(), latent.batch, latent.seed)?;
        }
        Ok(Self::Train(settings))
    }
}

/// Trains a baseline, and for `latent` the network on its codes, and generates images.
pub fn trained(
    gpu: &Gpu,
    arguments: &Arguments,
    settings: BaselineConfig,
    train: Images,
) -> Result<Made, Box<dyn Error>> {
    let (name, steps) = (arguments.kind.text(), arguments.steps.unwrap_or(2000));
    let BaselineConfig { kind, width, batch, seed, .. } = settings;
    let latent = (arguments.kind == Name::Latent).then(|| arguments.latent());
    let mut baseline = Baseline::new(gpu, train, settings)?;
    let parameters = kind.parameters(width);
    say!("network  {name}, width {width}, {parameters} parameters; {steps} steps");
    let training = Instant::now();
    let stop = stop::requests()?;
    let losses = learn(steps, batch * kind.image_batches(), &stop, |_| {
        let losses = baseline.advance()?;
        Ok((baseline.step(), Some(losses)))
    })?;
    let training_seconds = training.elapsed().as_secs_f64();
    let steps = baseline.step();
    say!("trained {steps} steps in {training_seconds:.0} s");
    let trained = Some(Trained { settings, steps, parameters, losses, training_seconds });
    let Some(settings) = latent else {
        let sets = vec![(name, baseline.sample(seed, arguments.samples)?)];
        return Ok(Made { trained, latent: None, low_rank: None, sets });
    };

    let codes = baseline.codes()?.ok_or("the autoencoder has no codes")?;
    let dimensions = codes.len() / baseline.images();
    let parameters = settings.parameters(dimensions);
    let steps = arguments.latent_steps.unwrap_or(3000);
    say!("network  on {dimensions} codes, width {}, {parameters} parameters; {steps} steps", settings.width);
    let mut f = Latent::new(gpu, codes, dimensions, settings)?;
    let training = Instant::now();
    let losses = learn(steps, settings.batch, &stop, |due| {
        f.advance()?;
        Ok((f.step(), if due { Some(f.losses()?) } else { None }))
    })?;
    let training_seconds = training.elapsed().as_secs_f64();
    let made = f.sample(seed, arguments.samples)?;
    say!("trained {} steps in {training_seconds:.0} s; idempotence {:.4}", f.step(), made.idempotence);
    let idempotence = made.idempotence;
    let latent = Some(LatentRecord { settings, steps: f.step(), parameters, losses, idempotence, training_seconds });
    let mut sets = vec![];
    for (name, codes) in APPLICATIONS.iter().zip(&made.codes) {
        sets.push((name.to_string(), baseline.decode(codes)?));
    }
    Ok(Made { trained, latent, low_rank: None, sets })
}

/// Generates images of `low-rank`.
pub fn low_rank(arguments: &Arguments, sampler: &LowRank) -> Result<Made, Box<dyn Error>> {
    let (model, rank, share) = (arguments.model(), sampler.rank(), sampler.share());
    say!("{rank} principal components have {:.1} % of the variance of the codes", 100.0 * share);
    let images = sampler.sample(arguments.seed, arguments.samples)?;
    let sets = ["low-rank", "low-rank f"].map(String::from).into_iter().zip(images).collect();
    Ok(Made { trained: None, latent: None, low_rank: Some(LowRankRecord { model, rank, share }), sets })
}

/// The names of `latent`'s samples, by the number of applications of f.
const APPLICATIONS: [&str; 3] = ["latent", "latent ff", "latent fff"];

type Losses = Vec<(&'static str, f32)>;

/// Trains for `steps` steps of `images` images, or until `stop` is set, and returns the losses of the last one. `advance`
/// takes a step and gives its number and, at least if they are due, its losses.
fn learn(
    steps: u64,
    images: usize,
    stop: &AtomicBool,
    mut advance: impl FnMut(bool) -> Result<(u64, Option<Losses>), ign::error::Error>,
) -> Result<Vec<f32>, Box<dyn Error>> {
    let (mut since, mut printed, mut step) = (Instant::now(), 0, 0);
    loop {
        let last = step + 1 == steps || stop.load(Ordering::Relaxed);
        let due = step == 0 || last || since.elapsed() > Duration::from_secs(10);
        let (done, losses) = advance(due)?;
        step = done;
        let Some(losses) = losses.filter(|_| due) else { continue };
        let rate = (images as u64 * (step - printed)) as f64 / since.elapsed().as_secs_f64();
        let text: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss:.4}")).collect();
        say!("step {step}/{steps}  {}  {rate:.0} images/s", text.join("  "));
        (since, printed) = (Instant::now(), step);
        if last {
            return Ok(losses.into_iter().map(|(_, loss)| loss).collect());
        }
    }
}
