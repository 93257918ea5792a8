//! The network that suits a data set.

use ign::data::Images;
use ign::model::Network;
use std::error::Error;
use std::path::Path;

/// The greatest number of pixels of a side of the images that data alone lead to. Larger ones must be asked for.
const LARGEST: usize = 64;

/// The largest network that fits the images in `folder`, up to this size.
pub fn network(folder: &Path) -> Result<Network, Box<dyn Error>> {
    let [channels, side] = Images::suited(folder)?;
    Ok(Network::within(channels, side.min(LARGEST))?)
}
