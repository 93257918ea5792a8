//! The programs as people start them: on paths, environments and files that are unusual.
#![cfg(unix)]

#[path = "support/examples.rs"]
mod examples;

use ign::classifier::Classifier;
use ign::model::Checkpoint;
use ign::picture::Background;
use ign::run::RunFolder;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Command;

/// A bare command line of an example.
fn example(name: &str) -> Command {
    let mut command = Command::new(examples::build().join(name));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("NODEVICE_SELECT", "1");
    command
}

/// Whether the command succeeds, and what it says.
fn outcome(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), said.concat())
}

/// What a command says that must succeed.
fn said(command: &mut Command) -> String {
    let (success, text) = outcome(command);
    assert!(success, "{command:?}: {text}");
    text
}

/// Trains two small steps into `run`, with more arguments.
fn train(run: &Path, more: &[&OsStr]) -> String {
    let tiny = ["--width", "1", "--batch", "2", "--steps", "2", "--sample-every", "2"];
    said(example("train").arg("--out").arg(run).args(tiny).args(more))
}

/// Half precision halves the file, and the model is still one that samples are drawn with.
#[test]
fn a_model_is_published_in_half_precision() {
    let work = tempfile::tempdir().unwrap();
    let run = work.path().join("run");
    train(&run, &["--classes".as_ref(), "10".as_ref()]);
    let publish = |name: &str, more: &[&str]| {
        let path = work.path().join(name);
        said(example("train").arg("--resume").arg(&run).arg("--publish").arg(&path).args(more));
        path
    };
    let [whole, half] = [publish("whole.safetensors", &[]), publish("half.safetensors", &["--half"])];
    let size = |path: &Path| fs::metadata(path).unwrap().len() as f64;
    assert!((0.4..0.7).contains(&(size(&half) / size(&whole))), "{} of {} bytes", size(&half), size(&whole));
    let [found, expected] = [&half, &whole].map(|path| Checkpoint::load(path).unwrap());
    assert_eq!(found.config, expected.config);
    for (name, values) in &expected.tensors {
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * b.abs() + 1e-6;
        assert!(values.iter().zip(&found.tensors[name]).all(near), "{name}");
    }
    let picture = work.path().join("sevens.png");
    said(example("sample").arg(&half).args(["--count", "3", "--label", "7", "--out"]).arg(&picture));
    assert!(picture.exists());
    let (success, text) = outcome(example("sample").arg(&half).args(["--label", "10"]));
    assert!(!success && text.contains("10 is no label"), "{text}");
    let (success, text) = outcome(example("sample").args(["--label", "7"]));
    assert!(!success && text.contains("takes no labels"), "{text}");
}

/// Pictures of their own decide about network and classes, and need no option but their folder.
#[test]
fn pictures_in_folders_are_trained_on_classified_and_evaluated() {
    let work = tempfile::tempdir().unwrap();
    let data = work.path().join("pictures");
    for (part, count) in [("train", 8u8), ("test", 5)] {
        for (class, colour) in [("moss", [20, 160, 30]), ("sky", [60, 120, 250])] {
            let folder = data.join(part).join(class);
            fs::create_dir_all(&folder).unwrap();
            for i in 0..count {
                let shade = colour.map(|c: u8| c - i);
                image::RgbImage::from_pixel(33, 40, image::Rgb(shade)).save(folder.join(format!("{i}.png"))).unwrap();
            }
        }
    }
    let run = work.path().join("run");
    let text = train(&run, &["--data".as_ref(), data.as_os_str()]);
    assert!(
        text.contains("network  3×32×32") && text.contains("2 classes, by the names of their folders: moss, sky"),
        "{text}"
    );
    let text = said(example("evaluate").arg(&run).args(["--samples", "4"]));
    assert!(text.contains("without the shipped classifier: the classifier recognises 1×28×28 images"), "{text}");
    assert!(!fs::read_to_string(run.join("evaluation.json")).unwrap().contains("frechet"));
    let classifier = work.path().join("classifier.safetensors");
    let settings = ["--steps", "60", "--batch", "8", "--shift", "0", "--out"];
    let text = said(example("classifier").arg("--data").arg(&data).args(settings).arg(&classifier));
    assert!(text.contains("network  3×32×32, 2 classes"), "{text}");
    let text = said(example("evaluate").arg(&run).args(["--samples", "4", "--classifier"]).arg(&classifier));
    assert!(text.contains("class 1") && !text.contains("class 2"), "{text}");
    assert!(fs::read_to_string(run.join("evaluation.json")).unwrap().contains("frechet"));
}

