//! Folders of pictures as people have them.

use ign::data::{HeldOut, Images, Loaded, Split};
use ign::picture::Background;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const SHAPE: [usize; 3] = [1, 1, 1];

fn load(folder: &Path, split: Split) -> Loaded {
    Images::load(folder, split, SHAPE, Background::Auto).unwrap()
}

fn failure(folder: &Path, split: Split) -> String {
    Images::load(folder, split, SHAPE, Background::Auto).unwrap_err().to_string()
}

/// A picture of one grey level, whose format follows from its name.
fn picture(folder: &Path, name: &str, grey: u8) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(3, 3, image::Rgb([grey; 3])).save(path).unwrap();
}

/// The grey levels of a part.
fn greys(folder: &Path, split: Split) -> BTreeSet<u8> {
    load(folder, split).images.pixels.into_iter().collect()
}

#[test]
fn a_folder_of_pictures_is_cropped_and_resized() {
    let folder = tempfile::tempdir().unwrap();
    // A wide picture: red in the middle third, blue at both ends.
    let wide = image::RgbImage::from_fn(90, 30, |x, _| {
        image::Rgb(if (30..60).contains(&x) { [255, 0, 0] } else { [0, 0, 255] })
    });
    wide.save(folder.path().join("wide.png")).unwrap();
    let images = Images::load(folder.path(), Split::Train, [3, 8, 8], Background::Auto).unwrap().images;
    assert_eq!(images.pixels, [vec![255; 64], vec![0; 64], vec![0; 64]].concat());
}

#[test]
fn folders_without_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(failure(folder.path(), Split::Train).contains("neither MNIST's files"));
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    let error = failure(folder.path(), Split::Train);
    assert!(error.contains("1 files are no JPEG, PNG, WebP, BMP or GIF: 1 .txt"), "{error}");
    assert!(failure(&folder.path().join("nowhere"), Split::Train).contains("nowhere"));
    picture(folder.path(), "one.png", 9);
    assert!(failure(folder.path(), Split::Test).contains("at least ten"));
}

#[test]
fn pictures_are_known_by_their_contents() {
    let folder = tempfile::tempdir().unwrap();
    for (i, format) in ["jpg", "png", "webp", "bmp", "gif"].into_iter().enumerate() {
        picture(folder.path(), &format!("{format}.{format}"), 10 + i as u8);
    }
    let rename = |from: &str, to: &str| fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
    rename("jpg.jpg", "photo.jfif");
    rename("webp.webp", "webp.PNG");
    rename("gif.gif", "no extension");
    for name in ["a.txt", "b.TXT", "c.svg", "README"] {
        fs::write(folder.path().join(name), "text").unwrap();
    }
    assert_eq!(greys(folder.path(), Split::Train), (10..15).collect());
    let text = load(folder.path(), Split::Train).summary.to_string();
    assert!(
        text.contains("4 files are no JPEG, PNG, WebP, BMP or GIF: 2 .txt, 1 .svg, 1 without an extension"),
        "{text}"
    );
}

#[test]
fn what_systems_leave_behind_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "a.png", 7);
    for name in [".hidden.png", ".ipynb_checkpoints/a-checkpoint.png", "__MACOSX/a.png", "sub/@eaDir/a.png"] {
        picture(folder.path(), name, 99);
    }
    for name in ["._a.png", "Thumbs.db", "sub/desktop.ini", ".DS_Store"] {
        fs::write(folder.path().join(name), "no picture").unwrap();
    }
    let Loaded { images, summary } = load(folder.path(), Split::Train);
    assert_eq!(images.pixels, [7]);
    assert!(summary.others.is_empty() && summary.unreadable.is_empty(), "{summary:?}");
}

#[test]
fn a_run_among_the_pictures_is_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "cats/a.png", 7);
    picture(folder.path(), "dogs/a.png", 8);
    picture(folder.path(), "runs/quick/samples/step-000001.png", 99);
    fs::write(folder.path().join("runs/quick/origin.jsonl"), "").unwrap();
    let Loaded { images, summary } = load(folder.path(), Split::Train);
    assert_eq!((images.len(), images.labels), (2, Some(vec![0, 1])));
    assert!(summary.to_string().contains("1 run folders left out: "), "{summary}");
    let error = failure(&folder.path().join("runs"), Split::Train);
    assert!(error.contains("; 1 run folders left out: "), "{error}");
    // A run that is named is read: its pictures are what is asked for.
    assert_eq!(greys(&folder.path().join("runs/quick"), Split::Train), [99].into());
}

