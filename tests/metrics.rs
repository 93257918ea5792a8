//! The classifier of the repository, and evaluations as a whole, with a network and a classifier that know nothing yet.

use ign::data::{Images, Split};
use ign::gpu::Gpu;
use ign::ign::{Degradation, Network, Role};
use ign::metrics::{
    Classifier, Evaluation, Extent, Features, MetricsError, Projector, Settings, Subject, Training, accuracy, evaluate,
};
use ign::native::open;
use ign::random::{Stream, stream};
use ign::train::{Checkpoint, Generator, Preset, Statistics};
use std::path::Path;

fn gpu() -> Gpu {
    open(None).expect("the tests need an adapter")
}

/// `count` digits from number `first` of MNIST's test images on.
fn digits(first: usize, count: usize) -> Images {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    Images::load(&folder, Split::Test, Classifier::IMAGE).unwrap().select(first..first + count)
}

fn classifier(gpu: &Gpu) -> Classifier {
    let settings = Settings { batch: 10, steps: 10, learning_rate: 1e-3, shift: 0, seed: 1 };
    let mut training = Training::new(gpu, digits(100, 40), settings).unwrap();
    for _ in 0..settings.steps {
        training.advance().unwrap();
    }
    training.classifier().unwrap()
}

/// A network as it is before training.
fn checkpoint(network: Network) -> Checkpoint {
    let mut config = Preset::Quick.config();
    (config.network, config.width, config.average) = (network, 2, 0.0);
    let tensors = network.layers(config.width).initialise(3, &ign::ign::PREFIXES);
    Checkpoint { config, step: 0, tensors }
}

fn measure(network: Network, seed: u64) -> Result<Evaluation, MetricsError> {
    let (gpu, checkpoint) = (gpu(), checkpoint(network));
    let (generator, classifier) = (Generator::load(&gpu, &checkpoint, 16, Statistics::Role)?, classifier(&gpu));
    let (train, test) = (digits(100, 40), digits(0, 30));
    let subject =
        Subject { checkpoint: &checkpoint, generator: &generator, classifier: &classifier, train: &train, test: &test };
    evaluate(&subject, Extent::new(20, seed), &mut |_| {})
}

fn mean_difference(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).abs()).sum::<f64>() / a.len() as f64
}

/// The classifier of the repository has the accuracy that the record of its training says.
#[test]
fn the_classifier_that_is_shipped_knows_its_digits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let test = Images::load(&root.join("data/mnist"), Split::Test, Classifier::IMAGE).unwrap();
    let path = root.join(Classifier::FILE);
    let seen = Classifier::load(&gpu(), &path).unwrap().look(&test.gather(0..test.len())).unwrap();
    let probabilities = Features::new(&seen.probabilities, Classifier::CLASSES).unwrap();
    let found = accuracy(&probabilities, test.labels.as_ref().unwrap()).unwrap();
    let record = std::fs::read_to_string(path.with_extension("json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let recorded = record["test_accuracy_per_epoch"].as_array().unwrap().last().unwrap().as_f64().unwrap();
    // Other adapters round otherwise, and an image on the edge may fall to the other side.
    assert!(found >= 0.99 && (found - recorded).abs() <= 5e-4, "{found}, recorded {recorded}");
}

/// The network of the repository is that of the preset `mnist`, has the idempotence that its record says, and is as good as the study says.
#[test]
fn the_network_that_is_shipped_is_idempotent_and_covers_every_digit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(Checkpoint::SHIPPED);
    let (gpu, checkpoint) = (gpu(), Checkpoint::load(&path).unwrap());
    assert_eq!(checkpoint.config, Preset::Mnist.config());
    assert_eq!(checkpoint.step, checkpoint.config.steps);

    let generator = Generator::load(&gpu, &checkpoint, 1000, Statistics::Role).unwrap();
    let classifier = Classifier::load(&gpu, &root.join(Classifier::FILE)).unwrap();
    let (train, test) = (digits(1000, 1000), digits(0, 1000));
    let subject =
        Subject { checkpoint: &checkpoint, generator: &generator, classifier: &classifier, train: &train, test: &test };
    let found = evaluate(&subject, Extent::new(1000, 1), &mut |_| {}).unwrap();

    let record = std::fs::read_to_string(Checkpoint::beside(&path, "evaluation.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let ratio = found.idempotence / found.movement;
    let recorded = record["idempotence"].as_f64().unwrap() / record["movement"].as_f64().unwrap();
    assert!(ratio < 0.1 && (ratio - recorded).abs() < 5e-3, "{ratio}, recorded {recorded}");
    let (z, f) = (&found.samples[0], &found.samples[1..4]);
    for samples in f {
        // The bias of few samples adds to the distances of the study; a class in balance has 100.
        assert!(samples.frechet < 10.0 && samples.frechet < z.frechet / 10.0, "{samples:?}");
        assert!(samples.classes.histogram.iter().all(|count| (33..300).contains(count)), "{samples:?}");
    }
    let noise = found.degradations.iter().find(|d| d.name == "noise 0.5").unwrap();
    assert!(noise.accuracy_after > noise.accuracy_before && noise.error_after < noise.error_before / 2.0, "{noise:?}");
}

#[test]
fn figures_are_what_they_say() {
    let found = measure(Network::Mnist, 5).unwrap();
    let (gpu, checkpoint) = (gpu(), checkpoint(Network::Mnist));
    let generator = Generator::load(&gpu, &checkpoint, 20, Statistics::Role).unwrap();
    let z = checkpoint.noise().draw(5, Stream::Evaluation, 0, 20 * 784);
    let f = generator.repeat(Role::Noise, &z, 2).unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6 * b.abs(), "{a} {b}");
    close(found.movement, mean_difference(&f[0], &z));
    close(found.idempotence, mean_difference(&f[1], &f[0]));
    close(found.drift[0], found.movement);
    close(found.drift[1], found.idempotence);
    let x = digits(0, 20).gather(0..20);
    let fx = generator.apply(Role::Image, &x).unwrap();
    close(found.rec, x.iter().zip(&fx).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / x.len() as f64);

    let names: Vec<_> = found.samples.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["z", "f(z)", "f(f(z))", "f(f(f(z)))", "real"]);
    assert!(found.samples.iter().all(|s| s.classes.histogram.iter().sum::<usize>() == 20));
    // An untrained network makes grey of everything, which is nowhere near digits.
    let (grey, real) = (&found.samples[1], &found.samples[4]);
    assert!(real.frechet < grey.frechet && real.manifold.precision > grey.manifold.precision, "{grey:?} {real:?}");
    assert_eq!(found.degradations.len(), 9);
    let noise = &found.degradations[0];
    // The mean of |σ·N(0, 1)| is σ·√(2/π).
    assert!((noise.error_before - 0.15 * (2.0 / std::f64::consts::PI).sqrt()).abs() < 0.005, "{noise:?}");
    assert!(noise.accuracy_before.is_some() && found.accuracy.is_some());
}

