//! The trained f beside one that is idempotent by construction.

use crate::Arguments;
use crate::drawing::{Scene, compose};
use crate::numbers::Numbers;
use crate::plane::Plane;
use crate::train::{Run, train_exact};
use ign::gpu::Gpu;
use ign::toy::Data;
use std::error::Error;
use tiny_skia::Pixmap;

/// Width and height of a picture.
const SIDE: u32 = 320;

/// Trains both on every data set. Returns a picture, the trained f above the other, and the numbers as a table.
///
/// # Errors
/// If a training diverges, or the adapter fails.
pub fn compare(gpu: &Gpu, arguments: &Arguments) -> Result<(Pixmap, String), Box<dyn Error>> {
    let mut rows = [vec![], vec![]];
    let mut table = format!("data,f,{}\n", Numbers::NAMES);
    for data in Data::NAMED {
        let name = data.name();
        say!("\n{name}, trained, then exactly idempotent");
        let trained = Run { data: data.clone(), ..Run::of(arguments) }.train(gpu, arguments, |_| Ok(()))?;
        let exact = train_exact(gpu, arguments, data)?;
        let planes: [(&str, &dyn Plane); 2] = [("trained", &trained), ("exact", &exact)];
        for (row, (kind, plane)) in rows.iter_mut().zip(planes) {
            row.push(Scene::of(plane, format!("{name}, {kind}"), SIDE)?.draw());
            table += &format!("{name},{kind},{}\n", Numbers::of(plane)?.row());
        }
    }
    Ok((compose(&rows.concat(), Data::NAMED.len()), table))
}
