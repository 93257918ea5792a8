//! Tests of whole trainings: reproducibility, checkpoints and run folders.

use ign::data::{Images, Split};
use ign::gpu::Gpu;
use ign::method::{Distance, Losses, PREFIXES, Role, Weights};
use ign::model::{Bound, Checkpoint, Config, Generator, Network, NoiseKind, NormStatistics, Preset};
use ign::native::open;
use ign::run::{Metrics, RunFolder};
use ign::train::{Event, Outcome, Trainer, Training};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn gpu() -> Gpu {
    open(None).expect("the tests need an adapter")
}

/// A small network on a few digits.
fn config(folder: &Path) -> Config {
    let plain = Config { noise: NoiseKind::Gaussian, average: 0.0, ..Preset::Quick.config() };
    let config = Config { width: 4, batch: 8, steps: 6, log_every: 1, sample_every: 3, ..plain };
    Config { data: digits(folder, 40), checkpoint_every: 2, ..config }
}

#[test]
fn a_training_on_several_clipped_batches_resumes_bit_for_bit() {
    let work = tempfile::tempdir().unwrap();
    let config = Config { accumulate: 3, clip: 0.05, dropout: 0.1, ..config(work.path()) };
    let whole = work.path().join("whole");
    let mut trainer = Trainer::blocking_new(&gpu(), &config).unwrap();
    run(&mut trainer, RunFolder::create(&whole).unwrap(), None);
    let plain = work.path().join("plain");
    let mut other = Trainer::blocking_new(&gpu(), &Config { accumulate: 1, clip: 0.0, ..config.clone() }).unwrap();
    run(&mut other, RunFolder::create(&plain).unwrap(), None);
    assert_ne!(left(&whole), left(&plain), "the settings have no effect");

    let parts = work.path().join("parts");
    let mut trainer = Trainer::blocking_new(&gpu(), &config).unwrap();
    assert_eq!(run(&mut trainer, RunFolder::create(&parts).unwrap(), Some(3)), Outcome::Stopped);
    let (folder, checkpoint) = RunFolder::resume(&parts).unwrap();
    assert_eq!(run(&mut Trainer::blocking_resume(&gpu(), checkpoint).unwrap(), folder, None), Outcome::Done);
    assert_eq!(left(&whole), left(&parts));
}

/// Writes the first `count` digits of MNIST's test set as a training set.
fn digits(folder: &Path, count: usize) -> std::path::PathBuf {
    let mnist = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let all = Images::load(&mnist, Split::Test, [1, 28, 28], Default::default()).unwrap().images;
    let mut idx = vec![0, 0, 8, 3];
    [count, 28, 28].iter().for_each(|&extent| idx.extend((extent as u32).to_be_bytes()));
    idx.extend(all.gather(0..count).iter().map(|x| ((x + 1.0) * 127.5).round() as u8));
    let data = folder.join("digits");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("train-images-idx3-ubyte"), idx).unwrap();
    data
}

/// Trains in the folder `run`, and stops after step `stop` if given.
fn run(trainer: &mut Trainer, run: RunFolder, stop: Option<u64>) -> Outcome {
    let flag = AtomicBool::new(false);
    let mut on = |event: Event| {
        if let Event::Step(step, _) = event {
            flag.store(Some(step) == stop, Ordering::Relaxed);
        }
    };
    Training::start(trainer, &run, &flag, &mut on).unwrap().run().unwrap()
}

/// The contents of a run folder, without the measured speed.
fn left(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for file in ["config.json", "checkpoint.safetensors", "samples/step-000003.png", "samples/step-000006.png"] {
        files.insert(file.to_string(), fs::read(run.join(file)).unwrap());
    }
    let metrics = RunFolder::open(run).read_metrics().unwrap().records;
    let lines: Vec<_> = metrics.into_iter().map(|m| Metrics { images_per_second: 0.0, ..m }).collect();
    files.insert("metrics".into(), serde_json::to_vec(&lines).unwrap());
    files
}