/// The first degradation as the evaluation has it, step by step.
#[test]
fn degradations_are_projected_with_their_own_statistics_and_alone() {
    let found = &measure(Network::Mnist, 5).unwrap().degradations[0];
    let (gpu, checkpoint, originals) = (gpu(), checkpoint(Network::Mnist), digits(0, 20));
    let (x, classifier) = (originals.gather(0..20), classifier(&gpu));
    let noise = Degradation::Noise(0.15);
    let degraded = noise.apply(&x, originals.shape, &mut stream(5, Stream::Degradation, 0));
    let with = |statistics| Generator::load(&gpu, &checkpoint, 16, statistics).unwrap();
    let together = with(Statistics::Batch).repeat(Role::Image, &degraded, 2).unwrap();
    let alone = with(Statistics::Role).apply(Role::Image, &degraded).unwrap();
    let known = |images: &[f32]| {
        let seen = classifier.look(images).unwrap();
        let probabilities = Features::new(&seen.probabilities, Classifier::CLASSES).unwrap();
        Some(accuracy(&probabilities, originals.labels.as_ref().unwrap()).unwrap())
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6 * b.abs(), "{a} {b}");
    close(found.error_before, mean_difference(&degraded, &x));
    close(found.error_after, mean_difference(&together[0], &x));
    close(found.error_alone, mean_difference(&alone, &x));
    close(found.idempotence, mean_difference(&together[1], &together[0]));
    assert!((found.error_after - found.error_alone).abs() > 1e-3, "{found:?}");
    let shares = [found.accuracy_before, found.accuracy_after, found.accuracy_alone];
    assert_eq!(shares, [known(&degraded), known(&together[0]), known(&alone)]);

    // Which statistics the generator came with does not matter, and without a classifier nothing is known.
    let projector = Projector::new(&with(Statistics::Role), None).unwrap();
    let projected = projector.project(&originals, noise, &mut stream(5, Stream::Degradation, 0)).unwrap();
    assert_eq!([&projected.degraded, &projected.once, &projected.twice], [&degraded, &together[0], &together[1]]);
    assert_eq!((projected.figures.error_alone, projected.figures.accuracy_after), (found.error_alone, None));
}

#[test]
fn the_seed_determines_the_figures() {
    let first = measure(Network::Mnist, 1).unwrap();
    assert_eq!(first, measure(Network::Mnist, 1).unwrap());
    assert_ne!(first.movement, measure(Network::Mnist, 2).unwrap().movement);
}

#[test]
fn images_that_the_classifier_does_not_know_are_refused() {
    let error = measure(Network::Faces, 1).unwrap_err().to_string();
    assert!(error.contains("3×64×64"), "{error}");
}
