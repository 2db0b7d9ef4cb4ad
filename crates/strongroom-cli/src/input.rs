//! Values on their way in: a hidden prompt, standard input, an environment variable, a file. Never
//! an argument, which other users can see.

use std::env;
use std::io::{self, Read};
use std::path::Path;

use strongroom::{ExposeSecret as _, SecretBytes, SecretString, secret_bytes, secret_text};
use zeroize::{Zeroize as _, Zeroizing};

use crate::args::Source;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::settings::Settings;
use crate::streams;

/// More than any store takes. It ends the reading of what has no end.
const LARGEST: usize = 16 << 20;

/// The value that the flags point to, or standard input's. `None` means that it must be asked for.
pub(crate) fn given(settings: &Settings, source: &Source) -> Result<Option<SecretBytes>> {
    match source {
        Source { from_env: Some(variable), .. } => environment(variable).map(Some),
        Source { from_file: Some(path), .. } => file(path).map(Some),
        _ if settings.stdin_is_terminal => Ok(None),
        _ => piped().map(Some),
    }
}

/// The value as text, which is what a vault holds.
pub(crate) fn text(value: &SecretBytes) -> Result<SecretString> {
    secret_text(value).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "invalid",
            "the value is not text (UTF-8), and a vault holds text; nothing was stored",
            "Encode it, for example with `base64`, or keep it by itself: \
             `strongroom entry set SERVICE NAME`.",
        )
    })
}

/// Asks on the terminal, without showing what is typed.
pub(crate) fn ask(settings: &Settings, name: &str) -> Result<SecretBytes> {
    if !settings.may_ask {
        return Err(Failure::usage(
            format!("there is no value for {name}, and --no-prompt forbids asking"),
            "Pipe the value in, or leave out --no-prompt.",
        ));
    }
    let question = format!("Value for {name} (not shown): ");
    let typed = hidden(&question, "Pipe the value into this command.", given_up)?;
    some(typed, "nothing was typed")
}

/// Asks on the terminal, without showing what is typed; says how to do without where that fails.
pub(crate) fn hidden(
    question: &str,
    instead: &str,
    given_up: impl FnOnce() -> Failure,
) -> Result<SecretBytes> {
    let typed = rpassword::prompt_password(question).map_err(|cause| match cause.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted => given_up(),
        _ => Failure::io("cannot ask on the terminal", &cause, instead),
    })?;
    Ok(secret_bytes(typed.into_bytes()))
}

/// Asks for a name on the terminal.
pub(crate) fn ask_name(output: &mut Output) -> Result<String> {
    let question = "What shall the secret be called (for example API_KEY)? ";
    let name = ask_openly(question, "Put the name after `setup`.", output)?;
    if name.is_empty() { Err(given_up()) } else { Ok(name) }
}

/// Asks on the terminal, showing what is typed: for what is no secret.
pub(crate) fn ask_openly(question: &str, instead: &str, output: &mut Output) -> Result<String> {
    output.question(question)?;
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|cause| Failure::io("cannot ask on the terminal", &cause, instead))?;
    Ok(line.trim().to_owned())
}

/// Asks on the terminal for a yes. All else is a no.
pub(crate) fn agrees(question: &str, instead: &str, output: &mut Output) -> Result<bool> {
    let answer = ask_openly(question, instead, output)?;
    Ok(["y", "yes"].iter().any(|yes| answer.eq_ignore_ascii_case(yes)))
}

/// Everything that comes in on standard input, without one newline at its end.
pub(crate) fn piped() -> Result<SecretBytes> {
    let stdin = streams::input().and_then(|mut stdin| read(&mut stdin));
    let value = stdin.map_err(|cause| {
        Failure::io("cannot read standard input", &cause, "See what is piped into this command.")
    })?;
    some(without_newline(value)?, "nothing came in on standard input")
}

fn environment(variable: &str) -> Result<SecretBytes> {
    // `--from-env $NAME` gives the value: what does not look like a variable's name is not shown.
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let shown = if variable.chars().all(is_name) { variable } else { "that --from-env names" };
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

/// The content of a file, without one newline at its end. An empty file is an empty value: nobody names
/// one by accident.
pub(crate) fn file(path: &Path) -> Result<SecretBytes> {
    let content = strongroom_files::open(path, strongroom_files::Source::Given)
        .and_then(|mut file| read(&mut file))
        .map_err(|cause| Failure::file("read the file", path, cause))?;
    without_newline(content)
}

/// Returns the content of a file that no other user may read, without one newline at its end.
pub(crate) fn private_file(path: &Path) -> Result<SecretBytes> {
    let content = strongroom_files::read(path, strongroom_files::Source::Private, LARGEST as u64);
    without_newline(content.map_err(|cause| Failure::file("read the file", path, cause))?)
}

/// Reads to the end, or a byte more than the largest value. A buffer that grows by itself would
/// leave parts of the value behind, unwiped.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut value = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new(vec![0; 64 << 10]);
    while value.len() <= LARGEST {
        let count = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let needed = value.len() + count;
        if needed > value.capacity() {
            let mut larger = Vec::with_capacity(needed * 2);
            larger.extend_from_slice(&value);
            value.zeroize();
            value = Zeroizing::new(larger);
        }
        value.extend_from_slice(&chunk[..count]);
    }
    Ok(value)
}

fn without_newline(value: Zeroizing<Vec<u8>>) -> Result<SecretBytes> {
    if value.len() > LARGEST {
        return Err(Failure::new(
            Exit::Failed,
            "too_large",
            format!("the value has more than {} bytes", LARGEST),
            "No store takes that much: keep it in an encrypted file and only its key here.",
        ));
    }
    let line = value.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(secret_bytes(line.unwrap_or(&value).to_vec()))
}

/// Nothing is rarely what was meant: most often the program in front of the pipe failed, and the
/// good value would be replaced.
fn some(value: SecretBytes, problem: &str) -> Result<SecretBytes> {
    if value.expose_secret().is_empty() {
        return Err(Failure::usage(
            format!("{problem}; nothing was stored"),
            "Try again with a value. `strongroom set NAME --from-file /dev/null` stores an empty one.",
        ));
    }
    Ok(value)
}

fn given_up() -> Failure {
    Failure::new(
        Exit::Locked,
        "dismissed",
        "nothing was answered; nothing was stored",
        "Run it again, or pipe the value in.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed(value: &[u8]) -> Vec<u8> {
        without_newline(Zeroizing::new(value.to_vec())).unwrap().expose_secret().to_vec()
    }

    #[test]
    fn one_newline_goes_and_no_other_byte() {
        assert_eq!(trimmed(b"a\n"), b"a");
        assert_eq!(trimmed(b"a\r\n"), b"a");
        assert_eq!(trimmed(b"a\n\n"), b"a\n");
        assert_eq!(trimmed(b"a\r"), b"a\r");
        assert_eq!(trimmed(b" a "), b" a ");
        assert_eq!(trimmed(b""), b"");
    }

    #[test]
    fn what_has_no_end_is_not_read_for_ever() {
        let value = read(&mut io::repeat(7)).unwrap();
        assert!(without_newline(value).is_err());
    }

    #[test]
    fn a_value_in_many_pieces_comes_in_whole() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        assert_eq!(*read(&mut bytes.as_slice()).unwrap(), bytes);
    }
}
