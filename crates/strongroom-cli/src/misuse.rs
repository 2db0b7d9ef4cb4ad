//! Errors in a command's arguments. An unexpected argument may be a secret, and is not repeated: errors go to logs.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use strongroom_config::looks_like_a_secret;

/// The advice on a value that was given as an argument, which is the commonest first mistake.
pub(crate) const VALUE: &str = "A value is no argument: the command asks for it, or takes it from a pipe, --from-file or --from-env. If you typed \
                     one, it is in your shell's history now: replace it at its provider.";

/// Arguments whose values are not shown.
const SENSITIVE: &[&str] = &["--passphrase-fd", "--from-env"];

/// Returns the message and the advice for a mistake, if clap's own message would repeat a possible secret; else `None`.
pub(crate) fn describe(error: &clap::Error) -> Option<(String, String)> {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let (message, advice) = unknown(&argument);
            let similar = text(error, ContextKind::SuggestedArg);
            let similar = similar.map(|it| format!("Did you mean `{it}`? ")).unwrap_or_default();
            Some((message, similar + &advice))
        }
        ErrorKind::TooManyValues | ErrorKind::InvalidUtf8 | ErrorKind::WrongNumberOfValues => {
            Some(("an argument is one too many, or no text".to_owned(), VALUE.to_owned()))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let flag = argument.split_whitespace().next().unwrap_or_default();
            let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
            let problem = format!("{flag} does not take this value");
            if SENSITIVE.contains(&flag) || looks_like_a_secret(&value) {
                return Some((problem, VALUE.to_owned()));
            }
            (!is_harmless(&value)).then(|| (problem, accepted(error, &value)))
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            // A mistyped command may be repeated, and clap suggests the right command. Any other text may be a value.
            (!is_word(&word)).then(|| ("there is no such command".to_owned(), VALUE.to_owned()))
        }
        _ => None,
    }
}

/// Returns whether a text is a short word, such as a command that is mistyped.
fn is_word(text: &str) -> bool {
    text.len() <= 20 && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// Returns whether a text is a word, or a number or a time.
fn is_harmless(text: &str) -> bool {
    is_word(text)
        || (text.len() <= 30 && text.chars().all(|c| c.is_ascii_digit() || "-+:.TZ ".contains(c)))
}

/// Returns a sentence on the values that an argument takes, without the given value.
fn accepted(error: &clap::Error, value: &str) -> String {
    if let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue) {
        return format!("It takes one of these: {}.", known.join(", "));
    }
    // The message of our own parser, unless it repeats the value.
    let reason = error.source().map(ToString::to_string).filter(|it| !it.contains(value));
    reason.unwrap_or_else(|| "`--help` after the command shows what it takes.".to_owned())
}

fn unknown(argument: &str) -> (String, String) {
    let flag = argument.split(['=', ' ']).next().unwrap_or_default();
    // A value may begin with dashes. Only a text that is formed like a flag's name is shown.
    let is_flag = flag.strip_prefix("--").is_some_and(|name| {
        !name.is_empty()
            && name.len() <= 24
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    });
    match flag {
        "--value" | "--secret" | "--password" | "--passphrase" => {
            (format!("there is no {flag}"), VALUE.to_owned())
        }
        flag if is_flag => (
            format!("there is no {flag} here"),
            "`--help` after the command shows its options.".to_owned(),
        ),
        flag if flag.starts_with('-') => (
            "there is no such option here".to_owned(),
            "`--help` after the command shows its options.".to_owned(),
        ),
        _ => ("there is one argument too many".to_owned(), VALUE.to_owned()),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}
