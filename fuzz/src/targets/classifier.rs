//! Files of the digit classifier, which are read onto an adapter.

use super::Target;
use crate::mutate::{Random, bytes, safetensors};
use ign::classifier::Classifier;
use ign::gpu::Gpu;
use ign::native::open;
use rand::RngExt;
use std::path::Path;
use std::sync::LazyLock;

pub const TARGET: Target = Target { prepare, ..Target::new("classifier", seeds, mutate, run) };

static ADAPTER: LazyLock<Gpu> = LazyLock::new(|| open(None).expect("an adapter, as scripts/adapter finds or installs"));

/// Compiles the shaders, whose time is not that of the file.
fn prepare() {
    let work = tempfile::tempdir().expect("there is a folder for temporary files");
    run(work.path(), &seeds()[0]);
}

fn seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../../models/classifier.safetensors").to_vec()]
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    if random.random_ratio(7, 8) { safetensors(random, case) } else { bytes(random, case) }
}

fn run(work: &Path, case: &[u8]) {
    let path = work.join("classifier.safetensors");
    std::fs::write(&path, case).expect("the folder can be written");
    if let Ok(classifier) = Classifier::load(&ADAPTER, &path) {
        let signature = classifier.signature();
        let image = vec![0.0; signature.images.image().iter().product()];
        let seen = classifier.blocking_look(&image).expect("an accepted classifier can be used");
        assert_eq!((seen.features.len(), seen.probabilities.len()), (Classifier::FEATURES, signature.classes));
    }
}
