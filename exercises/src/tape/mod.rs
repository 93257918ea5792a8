//! The tape track.