#[test]
fn a_run_that_went_on_is_bit_for_bit_one_that_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = gpu();
    let gaussian = config(folder.path());
    let frequency = Config {
        noise: NoiseKind::Frequency,
        clamp: Bound::Noise,
        distance: Distance::L1,
        average: 0.9,
        ..gaussian.clone()
    };
    let dropout = Config { dropout: 0.1, ..gaussian.clone() };
    for (name, config) in [("gaussian", gaussian), ("frequency", frequency), ("dropout", dropout)] {
        let whole = folder.path().join(name);
        let outcome = run(&mut Trainer::blocking_new(&gpu, &config).unwrap(), RunFolder::create(&whole).unwrap(), None);
        assert_eq!(outcome, Outcome::Done);

        let parts = folder.path().join(format!("{name} in parts"));
        let outcome =
            run(&mut Trainer::blocking_new(&gpu, &config).unwrap(), RunFolder::create(&parts).unwrap(), Some(3));
        assert_eq!(outcome, Outcome::Stopped);
        let (resumed, checkpoint) = RunFolder::resume(&parts).unwrap();
        assert_eq!(checkpoint.step, 3);
        fs::remove_file(resumed.sample(3)).unwrap();
        // A new device, as in another process.
        let mut trainer = Trainer::blocking_resume(&self::gpu(), checkpoint).unwrap();
        assert_eq!(run(&mut trainer, resumed, None), Outcome::Done);

        let (expected, found) = (left(&whole), left(&parts));
        for (file, bytes) in &expected {
            assert!(found[file] == *bytes, "{name}: {file} differs");
        }
    }
}

#[test]
fn the_seed_and_nothing_else_determines_the_bits() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let trained = |config: &Config| {
        let mut trainer = Trainer::blocking_new(&gpu(), config).unwrap();
        (0..3).for_each(|_| trainer.blocking_advance().unwrap());
        trainer.blocking_checkpoint().unwrap().tensors
    };
    let first = trained(&config);
    assert!(first == trained(&config), "the same seed gave other bits");
    let dropout = Config { dropout: 0.1, ..config.clone() };
    let dropped = trained(&dropout);
    assert!(first != dropped, "dropout changed nothing");
    assert!(dropped == trained(&dropout), "the same dropout gave other bits");
    assert!(first != trained(&Config { seed: 2, ..config }), "another seed gave the same bits");
    assert!(first.values().chain(dropped.values()).flatten().all(|x| x.is_finite()));
}

#[test]
fn the_average_is_what_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = gpu();
    let config = Config { average: 0.5, ..config(folder.path()) };
    let mut trainer = Trainer::blocking_new(&gpu, &config).unwrap();
    let mut expected = trainer.blocking_checkpoint().unwrap().tensors["5.weight"].clone();
    for rate in [9.0 / 11.0, 9.0 / 12.0, 9.0 / 13.0] {
        trainer.blocking_advance().unwrap();
        let weights = &trainer.blocking_checkpoint().unwrap().tensors["5.weight"];
        expected.iter_mut().zip(weights).for_each(|(average, w)| *average += rate * (w - *average));
    }
    let checkpoint = trainer.blocking_checkpoint().unwrap();
    let average = &checkpoint.tensors["average.5.weight"];
    assert!(average.iter().zip(&expected).all(|(a, e)| (a - e).abs() < 1e-6));

    let applied = |checkpoint: &Checkpoint| {
        let generator = Generator::blocking_load(&gpu, checkpoint, 1, NormStatistics::Role).unwrap();
        generator.blocking_apply(Role::Noise, &[0.5; 784]).unwrap()
    };
    let last = checkpoint.clone().last_step().unwrap();
    assert_ne!(applied(&checkpoint), applied(&last));
    // The same training without averaged weights.
    let mut plain = Trainer::blocking_new(&gpu, &Config { average: 0.0, ..config }).unwrap();
    (0..3).for_each(|_| plain.blocking_advance().unwrap());
    assert_eq!(applied(&plain.blocking_checkpoint().unwrap()), applied(&last));
}

