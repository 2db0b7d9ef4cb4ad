//! The flags that every command takes.

use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use strongroom::Backend;

// The flags that every command takes, in every program. This is no doc comment: clap would show it as the command's
// description.
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct Flags {
    /// Use this store and no other [default: the system's own]
    #[arg(long, value_name = "NAME", value_parser = backend_parser(), global = true)]
    pub(crate) backend: Option<Backend>,

    /// Never ask: neither here nor in a window of the keyring
    #[arg(long, global = true)]
    pub(crate) no_prompt: bool,

    /// Use a keyring even if it doesn't encrypt secrets on the session bus
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

/// Returns a parser of backend names. The name of a backend that this build lacks is accepted, so that the error can
/// say so, but not offered.
pub(crate) fn backend_parser() -> impl TypedValueParser<Value = Backend> {
    let names = Backend::ALL
        .iter()
        .map(|backend| PossibleValue::new(backend.name()).hide(!backend.is_supported_here()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Backend>())
}

/// The longest timeout, a year. It stands in for "for ever", which no clock can add to the present time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    let seconds = seconds.ok_or("it takes a number of seconds above zero, such as 2 or 0.5")?;
    let duration = Duration::try_from_secs_f64(seconds).ok().filter(|it| *it <= LONGEST);
    // A tiny number above zero rounds to a duration of zero.
    duration
        .map(|it| it.max(Duration::from_nanos(1)))
        .ok_or_else(|| format!("it takes at most {} seconds, which is a year", LONGEST.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("31536000"), Ok(LONGEST));
        for text in ["0", "-1", "nan", "", "2s"] {
            assert!(seconds(text).unwrap_err().contains("above zero"), "{text}");
        }
        for text in ["inf", "1e400", "99999999999999999999", "31536001"] {
            assert!(seconds(text).unwrap_err().contains("at most 31536000"), "{text}");
        }
    }
}
