use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

/// The unweighted losses of a step, and the variance of f(z) over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Losses {
    #[serde(deserialize_with = "finite")]
    pub rec: f32,
    #[serde(deserialize_with = "finite")]
    pub idem: f32,
    #[serde(deserialize_with = "finite")]
    pub tight: f32,
    #[serde(deserialize_with = "finite")]
    pub variance: f32,
}

/// Refuses what overflows to infinity, which JSON cannot hold when the record is written again.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let wide = f64::deserialize(deserializer)?;
    let value = wide as f32;
    match value.is_finite() {
        true => Ok(value),
        false => Err(D::Error::invalid_value(Unexpected::Float(wide), &"a 32-bit number")),
    }
}
