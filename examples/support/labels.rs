//! The labels that a conditional network is given.

use ign::error::Error;
use ign::model::Generator;

/// The network for images of the classes `given`, one after the other; for every class in turn if none is given.
///
/// # Errors
/// If a class is given that the network does not have.
pub fn labelled(generator: &Generator, given: &[u8]) -> Result<Generator, Error> {
    if given.is_empty() { Ok(generator.every_class()) } else { generator.labelled(given) }
}
