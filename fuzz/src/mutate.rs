//! Random changes of bytes, of text in JSON, and of what is behind a checksum or a length.

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::io::{Read, Write};

/// The random numbers of one case.
pub type Random = ChaCha8Rng;

/// Larger contents are not unpacked, changed and packed again, because that takes longer than reading them.
const UNPACKED: u64 = 1 << 20;
/// Numbers at which arithmetic goes wrong.
const BOUNDARIES: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// A random range of at most 64 of `len` elements, seldom of any number of them.
fn range(random: &mut Random, len: usize) -> std::ops::Range<usize> {
    let start = random.random_range(0..=len);
    let most = if random.random_ratio(1, 8) { len - start } else { (len - start).min(64) };
    start..start + random.random_range(0..=most)
}

/// Changes `data` once: bits, numbers, or the order and number of its parts.
pub fn bytes(random: &mut Random, data: &mut Vec<u8>) {
    if data.is_empty() {
        return data.push(random.random());
    }
    let at = random.random_range(0..data.len());
    match random.random_range(0..10) {
        0 | 1 => data[at] ^= 1 << random.random_range(0..8),
        2 => data[at] = random.random(),
        3..6 => {
            let number = *BOUNDARIES.choose(random).expect("there are boundaries");
            let width = [1, 2, 4, 8][random.random_range(0..4)];
            let number =
                if random.random() { number.to_le_bytes() } else { (number << (64 - 8 * width)).to_be_bytes() };
            let end = (at + width).min(data.len());
            data[at..end].copy_from_slice(&number[..end - at]);
        }
        6 => data.truncate(at),
        7 => drop(data.drain(range(random, data.len()))),
        8 => {
            let copy = data[range(random, data.len())].to_vec();
            data.splice(at..at, copy);
        }
        _ => {
            let copy = data[range(random, data.len())].to_vec();
            let end = (at + copy.len()).min(data.len());
            data[at..end].copy_from_slice(&copy[..end - at]);
        }
    }
}

/// The first part of one case and the last part of another.
pub fn splice(random: &mut Random, one: &[u8], other: &[u8]) -> Vec<u8> {
    let (head, tail) = (random.random_range(0..=one.len()), random.random_range(0..=other.len()));
    [&one[..head], &other[tail..]].concat()
}

/// Changes what is in a gzip stream; other data as it is.
pub fn gzip(random: &mut Random, data: &mut Vec<u8>, change: impl FnOnce(&mut Random, &mut Vec<u8>)) {
    match unpacked(GzDecoder::new(&data[..])) {
        Some(mut content) => {
            change(random, &mut content);
            let mut packer = GzEncoder::new(vec![], Compression::fast());
            packer.write_all(&content).expect("a vector takes all bytes");
            *data = packer.finish().expect("a vector takes all bytes");
        }
        None => change(random, data),
    }
}

fn unpacked(stream: impl Read) -> Option<Vec<u8>> {
    let mut content = vec![];
    stream.take(UNPACKED + 1).read_to_end(&mut content).ok()?;
    (content.len() as u64 <= UNPACKED).then_some(content)
}

/// A chunk of a PNG file with its length and checksum.
pub fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let body = [&kind[..], content].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&body);
    [&(content.len() as u32).to_be_bytes()[..], &body, &sum.sum().to_be_bytes()].concat()
}

/// The first bytes of a PNG file.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Packs the rows of a PNG picture, as its chunk IDAT holds them.
pub fn zlib(content: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(vec![], Compression::fast());
    packer.write_all(content).expect("a vector takes all bytes");
    packer.finish().expect("a vector takes all bytes")
}

