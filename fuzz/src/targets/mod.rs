//! What is fuzzed. A target knows valid cases, changes a case so that the change gets past lengths and checksums, and runs
//! it. A refusal in words is right; a panic is a finding, and so is an assertion on what was accepted.

mod checkpoint;
mod classifier;
mod commands;
mod idx;
mod pictures;
mod run;
mod safetensors;

use crate::mutate::{Random, splice};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::io::Error;
use std::path::Path;

/// A reader of files or of command lines.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    /// Valid cases, as small as can be.
    seeds: fn() -> Vec<Vec<u8>>,
    /// One random change of a case.
    mutate: fn(&mut Random, &mut Vec<u8>),
    /// Runs a case in an empty folder of its own. Panics where the program does the wrong thing.
    pub run: fn(&Path, &[u8]),
    /// Builds what the cases need, before any worker starts.
    pub build: fn() -> Result<(), Error>,
    /// Makes what all cases of a worker share, before the limits hold.
    pub prepare: fn(),
}

impl Target {
    const fn new(
        name: &'static str,
        seeds: fn() -> Vec<Vec<u8>>,
        mutate: fn(&mut Random, &mut Vec<u8>),
        run: fn(&Path, &[u8]),
    ) -> Self {
        Self { name, seeds, mutate, run, build: || Ok(()), prepare: || {} }
    }
}

pub const TARGETS: [Target; 7] = [
    idx::TARGET,
    pictures::TARGET,
    safetensors::TARGET,
    checkpoint::TARGET,
    classifier::TARGET,
    run::TARGET,
    commands::TARGET,
];

/// The target of this name.
pub fn named(name: &str) -> Result<Target, String> {
    let found = TARGETS.iter().find(|target| target.name == name);
    let names = || TARGETS.map(|target| target.name).join(", ");
    found.copied().ok_or_else(|| format!("the targets are {}", names()))
}

/// The cases of a target.
pub struct Cases {
    target: Target,
    seed: u64,
    /// What is run first as it is, and then changed: the past findings in the corpus, and the valid cases.
    whole: Vec<Vec<u8>>,
}

impl Cases {
    pub fn new(target: Target, seed: u64) -> Result<Self, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        let mut paths = vec![];
        if folder.exists() {
            for entry in std::fs::read_dir(folder)? {
                paths.push(entry?.path());
            }
        }
        paths.sort();
        let mut whole = paths.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
        whole.extend((target.seeds)());
        Ok(Self { target, seed, whole })
    }

    /// The number of cases that are run as they are.
    pub fn whole(&self) -> u64 {
        self.whole.len() as u64
    }

    /// The case of this index: always the same, whatever ran before.
    pub fn get(&self, index: u64) -> Vec<u8> {
        if let Some(whole) = usize::try_from(index).ok().and_then(|index| self.whole.get(index)) {
            return whole.clone();
        }
        let mut random = Random::seed_from_u64(self.seed);
        random.set_stream(index);
        let mut case = self.choose(&mut random).to_vec();
        if random.random_ratio(1, 16) {
            let other = self.choose(&mut random);
            case = splice(&mut random, &case, other);
        }
        for _ in 0..random.random_range(1..=4) {
            (self.target.mutate)(&mut random, &mut case);
        }
        case
    }

    fn choose(&self, random: &mut Random) -> &[u8] {
        self.whole.choose(random).expect("every target has valid cases")
    }
}
