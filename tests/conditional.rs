//! Tests of conditional networks: from the training to what they make of labels.

use ign::classifier::{Architecture, Classifier, ClassifierConfig, Training};
use ign::data::{Images, Split};
use ign::gpu::Gpu;
use ign::method::Role;
use ign::metrics::{Judges, SampleSizes, Subject, evaluate};
use ign::model::{Checkpoint, Config, Generator, NoiseKind, NormStatistics, Preset};
use ign::native::open;
use ign::train::Trainer;
use std::path::Path;

fn gpu() -> Gpu {
    open(None).expect("the tests need an adapter")
}

/// MNIST's test digits from number `first` on, with their labels.
fn digits(first: usize, count: usize) -> Images {
    let mnist = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let all = Images::load(&mnist, Split::Test, [1, 28, 28], Default::default()).unwrap().images;
    all.select(first..first + count)
}

fn config() -> Config {
    let plain = Config { noise: NoiseKind::Gaussian, average: 0.5, ..Preset::Quick.config() };
    Config { width: 4, classes: 10, batch: 8, steps: 6, ..plain }
}

fn train(gpu: &Gpu, config: &Config, images: Images) -> Result<Checkpoint, ign::error::Error> {
    let mut trainer = gpu.wait(Trainer::new(gpu, config, images))?;
    for _ in 0..config.steps {
        trainer.blocking_advance()?;
    }
    let shown = gpu.wait(trainer.preview())?;
    assert_eq!(shown.fx.len(), Trainer::PREVIEW * 784);
    trainer.blocking_checkpoint()
}

fn load(gpu: &Gpu, checkpoint: &Checkpoint) -> Generator {
    Generator::blocking_load(gpu, checkpoint, 4, NormStatistics::Role).unwrap()
}

#[test]
fn the_label_decides_about_the_image() {
    let gpu = gpu();
    let checkpoint = train(&gpu, &config(), digits(0, 40)).unwrap();
    let read = Checkpoint::from_bytes(&checkpoint.published().unwrap().to_bytes().unwrap()).unwrap();
    let generator = load(&gpu, &read);
    assert_eq!(generator.classes(), Some(10));
    assert_eq!(generator.every_class().labels(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let z = vec![0.3; 6 * 784];
    let [mixed, first] = [&[7u8, 2][..], &[7]]
        .map(|labels| generator.labelled(labels).unwrap().blocking_apply(Role::Noise, &z).unwrap());
    let image = |all: &[f32], i: usize| all[i * 784..][..784].to_vec();
    assert_eq!(image(&mixed, 0), image(&first, 0));
    assert_ne!(image(&mixed, 0), image(&mixed, 1));
    // Labels begin again, also within another batch of the compiled size.
    assert_eq!(image(&mixed, 1), image(&mixed, 5));
    let refused = generator.blocking_apply(Role::Noise, &z).unwrap_err().to_string();
    assert!(refused.contains("needs a label, from 0 to 9"), "{refused}");
    let refused = generator.labelled(&[3, 10]).err().unwrap().to_string();
    assert!(refused.contains("10 is no label") && refused.contains("0 to 9"), "{refused}");
}

#[test]
fn labels_that_are_missing_or_too_many_are_refused() {
    let (gpu, images) = (gpu(), digits(0, 40));
    let refused = |config: &Config, images: Images| train(&gpu, config, images).err().unwrap().to_string();
    let without = refused(&config(), Images { labels: None, ..images.clone() });
    assert!(without.contains("classes is 10") && without.contains("have no labels"), "{without}");
    let few = refused(&Config { classes: 9, ..config() }, images.clone());
    assert!(few.contains("classes is 9") && few.contains("labels up to 9"), "{few}");

    let plain = Config { classes: 0, steps: 1, ..config() };
    let generator = load(&gpu, &train(&gpu, &plain, images).unwrap());
    assert_eq!(generator.classes(), None);
    let refused = generator.labelled(&[1]).err().unwrap().to_string();
    assert!(refused.contains("takes no labels"), "{refused}");
}

#[test]
fn an_evaluation_says_what_labels_do() {
    let gpu = gpu();
    let (first, test) = (digits(100, 40), digits(0, 30));
    let checkpoint = train(&gpu, &config(), first.clone()).unwrap();
    let config = ClassifierConfig {
        architecture: Architecture::Doubling,
        batch: 10,
        steps: 40,
        learning_rate: 1e-2,
        shift: 0,
        seed: 1,
    };
    let mut training = Training::new(&gpu, first.clone(), config).unwrap();
    for _ in 0..config.steps {
        training.advance().unwrap();
    }
    let classifier: Classifier = training.classifier().unwrap();
    let generator = load(&gpu, &checkpoint);
    let subject = Subject {
        checkpoint: &checkpoint,
        generator: &generator,
        judges: Judges { classifier: Some(&classifier), judge: None },
        train: &first,
        test: &test,
    };
    let found = evaluate(&subject, SampleSizes::new(20, 1), &mut |_| {}).unwrap();
    let labels = found.conditional.unwrap();
    // 20 samples are two of each class.
    assert_eq!((labels.recognised_by_class.len(), labels.frechet_by_class.len()), (10, 10));
    let mean = labels.recognised_by_class.iter().flatten().sum::<f64>() / 10.0;
    assert!((mean - labels.recognised).abs() < 1e-9, "{labels:?}");
    assert!(labels.other.movement > 0.0 && labels.other.movement != labels.other.movement_of_own, "{labels:?}");
    // An image that is taken for both classes would have been given its own label.
    assert!(labels.other.followed + labels.other.kept <= 1.0, "{labels:?}");
}
