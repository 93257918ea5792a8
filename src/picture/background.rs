use serde::{Deserialize, Serialize};

/// What stands behind a picture with transparent parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// White behind dark strokes, black behind light ones: whichever differs more from the mean brightness of what is
    /// visible. Each picture is judged by itself.
    #[default]
    Auto,
    /// White.
    White,
    /// Black.
    Black,
}