#[test]
fn folders_that_are_no_classes_are_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "a.png", 1);
    let classes = || load(folder.path(), Split::Train).summary;
    assert_eq!(classes().unclassed, None);
    picture(folder.path(), "cats/b.png", 2);
    picture(folder.path(), "dogs/c.png", 3);
    let text = classes().to_string();
    assert!(text.contains("no classes by the names of folders: a.png lies in no folder of a class"), "{text}");
    fs::remove_file(folder.path().join("a.png")).unwrap();
    assert_eq!((classes().unclassed, classes().classes.len()), (None, 2));
    (0..255).for_each(|i| picture(folder.path(), &format!("{i}/d.png"), 4));
    assert!(classes().to_string().contains("257 folders, and at most 256 can be classes"), "{}", classes());
}

#[cfg(unix)]
#[test]
fn each_real_folder_is_visited_once() {
    use std::os::unix::fs::symlink;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    picture(&folder, "train/a.png", 1);
    picture(&folder, "test/b.png", 2);
    picture(parent.path(), "elsewhere/c.png", 3);
    picture(parent.path(), "not-ours/d.png", 4);
    symlink("..", folder.join("train/loop")).unwrap();
    symlink(".", folder.join("self")).unwrap();
    symlink("../..", folder.join("train/up")).unwrap();
    symlink("/", folder.join("root")).unwrap();
    symlink("test", folder.join("a-link-to-test")).unwrap();
    symlink("../elsewhere", folder.join("more")).unwrap();
    symlink("nowhere", folder.join("broken.png")).unwrap();
    // A link to itself spoils nothing beside it.
    symlink("itself.png", folder.join("train/itself.png")).unwrap();
    let summary = load(&folder, Split::Train).summary;
    assert!(summary.to_string().contains("1 link without a target"), "{summary}");
    assert_eq!(summary.parts, Some((2, 1, HeldOut::Folder)));
    let [unreadable] = &summary.unreadable[..] else { panic!("{summary:?}") };
    assert!(unreadable.path.ends_with("train/itself.png"), "{unreadable}");
    assert_eq!(greys(&folder, Split::Train), [1, 3].into());
    assert_eq!(greys(&folder, Split::Test), [2].into());
}

#[cfg(unix)]
#[test]
fn a_pipe_among_the_pictures_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "a.png", 7);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("b.png")).status().unwrap();
    assert!(made.success());
    let Loaded { images, summary } = load(folder.path(), Split::Train);
    assert_eq!(images.pixels, [7]);
    assert!(summary.to_string().contains("1 pipe, socket or device"), "{summary}");
}

#[test]
fn more_pictures_than_fit_into_memory_are_refused_before_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..6200 {
        fs::write(folder.path().join(format!("{i}.png")), "").unwrap();
    }
    let error = Images::load(folder.path(), Split::Train, [3, 512, 512], Background::Auto).unwrap_err().to_string();
    assert!(error.contains("[3, 512, 512]") && error.contains("use a smaller network or fewer pictures"), "{error}");
}

#[test]
fn folders_of_held_out_pictures_go_by_their_usual_names() {
    for (name, held_out) in [
        ("Test_Set", 1),
        ("test_set_1", 1),
        ("val2017", 1),
        ("validation-set", 1),
        ("testset", 1),
        ("contest", 0),
        ("set", 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        picture(folder.path(), "training_set/a.png", 1);
        picture(folder.path(), &format!("{name}/b.png"), 2);
        let parts = load(folder.path(), Split::Train).summary.parts;
        assert_eq!(parts, Some((2 - held_out, held_out, HeldOut::Folder)), "{name}");
    }
}

#[test]
fn a_part_without_pictures_is_named() {
    let folder = tempfile::tempdir().unwrap();
    picture(folder.path(), "test/a.png", 1);
    let text = failure(folder.path(), Split::Train);
    assert!(text.contains("all pictures (1) are held out"), "{text}");
    fs::rename(folder.path().join("test"), folder.path().join("other")).unwrap();
    let text = failure(folder.path(), Split::Test);
    assert!(text.contains("no picture of 1 is held out"), "{text}");
}

#[test]
fn one_bad_picture_is_skipped_with_its_name_and_many_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..30 {
        picture(folder.path(), &format!("train/{i}.png"), i);
    }
    picture(folder.path(), "test/a.png", 99);
    let spoil = |name: &str, contents: &str| fs::write(folder.path().join("train").join(name), contents).unwrap();
    spoil("4.png", "");
    spoil("5.png", "no");
    spoil("6.png", "no");
    let Loaded { images, summary } = load(folder.path(), Split::Train);
    assert_eq!(images.len(), 27);
    let text = summary.to_string();
    assert!(text.contains("3 left out, which cannot be read") && text.contains("4.png: the file is empty"), "{text}");
    assert!(text.contains("5.png: the contents are no JPEG"), "{text}");
    spoil("7.png", "no");
    let error = failure(folder.path(), Split::Train);
    assert!(error.contains("4 of 30 pictures cannot be read") && error.contains("4.png: the file is empty"), "{error}");
    // The only picture of its part.
    fs::write(folder.path().join("test/a.png"), "no").unwrap();
    assert!(failure(folder.path(), Split::Test).contains("1 of 1 pictures cannot be read"));
}

