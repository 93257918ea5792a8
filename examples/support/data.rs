//! Data sets for the examples, with a word on what was left out.

use ign::data::{DataError, Images, Split};
use ign::picture::Background;
use std::collections::BTreeSet;
use std::path::Path;

/// Loads parts of a data set, and prints what was done and left out.
pub fn load<const N: usize>(
    folder: &Path,
    splits: [Split; N],
    shape: [usize; 3],
    background: Background,
) -> Result<[Images; N], DataError> {
    let (mut parts, mut said) = (vec![], BTreeSet::new());
    for split in splits {
        let loaded = Images::load(folder, split, shape, background)?;
        for line in loaded.summary.to_string().lines().filter(|line| said.insert(line.to_string())) {
            say!("data     {line}");
        }
        parts.push(loaded.images);
    }
    Ok(parts.try_into().expect("there are as many parts as splits"))
}
