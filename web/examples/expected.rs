//! What the page must compute, from the engine on this machine: f(z) and f(f(z)) of eight noises for a model, as JSON.
//! web/test compares.

use ign::method::Role;
use ign::model::{Checkpoint, Generator, NormStatistics};
use ign::native::open;
use ign::random::Stream;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let model = std::env::args().nth(1).ok_or("give the model's file")?;
    let checkpoint = Checkpoint::from_bytes(&std::fs::read(model)?)?;
    let generator = Generator::blocking_load(&open(None)?, &checkpoint, 8, NormStatistics::Role)?;
    let elements: usize = generator.image().iter().product();
    let z = checkpoint.noise()?.draw(1, Stream::Preview, 0, 8 * elements);
    println!("{:?}", generator.blocking_repeat(Role::Noise, &z, 2)?.concat());
    Ok(())
}