#[test]
fn held_out_pictures_do_not_follow_the_order_of_paths() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..200 {
        picture(folder.path(), &format!("{}/{}.png", i / 20, i % 20), i);
    }
    let (train, test) = (greys(folder.path(), Split::Train), greys(folder.path(), Split::Test));
    assert_eq!(train.union(&test).count(), 200);
    assert!(train.is_disjoint(&test));
    for class in 0..10 {
        let trained = train.range(20 * class..20 * (class + 1)).count();
        assert!(trained >= 14, "{trained} of the 20 pictures of class {class} are trained on");
    }
    assert!((10..=30).contains(&test.len()), "{test:?}");
    // The same on every machine and in every version.
    let named: Vec<_> = test.iter().map(|i| format!("{}/{}", i / 20, i % 20)).collect();
    let same = "0/0 0/8 1/3 1/14 2/15 5/1 5/7 5/12 6/14 7/1 7/8 7/10 7/11 7/13 8/5 9/0 9/15";
    assert_eq!(named.join(" "), same);
    let parts = (train.len(), test.len(), HeldOut::Hash);
    let loaded = load(folder.path(), Split::Train);
    assert_eq!(loaded.summary.parts, Some(parts));
    // Whoever takes the first pictures takes some of each class.
    let first = loaded.images.pixels.chunks(loaded.images.elements()).take(60);
    assert_eq!(first.map(|pixels| pixels[0] / 20).collect::<BTreeSet<_>>().len(), 10);

    // Another name or place of the folder changes nothing, and neither do more pictures.
    let moved = folder.path().join("moved");
    fs::create_dir(&moved).unwrap();
    (0..10).for_each(|c| fs::rename(folder.path().join(c.to_string()), moved.join(c.to_string())).unwrap());
    assert_eq!(greys(&moved, Split::Test), test);
    for i in 200..250 {
        picture(&moved, &format!("more/{i}.png"), i);
    }
    assert!(greys(&moved, Split::Test).is_superset(&test));
}

#[test]
fn ten_pictures_have_one_that_is_held_out() {
    for set in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..10 {
            picture(folder.path(), &format!("{set}-{i}.png"), i);
        }
        assert!(!greys(folder.path(), Split::Test).is_empty());
    }
}

#[test]
fn usual_names_of_held_out_parts_are_recognised() {
    for name in ["test", "Testing", "val", "VALIDATION", "set/eval", "valid/class"] {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..20 {
            picture(folder.path(), &format!("train/{i}.png"), i);
        }
        picture(folder.path(), &format!("{name}/a.png"), 99);
        // Neither the name of a file nor a part of a name counts.
        picture(folder.path(), "test.png", 20);
        picture(folder.path(), "contest/a.png", 21);
        assert_eq!(greys(folder.path(), Split::Test), [99].into(), "{name}");
        assert_eq!(greys(folder.path(), Split::Train), (0..22).collect(), "{name}");
        let text = load(folder.path(), Split::Train).summary.to_string();
        // In two of these folders others than `contest` look like a class.
        let unclassed = match name {
            "set/eval" | "valid/class" => "\nno classes by the names of folders: test.png lies in no folder of a class",
            _ => "",
        };
        assert_eq!(text, format!("22 pictures for training, 1 held out by the names of their folders{unclassed}"));
    }
}
