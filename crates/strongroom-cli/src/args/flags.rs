//! The flags that every command understands.

use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use strongroom::Backend;

// What every command understands, in every program. No documentation: clap would show that as the command's own.
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct Flags {
    /// Use this store and no other [default: the system's own]
    #[arg(long, value_name = "NAME", value_parser = backend_parser(), global = true)]
    pub(crate) backend: Option<Backend>,

    /// Never ask: neither here nor in a window of the keyring
    #[arg(long, global = true)]
    pub(crate) no_prompt: bool,

    /// Take a keyring that doesn't encrypt what crosses the session bus
    #[arg(long, hide_short_help = true, global = true)]
    pub(crate) allow_unencrypted_bus: bool,

    /// Read the passphrase of an encrypted file from this file descriptor
    #[arg(long, value_name = "N", global = true)]
    pub(crate) passphrase_fd: Option<u32>,

    /// Wait at most this long for the store, and for its prompt [default: 5, for a prompt 60]
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = seconds,
        allow_negative_numbers = true,
        global = true
    )]
    pub(crate) timeout: Option<Duration>,

    /// Write results and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Backends that this build doesn't have are understood, so that the answer can say so, but not
/// offered.
pub(crate) fn backend_parser() -> impl TypedValueParser<Value = Backend> {
    let value =
        |backend: &Backend| PossibleValue::new(backend.name()).hide(!backend.is_supported_here());
    PossibleValuesParser::new(Backend::ALL.iter().map(value))
        .try_map(|name| name.parse::<Backend>())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // A year stands in for "for ever", which no clock can add to now.
    let limit = Duration::from_secs(365 * 24 * 60 * 60);
    duration
        .filter(|duration| !duration.is_zero())
        .map(|duration| duration.min(limit))
        .ok_or_else(|| "it takes a number of seconds above zero, such as 2 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("inf").is_err());
        for text in ["0", "-1", "nan", "", "2s", "1e400"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
