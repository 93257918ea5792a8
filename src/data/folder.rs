//! Folders of pictures: which files are pictures, and which of these are held out.

use super::HeldOut;
use crate::files::{FileError, ORIGIN};
use crate::picture::{has_picture_name, is_picture};
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::hash::Hasher;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The files of a folder and its subfolders.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files that are pictures by their names or by their contents, in order of their paths.
    pub pictures: Vec<PathBuf>,
    /// Subfolders and files that cannot be read.
    pub unreadable: Vec<FileError>,
    /// Run folders, which are not visited.
    pub runs: Vec<PathBuf>,
    /// The number of other entries by extension or kind.
    pub others: BTreeMap<String, usize>,
}

/// What systems and programs leave in folders, beside entries whose names begin with a dot: in lower case.
const IGNORED: [&str; 8] = [
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
];

/// Names of folders with images that are held out, in lower case.
const HELD_OUT: [&str; 9] = ["test", "tests", "testing", "val", "valid", "validation", "eval", "holdout", "dev"];

/// Names of folders with images for training, in lower case.
const TRAINING: [&str; 3] = ["train", "training", "images"];

/// Lists `folder` and its subfolders. Each real folder is visited once, however many links lead to it.
pub(super) fn list(folder: &Path) -> Result<Listing, FileError> {
    let mut listing = Listing::default();
    let mut visited = HashSet::new();
    // Links come last, so that a file's path, which decides about its part, does not depend on links to its folder.
    let (mut folders, mut links) = (vec![folder.to_path_buf()], VecDeque::new());
    while let Some(next) = folders.pop().or_else(|| links.pop_front()) {
        match visit(&next, &mut visited, &mut folders, &mut links, &mut listing) {
            Ok(()) => {}
            Err(e) if next == folder => return Err(FileError::unreadable(folder, &e)),
            Err(e) => listing.unreadable.push(FileError::unreadable(next, &e)),
        }
    }
    listing.pictures.sort();
    Ok(listing)
}

/// Adds the regular files of `folder` to `listing`, with what cannot be read. Its subfolders are added to `folders`, those behind
/// links to `links`.
fn visit(
    folder: &Path,
    visited: &mut HashSet<PathBuf>,
    folders: &mut Vec<PathBuf>,
    links: &mut VecDeque<PathBuf>,
    listing: &mut Listing,
) -> std::io::Result<()> {
    let real = folder.canonicalize()?;
    if !visited.insert(real.clone()) {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries.into_iter().filter(|entry| !is_ignored(&entry.file_name())) {
        let path = entry.path();
        match kind(&path, &real) {
            Ok(Kind::File) => listing.add(path),
            // A run among the pictures: what it drew is no picture to learn from.
            Ok(Kind::Folder | Kind::Link) if path.join(ORIGIN).is_file() => {
                listing.runs.push(path);
            }
            Ok(Kind::Folder) => folders.push(path),
            Ok(Kind::Link) => links.push_back(path),
            Ok(Kind::Back) => {}
            Ok(Kind::Other) => *listing.others.entry("pipe, socket or device".into()).or_default() += 1,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                *listing.others.entry("link without a target".into()).or_default() += 1;
            }
            Err(e) => listing.unreadable.push(FileError::unreadable(path, &e)),
        }
    }
    Ok(())
}

/// What an entry of a folder leads to.
enum Kind {
    File,
    Folder,
    /// A folder behind a link.
    Link,
    /// A folder that holds this one, behind a link. It would lead to whatever else is there.
    Back,
    /// A pipe, a socket or a device.
    Other,
}

/// The kind of the entry at `path` in the folder `real`.
fn kind(path: &Path, real: &Path) -> std::io::Result<Kind> {
    let target = path.metadata()?;
    Ok(match target.is_dir() {
        false if target.is_file() => Kind::File,
        false => Kind::Other,
        true if !path.symlink_metadata()?.is_symlink() => Kind::Folder,
        true if real.starts_with(path.canonicalize()?) => Kind::Back,
        true => Kind::Link,
    })
}

