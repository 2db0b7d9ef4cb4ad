//! Commands that were not typed as they must be. What is unexpected in them may be a secret, and is not shown again: errors go to logs.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use strongroom_config::looks_like_a_secret;

/// A value that was given as an argument, which is the commonest first mistake.
pub(crate) const VALUE: &str = "A value is no argument: the command asks for it, or takes it from a pipe, --from-file or --from-env. If you typed \
                     one, it is in your shell's history now: replace it at its provider.";

/// Arguments whose values are not shown.
const SENSITIVE: &[&str] = &["--passphrase-fd", "--from-env"];

/// Returns the sentence and the advice for a mistake whose message by clap would repeat what was typed; `None` for any other.
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
            let is_sensitive = SENSITIVE.contains(&flag)
                || text(error, ContextKind::InvalidValue)
                    .is_some_and(|it| looks_like_a_secret(&it));
            is_sensitive.then(|| (format!("{flag} does not take this value"), VALUE.to_owned()))
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let is_harmless =
                word.len() <= 20 && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            (!is_harmless).then(|| ("there is no such command".to_owned(), VALUE.to_owned()))
        }
        _ => None,
    }
}

fn unknown(argument: &str) -> (String, String) {
    let flag = argument.split(['=', ' ']).next().unwrap_or_default();
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
