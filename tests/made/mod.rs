//! Pictures made by their bytes, of kinds that no encoder at hand writes.

use flate2::Crc;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// A PNG by its parts: `depth` bits, a colour type, chunks before the pixels, and the same `row` `height` times, which
/// begins with its filter byte.
pub fn png([width, height]: [u32; 2], depth: u8, colour: u8, chunks: &[(&[u8; 4], &[u8])], row: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(vec![], flate2::Compression::fast());
    (0..height).for_each(|_| zlib.write_all(row).unwrap());
    let pixels = zlib.finish().unwrap();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let all = [(b"IHDR", &header[..])]
        .into_iter()
        .chain(chunks.iter().copied())
        .chain([(b"IDAT", &pixels[..]), (b"IEND", &[])]);
    let chunk = |(kind, data): (&[u8; 4], &[u8])| {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
    };
    [b"\x89PNG\r\n\x1a\n".to_vec(), all.flat_map(chunk).collect()].concat()
}

/// A JPEG of `components` without subsampling, with one quantisation factor `q` and one Huffman code per table: for
/// differences of DC coefficients with `bits` bits, and for the end of a block. `marker` is 0xc0 (baseline) or 0xc2
/// (progressive, of which only the first scan follows).
pub fn jpeg([width, height]: [u16; 2], components: u8, marker: u8, q: u8, bits: u8, scan: &[u8]) -> Vec<u8> {
    let segment =
        |marker: u8, data: Vec<u8>| [&[0xff, marker][..], &(data.len() as u16 + 2).to_be_bytes(), &data].concat();
    let table = |class: u8, symbol: u8| segment(0xc4, [&[class, 1][..], &[0; 15], &[symbol]].concat());
    let each = |one: fn(u8) -> Vec<u8>| (1..=components).flat_map(one).collect::<Vec<_>>();
    let [[h1, h0], [w1, w0]] = [height.to_be_bytes(), width.to_be_bytes()];
    let frame = [vec![8, h1, h0, w1, w0, components], each(|c| vec![c, 0x11, 0])].concat();
    let last = if marker == 0xc0 { 63 } else { 0 };
    let start = [vec![components], each(|c| vec![c, 0]), vec![0, last, 0]].concat();
    [
        vec![0xff, 0xd8],
        segment(0xdb, [vec![0], vec![q; 64]].concat()),
        segment(marker, frame),
        table(0x00, bits),
        table(0x10, 0),
        segment(0xda, start),
        scan.to_vec(),
        vec![0xff, 0xd9],
    ]
    .concat()
}
