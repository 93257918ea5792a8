use crate::files::FileError;
use crate::picture::FORMATS;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// What decides which pictures of a folder are held out from training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldOut {
    /// The names of its subfolders.
    Folder,
    /// The hashes of the pictures' paths.
    Hash,
}

/// What loading a part of a data set did beside reading images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// The numbers of pictures of a folder for training and for testing, and what decides about them.
    pub parts: Option<(usize, usize, HeldOut)>,
    /// Pictures and subfolders that cannot be read. They are left out.
    pub unreadable: Vec<FileError>,
    /// Run folders among the pictures. What lies in them is left out.
    pub runs: Vec<PathBuf>,
    /// The number of entries that are no pictures, by extension or kind.
    pub others: BTreeMap<String, usize>,
    /// The number of pictures with transparent parts that were put on black.
    pub on_black: usize,
    /// The number of pictures with transparent parts that were put on white.
    pub on_white: usize,
    /// Height and width of the images in MNIST's files, if they are not those of the network.
    pub resized: Option<[usize; 2]>,
    /// Whether the first images in MNIST's files lack a class, as in a sorted set, so that all are taken in another order.
    pub mixed: bool,
    /// The classes of a folder's pictures, in the order of their labels.
    pub classes: Vec<String>,
    /// Why folders of pictures are no classes, if there are some.
    pub unclassed: Option<String>,
    /// The file of labels that would belong to the images in MNIST's files, if it is missing.
    pub labels: Option<PathBuf>,
}

/// Lines of text, none of them empty; nothing if there is nothing to say.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![];
        if let Some((train, test, by)) = self.parts {
            lines.push(match by {
                _ if test == 0 => format!("{train} pictures for training, none held out"),
                HeldOut::Folder => {
                    format!("{train} pictures for training, {test} held out by the names of their folders")
                }
                HeldOut::Hash => format!("{train} pictures for training, {test} held out by the hashes of their paths"),
            });
        }
        if !self.unreadable.is_empty() {
            let (count, first) = (self.unreadable.len(), first(&self.unreadable));
            lines.push(format!("{count} left out, which cannot be read: {first}"));
        }
        lines.extend(left_out(&self.runs, &self.others));
        let [black, white] = [self.on_black, self.on_white];
        if black + white > 0 {
            let count = black + white;
            lines.push(format!("{count} pictures with transparent parts: {black} put on black, {white} on white"));
        }
        if !self.classes.is_empty() {
            const SHOWN: usize = 12;
            let more = if self.classes.len() > SHOWN { ", …" } else { "" };
            let names = self.classes[..self.classes.len().min(SHOWN)].join(", ");
            lines.push(format!("{} classes, by the names of their folders: {names}{more}", self.classes.len()));
        }
        if let Some(reason) = &self.unclassed {
            lines.push(format!("no classes by the names of folders: {reason}"));
        }
        if let Some([h, w]) = self.resized {
            lines.push(format!("images of {h}×{w}, cropped around their centre and resized"));
        }
        if self.mixed {
            lines.push("the first images lack a class, so that the images are taken in another order".into());
        }
        if let Some(path) = &self.labels {
            lines.push(format!("no labels: there is no {}", path.display()));
        }
        f.write_str(&lines.join("\n"))
    }
}

/// The first of several errors, as text.
pub(super) fn first(errors: &[FileError]) -> String {
    const SHOWN: usize = 3;
    let mut texts: Vec<_> = errors.iter().take(SHOWN).map(ToString::to_string).collect();
    if errors.len() > SHOWN {
        texts.push("…".into());
    }
    texts.join("; ")
}

/// Lines about what is in a folder and no picture of it: run folders, and other files.
pub(super) fn left_out(runs: &[PathBuf], others: &BTreeMap<String, usize>) -> Vec<String> {
    let run = runs.first().map(|run| format!("{} run folders left out: {}", runs.len(), run.display()));
    run.into_iter().chain((!others.is_empty()).then(|| text(others))).collect()
}

/// The files that are no pictures, as text: the most frequent extensions first.
fn text(others: &BTreeMap<String, usize>) -> String {
    let mut kinds: Vec<_> = others.iter().collect();
    kinds.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let count: usize = others.values().sum();
    format!("{count} files are no {FORMATS}: {}", kinds.join(", "))
}
