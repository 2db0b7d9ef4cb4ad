//! Reads values from a hidden prompt, standard input, an environment variable or a file. Never from an argument, which
//! other users can see.

use std::env;
use std::io;
use std::path::Path;

use strongroom::advice::{Advice, Command, Sentence};
use strongroom::input::{lacks_final_newline, without_byte_order_mark, without_final_newline};
use strongroom::store::{secret_bytes, secret_copy, secret_text};
use strongroom::{ErrorKind, ExposeSecret as _, SecretBytes, SecretString};

use crate::args::Source;
use crate::ask;
use crate::content;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::settings::Settings;
use crate::streams;
use crate::wiped::{LARGEST, Wiped};
use crate::words::size;

/// A value that is asked for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    /// Set if every byte counts, a newline at the end included.
    pub(crate) exact: bool,
    /// The state of things if no value comes, such as `nothing was stored`.
    pub(crate) state: &'a str,
    /// The command that takes the value from a file.
    pub(crate) from_file: &'a Command,
}

/// Returns the value that the flags point to, or that of standard input unless it is empty. `None` means that no value
/// is given.
pub(crate) fn any_given(settings: &Settings, source: &Source) -> Result<Option<SecretBytes>> {
    if source.is_named() || settings.stdin_is_terminal {
        return given(settings, source);
    }
    let value = all_of_stdin(source.exact)?;
    Ok(Some(value).filter(|value| !value.expose_secret().is_empty()))
}

/// Returns the value that the flags point to, or that of standard input. `None` means that it must be asked for.
pub(crate) fn given(settings: &Settings, source: &Source) -> Result<Option<SecretBytes>> {
    match source {
        Source { from_env: Some(variable), .. } => environment(variable).map(Some),
        Source { from_file: Some(path), exact, .. } => file(path, *exact).map(Some),
        _ if settings.stdin_is_terminal => Ok(None),
        Source { exact, .. } => piped(*exact).map(Some),
    }
}

/// Returns a value as a vault holds it: text, and no reference to a secret. `state` tells in the error how things stand,
/// such as `nothing was stored`.
pub(crate) fn secret(value: &SecretBytes, state: &str) -> Result<SecretString> {
    must_be_no_reference(value, state)?;
    text(value, state)
}

/// Refuses a reference, which a configuration file holds in place of a secret. Stored, it would replace that secret.
pub(crate) fn must_be_no_reference(value: &SecretBytes, state: &str) -> Result<()> {
    let text = std::str::from_utf8(value.expose_secret()).unwrap_or_default();
    if !strongroom_config::is_reference(text.trim()) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "invalid",
        format!(
            "the value is a reference, which stands for a secret in a configuration file; {state}"
        ),
        "Give the secret itself. The one that the reference stands for is in the vault already.",
    ))
}

/// Returns a value as text. `state` tells in the error how things stand.
pub(crate) fn text(value: &SecretBytes, state: &str) -> Result<SecretString> {
    secret_text(value).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "invalid",
            format!("the value is not text (UTF-8), and a vault holds text; {state}"),
            Advice::from("Encode it, for example with `base64`.").and(
                Sentence::from("Or keep it by itself: ")
                    .command(Command::new("entry set SERVICE NAME"))
                    .text("."),
            ),
        )
    })
}

/// Asks for a value on the terminal, without showing it.
pub(crate) fn asked(wanted: &Wanted<'_>, settings: &Settings) -> Result<SecretBytes> {
    let Wanted { name, exact, state, from_file } = wanted;
    if !settings.may_ask {
        return Err(Failure::usage(
            format!("there is no value for {name}, and --no-prompt forbids asking"),
            "Pipe the value in, or leave out --no-prompt.",
        ));
    }
    let from_file = Sentence::default()
        .command((*from_file).clone())
        .text(" takes it from a file; or pipe it into this command.");
    let answer = ask::value(name).map_err(|problem| problem.of_value(state, from_file))?;
    Ok(if *exact { answer } else { as_typed(&answer) })
}

/// Asks for a value of the vault on the terminal, without showing it.
pub(crate) fn asked_secret(wanted: &Wanted<'_>, settings: &Settings) -> Result<SecretString> {
    secret(&asked(wanted, settings)?, wanted.state)
}

/// The state of things before anything is done.
pub(crate) const NOTHING_STORED: &str = "nothing was stored";

/// Returns a typed or pasted value as it is stored. Text of several lines gets a final newline, which is often not
/// selected when a file is copied.
fn as_typed(answer: &SecretBytes) -> SecretBytes {
    let value = without_byte_order_mark(answer.expose_secret());
    let mut taken = Wiped::default();
    taken.extend(without_final_newline(value));
    if lacks_final_newline(value) {
        taken.extend(b"\n");
    }
    taken.to_secret()
}

/// Asks for the name of a secret on the terminal.
pub(crate) fn ask_name(output: &mut Output) -> Result<String> {
    let question = "What shall the secret be called (for example API_KEY)? ";
    let name = ask_openly(question, "Put the name after `setup`.", output)?;
    if name.is_empty() { Err(nameless()) } else { Ok(name) }
}