#[test]
fn a_batch_that_is_not_full_has_the_statistics_of_its_own_images() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = gpu();
    let checkpoint = Trainer::blocking_new(&gpu, &config(folder.path())).unwrap().blocking_checkpoint().unwrap();
    let images: Vec<f32> = (0..6 * 784).map(|i| (i * i % 401) as f32 / 200.0 - 1.0).collect();
    let apply = |batch: usize, images: &[f32]| {
        Generator::blocking_load(&gpu, &checkpoint, batch, NormStatistics::Batch)
            .unwrap()
            .blocking_apply(Role::Image, images)
            .unwrap()
    };
    let alike = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let (first, last) = images.split_at(4 * 784);
    let whole = apply(4, &images);
    assert!(alike(&whole[..4 * 784], &apply(8, first)), "images that fill half a batch");
    assert!(alike(&whole[4 * 784..], &apply(2, last)), "images that are left over");
    assert!(!alike(&apply(4, first)[..784], &apply(1, &first[..784])), "neighbours should count");
}

#[test]
fn checkpoints_that_cannot_be_used_say_why_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let trainer = Trainer::blocking_new(&gpu(), &config).unwrap();
    let path = folder.path().join(Checkpoint::FILE);
    let good = trainer.blocking_checkpoint().unwrap();
    good.save(&path).unwrap();
    assert!(Checkpoint::load(&path).unwrap() == good);
    assert!(Checkpoint::load(folder.path()).unwrap() == good);

    assert_eq!(good.not_finite(), None);
    let mut poisoned = good.clone();
    let layers = poisoned.layers();
    let (name, _) = layers.tensors(&[]).into_iter().next().unwrap();
    poisoned.tensors.get_mut(&name).unwrap()[1] = f32::NAN;
    let said = poisoned.not_finite().unwrap();
    assert!(said.starts_with("1 of ") && said.contains(&format!("the first is NaN, in `{name}`")), "{said}");

    let bytes = fs::read(&path).unwrap();
    let refused = |contents: &[u8], why: &str| {
        let path = folder.path().join("bad.safetensors");
        fs::write(&path, contents).unwrap();
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(error.contains("bad.safetensors") && error.contains(why), "{error}, expected: {why}");
        assert!(fs::read(&path).unwrap() == contents, "the file was touched");
    };
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    refused(&bytes[..bytes.len() / 2], "not a complete safetensors file");
    refused(&bytes[..4], "not a complete safetensors file");
    refused(b"", "not a complete safetensors file");
    refused(b"once upon a time there was a file", "not a complete safetensors file");
    refused(&replaced(r#"\"version\":1"#, r#"\"version\":7"#), "version 7, this program reads 1");
    refused(&replaced(r#"\"width\":4"#, r#"\"width\":0"#), "width is 0, and must be from 1 to 1024");
    refused(&replaced(r#""2.weight""#, r#""2.wright""#), "2.weight");
    let none: [(&str, safetensors::tensor::TensorView<'_>); 0] = [];
    refused(&safetensors::serialize(none, None).unwrap(), "not a checkpoint of this program");
    assert!(Checkpoint::load(&folder.path().join("nowhere")).unwrap_err().to_string().contains("cannot be read"));

    let mut short = good.clone();
    short.tensors.remove("0.weight");
    short.save(&path).unwrap();
    let error = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(error.contains("0.weight"), "{error}");
}

#[test]
fn a_published_model_samples_alike_and_cannot_be_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = gpu();
    let plain = Config { noise: NoiseKind::Frequency, ..config(folder.path()) };
    for average in [0.0, 0.5] {
        let config = Config { average, ..plain.clone() };
        let mut trainer = Trainer::blocking_new(&gpu, &config).unwrap();
        (0..3).for_each(|_| trainer.blocking_advance().unwrap());
        let whole = trainer.blocking_checkpoint().unwrap();
        let published = whole.published().unwrap();
        assert_eq!((&published.config, published.step), (&whole.config, 3));
        assert!(published.tensors.keys().all(|name| !name.contains("adam.") && !name.contains("average.")));
        assert!(published == published.published().unwrap());
        let path = folder.path().join("published.safetensors");
        published.save(&path).unwrap();
        let read = Checkpoint::load(&path).unwrap();
        assert!(read == published && read.noise().unwrap() == whole.noise().unwrap());
        assert!(read == Checkpoint::from_bytes(&whole.published().unwrap().to_bytes().unwrap()).unwrap());
        for statistics in [NormStatistics::Role, NormStatistics::Batch] {
            let sampled = |checkpoint: &Checkpoint| {
                let generator = Generator::blocking_load(&gpu, checkpoint, 2, statistics).unwrap();
                generator.blocking_repeat(Role::Noise, &[0.5; 2 * 784], 2).unwrap()
            };
            assert_eq!(sampled(&read), sampled(&whole));
        }

        let error = Trainer::blocking_resume(&gpu, read.clone()).err().unwrap().to_string();
        assert!(error.contains("holds a model for sampling only; training cannot go on from it"), "{error}");
        // With averaging, a published checkpoint lacks the weights of the last step.
        assert_eq!(read.last_step().is_ok(), average == 0.0);
        assert!(whole.last_step().is_ok());
    }
}

#[test]
fn tensors_that_are_missing_or_too_many_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { noise: NoiseKind::Frequency, average: 0.5, ..config(folder.path()) };
    let gpu = gpu();
    let good = Trainer::blocking_new(&gpu, &config).unwrap().blocking_checkpoint().unwrap();
    let says = |error: String, words: &str| assert!(error.contains(words), "{error} should say {words}");
    for name in ["noise.frequencies", "adam.m.0.weight", "average.2.bias", "image.3.running_var"] {
        let mut short = good.clone();
        short.tensors.remove(name);
        says(Trainer::blocking_resume(&gpu, short.clone()).err().unwrap().to_string(), name);
        says(Checkpoint::from_bytes(&short.to_bytes().unwrap()).unwrap_err().to_string(), name);
    }
    let mut other = good.clone();
    other.tensors.remove("noise.frequencies");
    says(other.noise().unwrap_err().to_string(), "noise.frequencies");
    says(other.published().unwrap_err().to_string(), "noise.frequencies");
    other.tensors.insert("odd".into(), vec![1.0]);
    says(other.to_bytes().unwrap_err().to_string(), "`odd` of 1 numbers is not a tensor of this network");

    let bytes = good.to_bytes().unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let odd = tensors[0].1.clone();
    tensors.push(("odd".into(), odd));
    let bytes = safetensors::serialize(tensors, header.metadata().clone()).unwrap();
    says(Checkpoint::from_bytes(&bytes).unwrap_err().to_string(), "`odd` is not a tensor of this network");
}

#[test]
fn metrics_beyond_the_checkpoint_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path()).unwrap();
    let losses = Losses { rec: 0.5, idem: 0.25, tight: -0.25, variance: 0.1 };
    (1..=5).for_each(|step| run.append(&Metrics { step, losses, images_per_second: 1.0 }).unwrap());
    // A line truncated by a crash, and a damaged one.
    let whole = fs::read_to_string(run.metrics()).unwrap();
    fs::write(run.metrics(), format!("{{\"st\n{whole}{{\"step\":6,\"re")).unwrap();
    assert!(run.rewind(3).unwrap().unwrap().contains("line 1"));
    let kept = run.read_metrics().unwrap();
    assert_eq!(kept.records.iter().map(|m| m.step).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(kept.skipped, None);
}

#[test]
fn a_new_run_can_be_resumed_from_its_first_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (gpu, path) = (gpu(), folder.path().join("run"));
    let config = config(folder.path());
    let new = RunFolder::create(&path).unwrap();
    let mut trainer = Trainer::blocking_new(&gpu, &config).unwrap();
    Training::start(&mut trainer, &new, &AtomicBool::new(false), &mut |_| {}).map(drop).unwrap();
    drop(new);
    assert!(RunFolder::create(&path).unwrap_err().to_string().contains("already contains checkpoint.safetensors"));
    for name in [path.clone(), path.join(Checkpoint::FILE)] {
        let (resumed, checkpoint) = RunFolder::resume(&name).unwrap();
        assert_eq!((resumed.path(), checkpoint.step), (path.as_path(), 0));
        Trainer::blocking_resume(&gpu, checkpoint).unwrap();
    }
    let other = path.join("other.safetensors");
    fs::copy(path.join(Checkpoint::FILE), &other).unwrap();
    let error = RunFolder::resume(&other).unwrap_err().to_string();
    assert!(error.contains("a training resumes in a run folder"), "{error}");
}

#[test]
fn a_step_of_any_kind_is_saved_logged_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = gpu();
    let trace = folder.path().join("trace.safetensors");
    let take = |kind: &str, trainer: &mut Trainer| match kind {
        "trace" => trainer.trace(&trace),
        "profile" => trainer.blocking_profile().map(drop),
        _ => trainer.blocking_check(ign::compile::Check::Finite).map(|finding| assert!(finding.is_none())),
    };
    let config = Config { steps: 1, ..config(folder.path()) };
    let whole = folder.path().join("whole");
    run(&mut Trainer::blocking_new(&gpu, &config).unwrap(), RunFolder::create(&whole).unwrap(), None);
    for name in ["trace", "profile", "check"] {
        let path = folder.path().join(name);
        let (new, stop) = (RunFolder::create(&path).unwrap(), AtomicBool::new(false));
        let mut trainer = Trainer::blocking_new(&gpu, &config).unwrap();
        let mut on = |_| {};
        let mut training = Training::start(&mut trainer, &new, &stop, &mut on).unwrap();
        training.step(|trainer| take(name, trainer)).unwrap();
        assert_eq!(training.run().unwrap(), Outcome::Done);
        for file in [Checkpoint::FILE, "samples/step-000001.png"] {
            assert!(fs::read(path.join(file)).unwrap() == fs::read(whole.join(file)).unwrap(), "{name}: {file}");
        }
        let losses = |run: &Path| RunFolder::open(run).read_metrics().unwrap().records[0].losses;
        assert_eq!(losses(&path), losses(&whole), "{name}");
    }
}

#[test]
fn a_finite_checkpoint_is_never_replaced_by_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (gpu, path) = (gpu(), folder.path().join("run"));
    // Steps between lines of metrics diverge unseen; the checkpoint of each is checked.
    let config = Config { log_every: 100, checkpoint_every: 1, steps: 100, ..config(folder.path()) };
    let mut checkpoint = Trainer::blocking_new(&gpu, &config).unwrap().blocking_checkpoint().unwrap();
    checkpoint.tensors.get_mut("0.weight").unwrap().fill(3e38);
    checkpoint.step = 1;
    fs::create_dir(&path).unwrap();
    checkpoint.save(&path.join(Checkpoint::FILE)).unwrap();
    let good = fs::read(path.join(Checkpoint::FILE)).unwrap();

    let (resumed, checkpoint) = RunFolder::resume(&path).unwrap();
    let mut trainer = Trainer::blocking_resume(&gpu, checkpoint).unwrap();
    let stop = AtomicBool::new(false);
    let mut on = |_| {};
    let error = Training::start(&mut trainer, &resumed, &stop, &mut on).unwrap().run().unwrap_err().to_string();
    assert!(error.contains("diverged") && error.contains("checkpoint.safetensors of step 1"), "{error}");
    assert!(fs::read(path.join(Checkpoint::FILE)).unwrap() == good);

    let mut spoiled = Checkpoint::load(&path).unwrap();
    spoiled.tensors.get_mut("adam.m.2.bias").unwrap()[0] = f32::NAN;
    spoiled.save(&path.join(Checkpoint::FILE)).unwrap();
    drop(resumed);
    let error = RunFolder::resume(&path).unwrap_err().to_string();
    assert!(error.contains("`adam.m.2.bias` is not finite"), "{error}");
}

#[test]
fn a_log_that_cannot_be_written_costs_no_training_and_a_moved_folder_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (gpu, path, moved) = (gpu(), folder.path().join("run"), folder.path().join("moved"));
    let config = config(folder.path());
    let new = RunFolder::create(&path).unwrap();
    // Folders in the place of the metrics and of a picture.
    fs::create_dir_all(new.metrics()).unwrap();
    fs::create_dir_all(new.sample(3)).unwrap();
    let mut trainer = Trainer::blocking_new(&gpu, &config).unwrap();
    let mut warnings = vec![];
    let stop = AtomicBool::new(false);
    let mut on = |event: Event| match event {
        Event::Warning(text) => warnings.push(text),
        Event::Saved(_) if warnings.len() > 4 => fs::rename(&path, &moved).unwrap(),
        _ => {}
    };
    let error = Training::start(&mut trainer, &new, &stop, &mut on).unwrap().run().unwrap_err().to_string();
    assert!(error.contains("the run folder was moved"), "{error}");
    assert_eq!(warnings.len(), 6, "{warnings:?}");
    assert!(
        warnings[1].contains("the metrics of step 1 are skipped") && warnings[4].contains("the picture is skipped")
    );
    assert!(!path.exists() && Checkpoint::load(&moved).unwrap().step == 4);
}