#[test]
fn any_path_that_the_system_allows_works() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join(OsString::from_vec(b"a 'b'\nline, and \xff no Unicode".to_vec()));
    let (data, run) = (folder.join("digits"), folder.join("run"));
    fs::create_dir_all(&data).unwrap();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, data.join(path.file_name().unwrap())).unwrap();
    }
    train(&run, &["--data".as_ref(), data.as_os_str()]);
    said(example("train").arg("--resume").arg(&run).args(["--steps", "3"]));
    said(example("sample").arg(&run).args(["--count", "1"]));
    said(example("interpolate").arg(&run).args(["--count", "1", "--steps", "2"]));
    said(example("project").arg(&run).args(["--count", "1", "--measured", "1"]));
    said(
        example("project")
            .arg(&run)
            .arg("--image")
            .arg(run.join("samples.png"))
            .arg("--out")
            .arg(folder.join("x\n.png")),
    );
    said(example("evaluate").arg(&run).args(["--samples", "4"]));
    said(example("report").arg(run.join(Checkpoint::FILE)));
    for file in ["samples.png", "projections.png", "interpolations.png", "evaluation.json", "report.html", "../x\n.png"]
    {
        assert!(run.join(file).is_file(), "{file}");
    }
    // What is recorded leads back to the data.
    assert_eq!(RunFolder::open(&run).read_config().unwrap().data, data);
}

#[test]
fn a_model_that_is_not_finite_is_said_to_be_so() {
    let work = tempfile::tempdir().unwrap();
    let (run, out) = (work.path().join("run"), work.path().join("out.png"));
    train(&run, &[]);
    let mut checkpoint = Checkpoint::load(&run).unwrap();
    checkpoint.tensors.values_mut().for_each(|values| values[0] = f32::NAN);
    checkpoint.save(&run.join(Checkpoint::FILE)).unwrap();
    let text = said(example("sample").arg(&run).args(["--count", "1", "--out"]).arg(&out));
    assert!(text.contains("warning: ") && text.contains("numbers of the model are not finite"), "{text}");
    assert!(out.is_file());
    let (success, text) = outcome(example("train").arg("--resume").arg(&run).args(["--steps", "3"]));
    assert!(!success && text.contains("is not finite; no training can go on from it"), "{text}");
}

#[test]
fn a_classifier_of_digits_judges_digits_only() {
    let work = tempfile::tempdir().unwrap();
    let (data, run) = (work.path().join("data"), work.path().join("run"));
    fs::create_dir(&data).unwrap();
    // IDX: two zeros, the type u8, the number of axes, the extents, the elements.
    let idx = |extents: &[u32], elements: Vec<u8>| {
        let head = [0, 0, 8, extents.len() as u8];
        [head.to_vec(), extents.iter().flat_map(|extent| extent.to_be_bytes()).collect(), elements].concat()
    };
    // The first image that is measured is a digit; the last one of the set is the letter 12.
    for part in ["train", "t10k"] {
        fs::write(data.join(format!("{part}-images-idx3-ubyte")), idx(&[4, 28, 28], vec![9; 4 * 784])).unwrap();
        fs::write(data.join(format!("{part}-labels-idx1-ubyte")), idx(&[4], vec![0, 1, 2, 12])).unwrap();
    }
    train(&run, &["--data".as_ref(), data.as_os_str()]);
    let text = said(example("project").arg(&run).args(["--count", "1", "--measured", "1"]));
    let why = "image 3 has the label 12, and the classifier knows 0 to 9";
    assert!(text.contains(&format!("without the shipped classifier: {why}")) && !text.contains("recognised"), "{text}");
    let text = said(example("evaluate").arg(&run).args(["--samples", "4"]));
    assert!(text.contains(why) && !text.contains("Fréchet"), "{text}");
    let given = ["--samples", "4", "--classifier", Classifier::FILE];
    let (success, text) = outcome(example("evaluate").arg(&run).args(given));
    assert!(!success && text.contains(why), "{text}");
}

#[test]
fn a_name_that_is_not_unicode_is_that_of_no_adapter() {
    let (success, text) = outcome(example("sample").env("IGN_ADAPTER", OsStr::from_bytes(b"llv\xff")));
    assert!(!success && text.contains("no adapter is called `llv\u{fffd}`"), "{text}");
}

#[test]
fn a_resumed_run_keeps_its_background() {
    let work = tempfile::tempdir().unwrap();
    let run = work.path().join("run");
    train(&run, &["--background".as_ref(), "black".as_ref()]);
    said(example("train").arg("--resume").arg(&run).args(["--steps", "3"]));
    let checkpoint = Checkpoint::load(&run).unwrap();
    assert_eq!((checkpoint.step, checkpoint.config.background), (3, Background::Black));
    let (success, text) =
        outcome(example("train").arg("--resume").arg(&run).args(["--steps", "4", "--background", "white"]));
    assert!(!success && text.contains("--background cannot change"), "{text}");
}