fn is_ignored(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || is_one_of(name, &IGNORED)
}

fn is_one_of(name: &OsStr, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

impl Listing {
    fn add(&mut self, file: PathBuf) {
        let named = has_picture_name(&file);
        match if named { Ok(true) } else { is_picture(&file) } {
            Ok(true) => self.pictures.push(file),
            Ok(false) => {
                let extension = file.extension().map(|e| format!(".{}", e.to_string_lossy().to_lowercase()));
                *self.others.entry(extension.unwrap_or_else(|| "without an extension".into())).or_default() += 1;
            }
            Err(e) => self.unreadable.push(e),
        }
    }
}

/// Divides the pictures of `folder` into training and test images. Those below a subfolder with a usual name of held-out
/// parts are test images. If there are none, of ten pictures and more, those are whose path has a hash in the lowest
/// tenth, and always the one with the lowest. A picture's part thus depends neither on the order of the paths nor, but
/// for the lowest hash, on other pictures. Both parts are in the order of the hashes, so that the first pictures are of all
/// subfolders.
pub(super) fn divide(folder: &Path, mut pictures: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>, HeldOut) {
    let inside = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).to_path_buf();
    let hash = |path: &PathBuf| hash(&inside(path));
    pictures.sort_by_cached_key(hash);
    let is_held_out = |path: &PathBuf| inside(path).parent().is_some_and(|p| p.iter().any(names_held_out));
    let (test, train): (Vec<_>, Vec<_>) = pictures.into_iter().partition(is_held_out);
    if !test.is_empty() || train.len() < 10 {
        return (train, test, HeldOut::Folder);
    }
    let bound = train.iter().map(hash).min().unwrap_or(0).max(u64::MAX / 10);
    let (test, train) = train.into_iter().partition(|path| hash(path) <= bound);
    (train, test, HeldOut::Hash)
}

/// The class of each picture of `folder`: the name of the first subfolder on its way that is not the name of a part. There
/// are no classes if a picture lies in no such subfolder, if all are of one class, or if there are more than 256. The second
/// value says why several such subfolders are none.
pub(super) fn classes(folder: &Path, pictures: &[PathBuf]) -> (Option<BTreeMap<PathBuf, String>>, Option<String>) {
    let inside = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).to_path_buf();
    let class = |path: &PathBuf| {
        let inside = inside(path);
        let mut parents = inside.parent()?.iter();
        let name = parents.find(|name| !names_held_out(name) && !is_one_of(name, &TRAINING))?;
        Some((path.clone(), name.to_string_lossy().into_owned()))
    };
    let classes: BTreeMap<_, _> = pictures.iter().filter_map(class).collect();
    let count = classes.values().collect::<HashSet<_>>().len();
    let outside = pictures.iter().find(|path| !classes.contains_key(*path));
    match outside {
        Some(path) if count > 1 => (None, Some(format!("{} lies in no folder of a class", inside(path).display()))),
        None if count > 256 => (None, Some(format!("{count} folders, and at most 256 can be classes"))),
        None if count > 1 => (Some(classes), None),
        _ => (None, None),
    }
}

/// Whether a folder has a usual name of held-out parts, as `test`, `Test_Set` or `val2017`.
fn names_held_out(folder: &OsStr) -> bool {
    let name = folder.to_string_lossy().to_lowercase();
    let trimmed = |name: &'_ str| name.trim_end_matches(|c: char| c.is_ascii_digit() || "_- ".contains(c)).to_string();
    let name = trimmed(&name);
    HELD_OUT.contains(&trimmed(name.strip_suffix("set").unwrap_or(&name)).as_str())
}

/// A hash that is the same in every version of this program and on every system.
pub(super) fn hash(path: &Path) -> u64 {
    let mut hasher = SipHasher13::new();
    for name in path {
        hasher.write(name.as_encoded_bytes());
        hasher.write(b"/");
    }
    hasher.finish()
}