#[test]
fn memory_is_flat_over_a_thousand_steps() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { width: 1, batch: 2, ..config(folder.path()) };
    let gpu = gpu();
    let mut trainer = Trainer::blocking_new(&gpu, &config).unwrap();
    let mut step = || {
        trainer.blocking_advance().unwrap();
        trainer.blocking_losses().unwrap()
    };
    step();
    let before = (gpu.objects_made(), gpu.objects_alive());
    (0..1000).for_each(|_| _ = step());
    assert_eq!((gpu.objects_made(), gpu.objects_alive()), before);
}

#[test]
fn changed_settings_hold_from_the_next_step_on_and_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let mut changed =
        Trainer::blocking_new(&gpu(), &Config { rec: 0.0, learning_rate: 0.0, ..config.clone() }).unwrap();
    let mut plain = Trainer::blocking_new(&gpu(), &config).unwrap();
    let Config { rec, idem, tight, learning_rate, .. } = config;
    let weights = Weights { rec, idem, tight };
    let error = changed.set(Weights { tight: -1.0, ..weights }, 0.5).unwrap_err().to_string();
    assert!(error.contains("tight is -1") && changed.config().learning_rate == 0.0, "{error}");
    changed.set(weights, learning_rate).unwrap();
    for trainer in [&mut changed, &mut plain] {
        (0..3).for_each(|_| trainer.blocking_advance().unwrap());
    }
    assert!(changed.blocking_checkpoint().unwrap() == plain.blocking_checkpoint().unwrap());
    changed.set(Weights { idem: 0.0, ..weights }, learning_rate).unwrap();
    for trainer in [&mut changed, &mut plain] {
        trainer.blocking_advance().unwrap();
    }
    let [changed, plain] = [changed, plain].map(|trainer| trainer.blocking_checkpoint().unwrap());
    assert!(changed.tensors != plain.tensors && changed.config.idem == 0.0);
}