/// Changes a chunk of a PNG file, or the order of its chunks, and makes lengths and checksums right again; other data as
/// bytes.
pub fn png(random: &mut Random, data: &mut Vec<u8>) {
    let mut chunks = vec![];
    let mut rest = data.strip_prefix(PNG).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((kind, after)) = after.split_first_chunk::<4>() else { break };
        let Some((content, after)) = after.split_at_checked(length) else { break };
        chunks.push((*kind, content.to_vec()));
        rest = after.get(4..).unwrap_or_default();
    }
    if chunks.is_empty() {
        return bytes(random, data);
    }
    let (from, to) = (random.random_range(0..chunks.len()), random.random_range(0..chunks.len()));
    match random.random_range(0..8) {
        0 => chunks.swap(from, to),
        1 => chunks.insert(to, chunks[from].clone()),
        2 => drop(chunks.remove(from)),
        3 => bytes(random, &mut chunks[from].1),
        4 | 5 => bytes(random, &mut chunks[0].1),
        _ => {
            let packed = chunks.iter_mut().find(|(kind, _)| kind == b"IDAT");
            if let Some((_, content)) = packed
                && let Some(mut rows) = unpacked(ZlibDecoder::new(&content[..]))
            {
                bytes(random, &mut rows);
                *content = zlib(&rows);
            }
        }
    }
    *data = chunks.iter().fold(PNG.to_vec(), |file, (kind, content)| [file, chunk(kind, content)].concat());
}

/// Changes the header of a safetensors file, and makes its length right again; other data as bytes.
pub fn safetensors(random: &mut Random, data: &mut Vec<u8>) {
    let parts = data.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (header, body) = rest.split_at_checked(length)?;
        Some((serde_json::from_slice::<Value>(header).ok()?, body.to_vec()))
    });
    let Some((mut header, body)) = parts else { return bytes(random, data) };
    // The settings of a checkpoint are JSON in a string of the metadata.
    let settings = header.get_mut("__metadata__").and_then(|metadata| metadata.get_mut("ign"));
    match settings {
        Some(Value::String(text)) if random.random() => {
            let mut inner = std::mem::take(text).into_bytes();
            json(random, &mut inner);
            *text = String::from_utf8_lossy(&inner).into_owned();
        }
        _ => change(random, &mut header),
    }
    let header = header.to_string().into_bytes();
    *data = [&(header.len() as u64).to_le_bytes()[..], &header, &body].concat();
}

/// Replaces, removes, repeats or renames a value of a JSON text; other data as bytes.
pub fn json(random: &mut Random, text: &mut Vec<u8>) {
    match serde_json::from_slice(text) {
        Ok(mut value) => {
            change(random, &mut value);
            *text = value.to_string().into_bytes();
        }
        Err(_) => bytes(random, text),
    }
}

/// Changes `value` or a value in it.
fn change(random: &mut Random, value: &mut Value) {
    let mut inner: Vec<_> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(entries) => entries.values_mut().collect(),
        _ => vec![],
    };
    if !inner.is_empty() && random.random_ratio(4, 5) {
        let chosen = random.random_range(0..inner.len());
        return change(random, inner.swap_remove(chosen));
    }
    match value {
        Value::Object(entries) if !entries.is_empty() && random.random_ratio(3, 4) => {
            let chosen = random.random_range(0..entries.len());
            let name = entries.keys().nth(chosen).cloned().expect("the entry is there");
            let old = entries.remove(&name).expect("the entry is there");
            if random.random() {
                entries.insert(name + "?", old);
            }
        }
        Value::Array(items) if !items.is_empty() && random.random_ratio(3, 4) => {
            let item = items[random.random_range(0..items.len())].clone();
            items.push(item);
        }
        value => *value = absurd(random),
    }
}

/// A value that no field expects.
fn absurd(random: &mut Random) -> Value {
    let number = *BOUNDARIES.choose(random).expect("there are boundaries");
    match random.random_range(0..12) {
        0..4 => number.into(),
        4 => (number as i64).wrapping_neg().into(),
        5 => f64::MAX.into(),
        6 => f64::MIN_POSITIVE.into(),
        7 => (-0.5).into(),
        8 => Value::Null,
        9 => MARKUP.repeat(random.random_range(0..9)).into(),
        10 => (0..100).fold(Value::Null, |inner, _| vec![inner].into()),
        _ => Value::Object(Default::default()),
    }
}

/// Text that must be escaped on a page.
pub const MARKUP: &str = "<script>alert(\"'&\u{202e}\")</script>";
