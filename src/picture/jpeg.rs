use std::io::{BufRead, ErrorKind, Result, Seek};

/// What the markers of a JPEG say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Markers {
    /// The number of bytes up to the end marker (EOI) and with it. Some cameras append other data.
    pub length: u64,
    /// The number of colour components.
    pub components: u8,
}

/// Reads the markers of a JPEG, or `None` if the file, or the part of it that may be read, ends before the end marker. Decoders
/// fill up what is then missing with grey, without an error.
pub(super) fn markers(reader: &mut (impl BufRead + Seek)) -> Result<Option<Markers>> {
    match to_end(reader) {
        // The latter is a segment beyond the part that may be read.
        Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidInput) => Ok(None),
        found => found.map(Some),
    }
}

fn to_end(reader: &mut (impl BufRead + Seek)) -> Result<Markers> {
    let mut components = 0;
    loop {
        reader.skip_until(0xff)?;
        let [mut marker] = bytes(reader)?;
        while marker == 0xff {
            [marker] = bytes(reader)?;
        }
        match marker {
            // A byte 0xff of compressed data, TEM, restarts and SOI: markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            0xd9 => return Ok(Markers { length: reader.stream_position()?, components }),
            // Frames, but for DHT, JPG and DAC: precision, height and width come before the number of components.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                let [_, _, _, _, _, _, _, count] = bytes(reader)?;
                components = count;
            }
            // The segment may contain other pictures, such as a thumbnail.
            _ => {
                let length = u16::from_be_bytes(bytes(reader)?);
                reader.seek_relative(i64::from(length.saturating_sub(2)))?;
            }
        }
    }
}

fn bytes<const N: usize>(reader: &mut impl BufRead) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_jpeg_ends_at_its_own_end_marker() {
        let mut bytes = vec![];
        let grey = image::GrayImage::from_fn(40, 40, |x, y| image::Luma([(x * y) as u8]));
        grey.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
        let len = bytes.len();
        let found = |bytes: &[u8]| markers(&mut Cursor::new(bytes)).unwrap().map(|m| m.length);
        assert_eq!(markers(&mut Cursor::new(&bytes)).unwrap(), Some(Markers { length: len as u64, components: 1 }));
        for cut in [0, 1, 2, 3, 20, len / 2, len - 2, len - 1] {
            assert_eq!(found(&bytes[..cut]), None, "cut at {cut} of {len}");
        }
        // A segment that contains an end marker, as that of a thumbnail does, and bytes after the end.
        let thumbnail = [&bytes[..2], &[0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9], &bytes[2..]].concat();
        assert_eq!(found(&thumbnail), Some(len as u64 + 8));
        assert_eq!(found(&[&bytes[..], b"appended \xff\xd9"].concat()), Some(len as u64));
    }
}
