//! Bounds of memory and time of the largest pictures. A file of its own, since it measures the process.

#![cfg(target_os = "linux")]

mod made;

use ign::picture::{Background, read_picture};
use made::{jpeg, png};
use std::time::{Duration, Instant};

/// The greatest memory that the process has had, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// Pictures of the kinds that need most memory per pixel, just below the limit of pixels: 16 bits with transparency, and a
/// progressive JPEG, whose coefficients are held to its end.
#[test]
fn the_largest_pictures_take_less_than_256_mib_and_few_seconds() {
    let side = 5016;
    let deep = png([side, side], 16, 6, &[], &vec![0; 1 + 8 * side as usize]);
    // One bit 0 per block: no difference to the block before.
    let progressive = |side: u16, components: u8| {
        let blocks = usize::from(components) * usize::from(side / 8).pow(2);
        jpeg([side; 2], components, 0xc2, 1, 0, &vec![0; blocks.div_ceil(8)])
    };
    let (colour, cmyk) = (progressive(5016, 3), progressive(4344, 4));
    for (name, contents) in [("RGBA16", deep), ("progressive", colour), ("progressive CMYK", cmyk)] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), contents).unwrap();
        let start = Instant::now();
        let picture = read_picture(file.path(), [3, 64, 64], Background::Auto).unwrap();
        assert_eq!(picture.pixels.len(), 3 * 64 * 64);
        eprintln!("{name}: {:?} {} MiB", start.elapsed(), peak());
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
        assert!(peak() < 256, "{name}: {} MiB", peak());
    }
}