#[test]
fn images_of_another_shape_than_the_network_are_refused() {
    let gpu = gpu();
    let config = Config { noise: NoiseKind::Gaussian, ..Preset::Quick.config() };
    let images = Images { shape: [1, 4, 4], pixels: vec![0; 64 * 16], labels: None };
    let error = gpu.wait(Trainer::new(&gpu, &config, images)).err().unwrap().to_string();
    assert!(error.contains("have shape [1, 4, 4]; the network takes [1, 28, 28]"), "{error}");
}

#[test]
fn a_network_learns_eight_digits_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { width: 16, steps: 300, idem: 0.1, tight: 0.01, ..config(folder.path()) };
    let constant = Config { learning_rate: 1e-3, learning_rate_end: 1.0, tight_end: 1.0, ..config };
    let config = Config { data: digits(folder.path(), 8), ..constant };
    let mut trainer = Trainer::blocking_new(&gpu(), &config).unwrap();
    let mut first = None;
    for _ in 0..config.steps {
        trainer.blocking_advance().unwrap();
        first.get_or_insert_with(|| trainer.blocking_losses().unwrap());
    }
    let (first, last) = (first.unwrap(), trainer.blocking_losses().unwrap());
    assert!(first.rec > 0.5, "{first:?}");
    assert!(last.rec < 0.01, "reconstruction is still {last:?}");
    assert!(last.idem < 0.1, "f(f(z)) is still far from f(z): {last:?}");
}

