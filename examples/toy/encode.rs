//! Pictures and animations as PNG with a palette.

use color_quant::NeuQuant;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use std::collections::HashMap;
use tiny_skia::Pixmap;

/// One pixel in this many is looked at for the palette.
const SAMPLED: i32 = 10;

/// The frames, all of one size, as a PNG file with `colours` colours: an animation (APNG) of `rate` frames per second that
/// rests on its last frame and repeats, or a picture if there is only one.
pub fn encode(frames: &[Pixmap], colours: usize, rate: u16) -> Result<Vec<u8>, EncodingError> {
    let mut file = vec![];
    let Some(last) = frames.last() else { return Ok(file) };
    // The palette is that of the first and the last frame, between which the others lie.
    let both = [frames[0].data(), last.data()].concat();
    let palette = NeuQuant::new(SAMPLED, colours, &both);

    let mut encoder = Encoder::new(&mut file, last.width(), last.height());
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.color_map_rgb());
    encoder.set_compression(Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    if frames.len() > 1 {
        encoder.set_animated(frames.len() as u32, 0)?;
        encoder.set_frame_delay(1, rate)?;
    }
    let mut writer = encoder.write_header()?;
    let mut known: HashMap<[u8; 4], u8> = HashMap::new();
    for (i, frame) in frames.iter().enumerate() {
        if i > 0 && i + 1 == frames.len() {
            writer.set_frame_delay(3, 1)?;
        }
        let pixels = frame.data().as_chunks::<4>().0;
        let indices: Vec<u8> =
            pixels.iter().map(|pixel| *known.entry(*pixel).or_insert_with(|| palette.index_of(pixel) as u8)).collect();
        writer.write_image_data(&indices)?;
    }
    writer.finish()?;
    Ok(file)
}