/// Asks on the terminal for text that is no secret, and is shown while it is typed.
pub(crate) fn ask_openly(
    question: &str,
    instead: &'static str,
    output: &mut Output,
) -> Result<String> {
    output.question(question)?;
    // Commands ask only if standard input is a terminal, so this needs no terminal of its own.
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|cause| Failure::io("cannot ask on the terminal", &cause, instead))?;
    Ok(line.trim().to_owned())
}

/// Asks a question on the terminal, and returns whether the answer is yes. Any other answer is no.
pub(crate) fn agrees(question: &str, instead: &'static str, output: &mut Output) -> Result<bool> {
    let answer = ask_openly(question, instead, output)?;
    Ok(["y", "yes"].iter().any(|yes| answer.eq_ignore_ascii_case(yes)))
}

/// Reads a value from standard input. An empty input is an error.
pub(crate) fn piped(exact: bool) -> Result<SecretBytes> {
    some(all_of_stdin(exact)?, "nothing came in on standard input")
}

fn all_of_stdin(exact: bool) -> Result<SecretBytes> {
    let stdin = streams::input().and_then(|mut stdin| content::read(&mut stdin));
    let value = stdin.map_err(|cause| {
        Failure::io("cannot read standard input", &cause, "See what is piped into this command.")
    })?;
    taken(&value, exact)
}

fn environment(variable: &str) -> Result<SecretBytes> {
    // By mistake, `--from-env $NAME` passes the value: a text that is not formed like a variable's name is not shown.
    let is_name =
        variable.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let shown = if is_name { variable } else { "that --from-env names" };
    let value = env::var_os(variable).ok_or_else(|| {
        Failure::usage(
            format!("the environment variable {shown} is not set"),
            "Name it without \"$\", and `export` it to this command.",
        )
    })?;
    some(
        secret_bytes(value.into_encoded_bytes()),
        &format!("the environment variable {shown} is empty"),
    )
}

/// Reads a value from a file. An empty file is an empty value, since the user has named it.
pub(crate) fn file(path: &Path, exact: bool) -> Result<SecretBytes> {
    taken(&content::of(path, strongroom_files::Source::Given)?, exact)
}

/// Returns a value as it is stored. A byte order mark and the newline after a single line are an editor's, and dropped
/// unless every byte counts.
fn taken(value: &[u8], exact: bool) -> Result<SecretBytes> {
    if value.len() > LARGEST {
        return Err(Failure::new(
            Exit::Failed,
            "too_large",
            format!("the value has more than {}", size(LARGEST)),
            "No store takes that much: keep it in an encrypted file and only its key here.",
        ));
    }
    let value = if exact { value } else { without_final_newline(without_byte_order_mark(value)) };
    Ok(secret_copy(value))
}

/// Refuses an empty value. Most often the program in front of the pipe has failed, and a good value would be replaced.
fn some(value: SecretBytes, problem: &str) -> Result<SecretBytes> {
    if value.expose_secret().is_empty() {
        return Err(Failure::usage(
            format!("{problem}; nothing was stored"),
            Advice::from("Try again with a value.")
                .and(Command::new("set NAME --from-file /dev/null").does("stores an empty one")),
        ));
    }
    Ok(value)
}

fn nameless() -> Failure {
    Failure::new(
        Exit::Locked,
        ErrorKind::Dismissed.code(),
        "nothing was answered; nothing was stored",
        Sentence::from("Put the name after `setup`: ")
            .command(Command::new("setup API_KEY"))
            .text("."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(value: &[u8], exact: bool) -> Vec<u8> {
        taken(value, exact).unwrap().expose_secret().to_vec()
    }

    #[test]
    fn an_editors_bytes_go_unless_every_byte_counts() {
        for (value, expected) in [
            (&b"a\n"[..], &b"a"[..]),
            (b"a\nb\n", b"a\nb\n"),
            (b"\xef\xbb\xbfa\r\n", b"a"),
            (b"\xef\xbb\xbf\xff\n", b"\xef\xbb\xbf\xff"),
        ] {
            assert_eq!(stored(value, false), expected);
            assert_eq!(stored(value, true), value);
        }
    }

    #[test]
    fn several_lines_that_were_pasted_end_with_a_newline() {
        for (typed, expected) in [
            (&b"a"[..], &b"a"[..]),
            (b"a\n", b"a"),
            (b"a\nb", b"a\nb\n"),
            (b"a\nb\n", b"a\nb\n"),
            (b"\xef\xbb\xbfa", b"a"),
        ] {
            assert_eq!(as_typed(&secret_bytes(typed.to_vec())).expose_secret(), expected);
        }
    }

    #[test]
    fn endless_input_is_not_read_for_ever() {
        let value = content::read(&mut io::repeat(7)).unwrap();
        assert!(taken(&value, true).is_err());
    }
}