#[test]
fn a_trace_holds_the_first_step() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { tight: 0.3, ..config(folder.path()) };
    let mut trainer = Trainer::blocking_new(&gpu(), &config).unwrap();
    let path = folder.path().join("trace.safetensors");
    trainer.trace(&path).unwrap();
    assert_eq!(trainer.step(), 1);
    let traced = trainer.blocking_checkpoint().unwrap().tensors;
    // The same step without a trace.
    let mut plain = Trainer::blocking_new(&gpu(), &config).unwrap();
    plain.blocking_advance().unwrap();
    assert!(plain.blocking_checkpoint().unwrap().tensors == traced, "tracing changed the step");

    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let get = |name: &str| -> Vec<f32> {
        bytemuck::pod_collect_to_vec(file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}")).data())
    };
    let layers = Network::Mnist.layers(config.width);
    let mut expected: Vec<String> = ["x", "z", "y", "w"].map(String::from).to_vec();
    for name in Checkpoint::shapes(&config).keys() {
        expected.extend(["before", "after"].map(|when| format!("{when}.{name}")));
    }
    for parameter in layers.parameters() {
        let terms = ["rec", "idem", "tight", "total"];
        expected.extend(terms.map(|term| format!("grad.{term}.{}", parameter.name)));
        let shape = file.tensor(&format!("grad.total.{}", parameter.name)).unwrap().shape().to_vec();
        assert_eq!(shape, parameter.shape.dims(), "{}", parameter.name);
    }
    expected.extend(["rec", "idem", "tight"].map(|term| format!("loss.{term}")));
    expected.sort();
    let mut found: Vec<_> = file.names().into_iter().map(String::from).collect();
    found.sort();
    assert_eq!(found, expected);
    assert!(PREFIXES.iter().all(|p| found.contains(&format!("after.{p}3.running_mean"))));

    let (y, w) = (get("y"), get("w"));
    let mse = y.iter().zip(&w).map(|(y, w)| f64::from(y - w).powi(2)).sum::<f64>() / y.len() as f64;
    let near = |found: f32, expected: f64, tolerance: f64| (f64::from(found) - expected).abs() <= tolerance;
    assert!(near(get("loss.idem")[0], mse, 1e-5 * mse) && near(get("loss.tight")[0], -mse, 1e-5 * mse));
    for parameter in layers.parameters() {
        let name = &parameter.name;
        let of = |what: &str| get(&format!("{what}.{name}"));
        let (before, after, total) = (of("before"), of("after"), of("grad.total"));
        let (rec, idem, tight) = (of("grad.rec"), of("grad.idem"), of("grad.tight"));
        let scale = f64::from(total.iter().fold(0f32, |m, g| m.max(g.abs())));
        for i in 0..total.len() {
            let sum = f64::from(rec[i]) + f64::from(idem[i]) + 0.3 * f64::from(tight[i]);
            assert!(near(total[i], sum, 1e-5 * scale + 1e-12), "{name}[{i}]: {} and {sum}", total[i]);
            // Adam's first update is the learning rate times g/(|g| + ε).
            let g = f64::from(total[i]);
            let moved = f64::from(before[i]) - config.learning_rate * g / (g.abs() + 1e-8);
            assert!(near(after[i], moved, 2e-7 + 1e-3 * config.learning_rate), "{name}[{i}]: {} and {moved}", after[i]);
        }
    }
}
