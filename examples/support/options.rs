//! The command line, alike in all examples: numbers with a stated range.

// Each example uses only a part of this module.
#![allow(dead_code)]

use clap::{Arg, ArgAction, CommandFactory, FromArgMatches};
use std::ops::RangeInclusive;

/// Parses the command line of this process. A number may begin with a minus, so that its own range refuses it.
pub fn parse<T: CommandFactory + FromArgMatches>() -> T {
    let signed = |arg: Arg| {
        let number = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !arg.is_positional();
        arg.allow_negative_numbers(number)
    };
    let mut command = T::command().mut_args(signed);
    let matches = command.get_matches_mut();
    T::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Parser of a whole number in `range`.
pub fn whole<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let refused = || format!("must be a whole number from {} to {}", range.start(), range.end());
        number.and_then(|number| number.try_into().ok()).ok_or_else(refused)
    }
}

/// Parser of a number in `range`.
pub fn number(range: RangeInclusive<f64>) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be a number from {} to {}", range.start(), range.end()))
    }
}

/// The range of a seed.
pub const SEED: RangeInclusive<u64> = 0..=u64::MAX;
/// The range of a number of steps.
pub const STEPS: RangeInclusive<u64> = 1..=1_000_000_000;
/// The range of a number of images per batch.
pub const BATCH: RangeInclusive<u64> = 2..=65_536;
/// The range of a network's width.
pub const WIDTH: RangeInclusive<u64> = 1..=1024;
