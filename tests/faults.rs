//! Trainings on a driver in which one call fails, at many points: each ends with the typed error, and goes on with
//! `--resume`. The failing driver is `faults/driver.c`.
#![cfg(target_os = "linux")]

#[path = "support/examples.rs"]
mod examples;

use ign::model::Checkpoint;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The functions that fail, and whether they are called again after the device is open.
const CALLS: [(&str, bool); 18] = [
    ("vkAllocateCommandBuffers", true),
    ("vkAllocateDescriptorSets", true),
    ("vkAllocateMemory", false),
    ("vkBeginCommandBuffer", true),
    ("vkBindBufferMemory", true),
    ("vkCreateBuffer", true),
    ("vkCreateCommandPool", true),
    ("vkCreateComputePipelines", true),
    ("vkCreateDescriptorPool", true),
    ("vkCreateDescriptorSetLayout", true),
    ("vkCreateDevice", false),
    ("vkCreatePipelineLayout", true),
    ("vkCreateSemaphore", true),
    ("vkCreateShaderModule", true),
    ("vkEndCommandBuffer", true),
    ("vkGetSemaphoreCounterValue", true),
    ("vkQueueSubmit", true),
    ("vkWaitSemaphores", true),
];

const OUT_OF_DEVICE_MEMORY: &str = "-2";
const DEVICE_LOST: &str = "-4";

/// The train example on a driver that can fail.
struct Failing {
    train: PathBuf,
    work: tempfile::TempDir,
    real: String,
}

impl Failing {
    fn new() -> Self {
        let work = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/driver.c");
        let library = work.path().join("driver.so");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let mut compile = Command::new(&compiler);
        compile.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
        let compiled = compile.status().unwrap_or_else(|e| panic!("this test needs a C compiler; {compiler}: {e}"));
        assert!(compiled.success(), "{} does not compile", source.display());
        let manifest = serde_json::json!({
            "file_format_version": "1.0.0",
            "ICD": { "library_path": library, "api_version": "1.1.0" },
        });
        fs::write(work.path().join("driver.json"), manifest.to_string()).unwrap();
        Self { train: examples::build().join("train"), work, real: real_driver() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// Runs `train` with a limit of time. `fault` is a function, the number of the call that fails, and its result.
    fn train(&self, arguments: &[&str], fault: Option<(&str, usize, &str)>) -> Output {
        let mut command = Command::new(&self.train);
        command.args(arguments).current_dir(self.work.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
            command.env(variable, self.path("driver.json"));
        }
        command
            .env("IGN_FAULT_DRIVER", &self.real)
            .env("IGN_FAULT_COUNTS", self.path("counts"))
            .env_remove("IGN_ADAPTER");
        if let Some((call, at, result)) = fault {
            command.env("IGN_FAULT_CALL", call).env("IGN_FAULT_AT", at.to_string()).env("IGN_FAULT_RESULT", result);
        }
        let start = Instant::now();
        let mut child = command.spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                panic!("{fault:?}: the training hangs: {:?}", child.wait_with_output());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    }

    /// The number of calls of each function in the last training.
    fn counts(&self) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.path("counts")).expect("the driver counts its calls");
        text.lines().filter_map(|line| line.split_once(' ')).map(|(n, c)| (n.into(), c.parse().unwrap())).collect()
    }
}

/// The library of Mesa's software driver.
fn real_driver() -> String {
    let folders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let mut manifests = entries.map(|entry| entry.unwrap().path());
    let manifest = manifests.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("lvp_icd"));
    let manifest = manifest.expect("this test needs Mesa's software Vulkan (package mesa-vulkan-drivers)");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    manifest["ICD"]["library_path"].as_str().expect("the manifest names a library").into()
}

/// Writes a data set of 16 images.
fn data(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let head = [0u8, 0, 8, 3, 0, 0, 0, 16, 0, 0, 0, 28, 0, 0, 0, 28];
    let pixels = (0..16 * 28 * 28).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    fs::write(folder.join("train-images-idx3-ubyte"), head.into_iter().chain(pixels).collect::<Vec<_>>()).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn a_training_whose_driver_fails_ends_with_the_typed_error_and_goes_on_with_resume() {
    let failing = Failing::new();
    data(&failing.path("data"));
    let tiny = "--data data --width 2 --batch 4 --log-every 1 --checkpoint-every 2 --sample-every 4";
    let start = format!("--out base --steps 2 {tiny}");
    let begun = failing.train(&start.split(' ').collect::<Vec<_>>(), None);
    assert!(begun.status.success(), "{begun:?}");
    let resume = |run: &str, fault| failing.train(&["--resume", run, "--steps", "6"], fault);
    copy(&failing.path("base"), &failing.path("whole"));
    assert!(resume("whole", None).status.success());
    let counts = failing.counts();

    for (call, later) in CALLS {
        let count = counts[call];
        assert!(count > usize::from(later), "{call} is called {count} times");
        for (at, result) in
            [1, count / 2, count].into_iter().flat_map(|at| [(at, OUT_OF_DEVICE_MEMORY), (at, DEVICE_LOST)])
        {
            if at == 0 || (count == 1 && at != 1) {
                continue;
            }
            let run = format!("{call} {at} of {count}, {result}");
            copy(&failing.path("base"), &failing.path(&run));
            let ended = resume(&run, Some((call, at, result)));
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{run}: {ended:?}");
            assert!(!said.contains("panicked"), "{run}: {said}");
            let lost = said.contains("the adapter was lost: ") && said.contains("resume from the last checkpoint");
            let memory = said.contains("the adapter ran out of memory while creating ")
                && said.contains("; use a smaller batch or width");
            let closed = said.contains(" could not open a device: ");
            assert!(closed || if result == DEVICE_LOST { lost } else { memory }, "{run}: {said}");
            // Later calls have a device.
            assert!(!closed || at == 1 || !later, "{run}: {said}");

            let kept = Checkpoint::load(&failing.path(&run)).unwrap_or_else(|e| panic!("{run}: {e}"));
            assert!([2, 4, 6].contains(&kept.step), "{run}: {}", kept.step);
            if at == count {
                let resumed = resume(&run, None);
                assert!(resumed.status.success(), "{run}: {resumed:?}");
                assert_eq!(Checkpoint::load(&failing.path(&run)).unwrap().step, 6, "{run}");
            }
        }
    }
}
