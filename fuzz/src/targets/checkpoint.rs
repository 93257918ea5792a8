//! Checkpoints, full and for sampling only.

use super::Target;
use crate::mutate::{Random, bytes, safetensors};
use ign::model::{Checkpoint, Config, Network, Preset};
use ign::random::Stream;
use rand::RngExt;
use std::path::Path;

pub const TARGET: Target = Target::new("checkpoint", seeds, mutate, run);

/// A checkpoint of the narrowest network of these settings.
pub fn narrow(config: Config) -> Checkpoint {
    let config = Config { width: 1, ..config };
    let shapes = Checkpoint::shapes(&config).into_iter();
    let tensors = shapes.map(|(name, shape)| (name, vec![0.5; shape.elements()])).collect();
    Checkpoint { config, step: 7, tensors }
}

fn seeds() -> Vec<Vec<u8>> {
    let quick = narrow(Preset::Quick.config());
    let published = quick.published().expect("a full checkpoint can be published");
    let faces = narrow(Config { network: Network::FACES, ..Preset::Published.config() });
    [quick, published, faces].map(|checkpoint| checkpoint.to_bytes().expect("the tensors are complete")).into()
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    if random.random_ratio(3, 4) { safetensors(random, case) } else { bytes(random, case) }
}

fn run(work: &Path, case: &[u8]) {
    let path = work.join(Checkpoint::FILE);
    std::fs::write(&path, case).expect("the folder can be written");
    let Ok(checkpoint) = Checkpoint::load(&path) else { return };
    let written = checkpoint.to_bytes().expect("what was read can be written");
    let again = Checkpoint::from_bytes(&written).expect("what was written can be read");
    assert!(again.to_bytes().expect("what was read can be written") == written, "written twice, and not the same");
    // What programs do with a checkpoint before they open an adapter.
    let _ = checkpoint.check_resumable();
    if let Ok(noise) = checkpoint.noise() {
        let elements = checkpoint.config.network.image().iter().product();
        assert_eq!(noise.draw(1, Stream::Preview, 1, elements).len(), elements);
    }
    if let Ok(published) = checkpoint.published() {
        let published = published.to_bytes().expect("a published checkpoint can be written");
        Checkpoint::from_bytes(&published).expect("a published checkpoint can be read");
    }
    let _ = checkpoint.last_step();
}
