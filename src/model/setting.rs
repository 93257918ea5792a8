//! Settings as options of command lines.

use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as NotOneOf};

/// A setting of a training: an option of command lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The name, as in JSON.
    pub name: &'static str,
    /// The help text. The range of a number is its last sentence.
    pub help: &'static str,
    /// The least and the greatest permitted value of a number.
    pub range: Option<[f64; 2]>,
}

/// Declares a struct of settings: its documented fields, its JSON form, the list from which programs build their command
/// lines, and the check of all ranges, which stand after the type of a field.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $Name:ident {
            $(
                $(#[doc = $help:literal])+ $(#[serde($($serde:tt)+)])?
                pub $field:ident: $Type:ty $([$least:literal to $greatest:literal])?,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $Name {
            $(
                $(#[doc = $help])+ $(#[doc = concat!("From ", $least, " to ", $greatest, ".")])?
                $(#[serde($($serde)+)])? pub $field: $Type,
            )+
        }

        impl $Name {
            /// All settings.
            pub const SETTINGS: &[Setting] = &[$(
                Setting {
                    name: stringify!($field),
                    help: concat!($($help,)+ $(" From ", $least, " to ", $greatest, ".")?).trim_ascii(),
                    range: settings!(@range $([$least as f64, $greatest as f64])?),
                },
            )+];

            /// The first setting out of range.
            fn check_ranges(&self) -> Result<(), Error> {
                $($(Error::check_range(stringify!($field), self.$field as f64, $least as f64..=$greatest as f64)?;)?)+
                Ok(())
            }
        }
    };
    (@range) => { None };
    (@range $range:expr) => { Some($range) };
}

pub(super) use settings;

/// Parses a value by its name in JSON, such as a [`Preset`](super::Preset) or a [`Network`](super::Network).
///
/// # Errors
/// If no value has this name; the message lists those that there are.
pub fn named<T: DeserializeOwned>(name: &str) -> Result<T, NotOneOf> {
    T::deserialize(name.into_deserializer())
}
