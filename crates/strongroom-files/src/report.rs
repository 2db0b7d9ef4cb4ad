//! Conversion of file errors to errors of operations on secrets.

use std::io;
use std::path::Path;

use strongroom_core::{Error, ErrorKind, Operation};

use crate::Refusal;

/// Converts the error of a file or directory to the error of an operation, with kind, message and advice.
pub fn error(operation: Operation, path: &Path, cause: io::Error) -> Error {
    let (kind, problem) = match Refusal::of(&cause) {
        Some(refusal) => (refused(refusal), refusal.to_string()),
        None => {
            let (kind, problem) = failed(&cause);
            (kind, problem.to_owned())
        }
    };
    let advice = advice(path, &cause);
    // The problem is a clause about "it". Here the path is the subject.
    let problem = problem.strip_prefix("it ").unwrap_or(&problem);
    let error = Error::new(kind, operation).with_message(format!("{} {problem}", quoted(path)));
    let error = advice.into_iter().fold(error, Error::with_hint);
    // A refusal is its own cause, and the message already states it.
    if Refusal::of(&cause).is_some() { error } else { error.with_source(cause) }
}

/// Quotes the path as a single word of a shell command, without control characters.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    if text.chars().any(char::is_control) {
        // `$'…'` is understood by bash, zsh and ksh. Plain quotes would send the control characters to the terminal.
        let escaped: String = text.chars().map(escape).collect();
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn escape(c: char) -> String {
    match c {
        '\'' | '\\' => format!("\\{c}"),
        c if c.is_control() => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\x{byte:02x}")).collect()
        }
        c => c.to_string(),
    }
}

const fn refused(refusal: &Refusal) -> ErrorKind {
    match refusal {
        Refusal::Link | Refusal::Names(_) | Refusal::Owner { .. } | Refusal::Mode { .. } => {
            ErrorKind::AccessDenied
        }
        Refusal::TooLarge { .. } => ErrorKind::TooLarge,
        Refusal::Directory | Refusal::Special | Refusal::NotText => ErrorKind::Invalid,
    }
}

fn failed(cause: &io::Error) -> (ErrorKind, &'static str) {
    match cause.kind() {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "it is not there"),
        io::ErrorKind::AlreadyExists => (ErrorKind::AlreadyExists, "it exists already"),
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::AccessDenied, "it may not be used by this program")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::AccessDenied, "it lies on a file system that can't be written")
        }
        io::ErrorKind::StorageFull => {
            (ErrorKind::QuotaExceeded, "it can't be written: the disk is full")
        }
        io::ErrorKind::QuotaExceeded => (
            ErrorKind::QuotaExceeded,
            "it can't be written: this user's quota on the disk is used up",
        ),
        io::ErrorKind::NotADirectory => {
            (ErrorKind::NotFound, "it is not there: a part of the path is no directory")
        }
        _ => (ErrorKind::Io, "it can't be used"),
    }
}

/// Returns the advice for a file, or `None` if the default advice of the error's kind is enough.
fn advice(path: &Path, cause: &io::Error) -> Option<String> {
    let shown = quoted(path);
    Some(match Refusal::of(cause) {
        Some(Refusal::Link) => {
            format!(
                "Look where it leads with `readlink -f {shown}`, and name that, or remove the link."
            )
        }
        Some(Refusal::Names(_)) => {
            format!(
                "Copy it to a place of its own, or find its other names with `find / -samefile {shown}`."
            )
        }
        Some(Refusal::Owner { user, .. }) => format!(
            "Run this as the user whom it belongs to, or make it yours with `sudo chown {user} {shown}`."
        ),
        Some(Refusal::Mode { allowed, .. }) => {
            format!("Run `chmod {allowed:o} {shown}`, and think of who may have read it.")
        }
        Some(Refusal::Special) => "Name a file, or pipe the content in.".to_owned(),
        Some(Refusal::Directory) => "Check the path.".to_owned(),
        Some(Refusal::TooLarge { .. } | Refusal::NotText) => {
            "See whether it is the right file.".to_owned()
        }
        None => match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "Check the path.".to_owned(),
            io::ErrorKind::PermissionDenied => {
                format!(
                    "Look at the permissions of it and of the directories above: `ls -ld {shown}`."
                )
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("Make room there: `df -h {shown}`.")
            }
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell_without_control_characters() {
        let quoted = |path: &str| quoted(Path::new(path));
        assert_eq!(quoted("/a/b-c_d.e"), "/a/b-c_d.e");
        assert_eq!(quoted("/a b"), "'/a b'");
        assert_eq!(quoted("/it's"), r"'/it'\''s'");
        assert_eq!(quoted("/a\u{1b}]0;x\u{7}"), r"$'/a\x1b]0;x\x07'");
        assert_eq!(quoted("/a\n'\\"), r"$'/a\x0a\'\\'");
        assert_eq!(quoted("~/a"), "'~/a'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn advice_is_a_command_that_can_be_pasted() {
        let cause = Refusal::Mode { mode: 0o644, allowed: 0o600 }.into();
        let error = error(Operation::Get, Path::new("/a b/it's"), cause);
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert!(error.hint().contains(r"`chmod 600 '/a b/it'\''s'`"), "{}", error.hint());
        assert!(error.to_string().contains("its mode is 0644"), "{error}");
    }
}
